"""The settings of a file as rl_zoo3's `ExperimentManager` takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

import amp_sbx
from wildrobot_gym.config import naming
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.training.config.reader import PPO_KEYS, from_mapping, of_environment, read_file
from wildrobot_gym.training.config.sections import ENV_ARGUMENTS, ENV_CONFIGS, EnvRun
from wildrobot_gym.training.config.zoo_form import ZOO_KEYS, is_zoo_form

AMP_PPO = "amp_ppo"
# Settings of a run that are options of `rl_zoo3.train`, which it reads from no file.
OPTIONS = {
    "seed": "--seed",
    "checkpoint_every": "--save-freq",
    "keep_checkpoints": "--save-freq",
    "trained_agent": "--trained-agent",
    "eval": "--eval-freq",
    "wandb": "--track",
}
_RL_ZOO = ("n_timesteps", "n_envs", "env_kwargs", "amp")  # of the others, what rl_zoo3 takes


@dataclass(frozen=True)
class ZooSettings:
    """What a file says for one environment.

    Attributes:
        hyperparameters: As rl_zoo3's files have them.
        left_out: Settings of the file that are options of rl_zoo3 instead, with the option.
    """

    hyperparameters: dict[str, Any]
    left_out: dict[str, str]


def zoo_settings(config: str, env_id: str, algorithm: str) -> ZooSettings:
    """Read a file of rl_zoo3's form, or one of `wildrobot train`.

    For `amp_ppo` on a WildRobot environment, every default is written out, so that both ways of
    training use the same numbers.

    Args:
        config: The file's path, or the name of a shipped one.
        env_id: The environment.
        algorithm: rl_zoo3's name of the algorithm.

    Raises:
        ConfigError: Unknown file, section, key or value; or a run of `amp_ppo` for another
            algorithm.
    """
    values, path = read_file(config)
    if algorithm != AMP_PPO and not is_zoo_form(values):
        raise ConfigError(
            f"{path} holds the settings of one run of {AMP_PPO}. Train it with --algo {AMP_PPO}, or"
            f" give {algorithm} a file with a section for {env_id}."
        )
    raw = of_environment(values, path, env_id)
    if algorithm != AMP_PPO or env_id not in ENV_CONFIGS:
        raw.pop("env_id", None)
        return ZooSettings({k: v for k, v in raw.items() if v is not None}, {})
    zoo_own = {key: raw.pop(key) for key in ZOO_KEYS if key in raw}
    left_out = {key: option for key, option in OPTIONS.items() if key in raw}
    with naming(str(path), (ConfigError, amp_sbx.ConfigError)):
        run = from_mapping({"eval": None, **{k: v for k, v in raw.items() if k not in OPTIONS}})
    flat = run.to_mapping()
    flat["env_kwargs"] = _without_defaults(flat["env_kwargs"])
    kept = {key: flat[key] for key in (*_RL_ZOO, *PPO_KEYS)} | zoo_own
    return ZooSettings({k: v for k, v in kept.items() if v is not None}, left_out)


def _without_defaults(env_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Without the arguments whose defaults differ between one environment and many."""
    defaults = {f.name: f.default for f in fields(EnvRun) if f.name in ENV_ARGUMENTS}
    return {k: v for k, v in env_kwargs.items() if v != defaults.get(k, MISSING)}
