"""From rl-zoo's flat keys to a run's typed settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import amp_sbx
from amp_sbx.algorithm.cloning import CloningConfig
from amp_sbx.discriminator.config import AMPConfig
from wildrobot_gym import yaml_io
from wildrobot_gym.config import build, naming
from wildrobot_gym.env.registration import ENV_ID
from wildrobot_gym.errors import ConfigError, unknown_name
from wildrobot_gym.training.config.names import find_config
from wildrobot_gym.training.config.overrides import Overrides, override_all
from wildrobot_gym.training.config.policy_kwargs import parse_policy_kwargs
from wildrobot_gym.training.config.run import RUN_KEYS, RunConfig
from wildrobot_gym.training.config.sections import (
    ENV_ARGUMENTS,
    ENV_CONFIGS,
    EnvRun,
    EvalSettings,
    PPOSettings,
    ReferenceSettings,
    WandbSettings,
)
from wildrobot_gym.training.config.zoo_form import is_zoo_form, of_one_run, section

PPO_KEYS = tuple(item.name for item in dataclasses.fields(PPOSettings))
AMP_KEYS = tuple(item.name for item in dataclasses.fields(AMPConfig))
# In the file's amp section beside AMPConfig's fields.
REFERENCE_KEYS = ("reference", "score_temperature", "warm_start")
SECTIONS = ("env_id", "n_envs", "env_kwargs", "amp", "eval", "wandb")


def load(
    config: str, overrides: Overrides = (), seed: int | None = None, env_id: str | None = None
) -> RunConfig:
    """A run's settings from a YAML file.

    Args:
        config: The file's path, or the name of a shipped one.
        overrides: Settings that replace the file's.
        seed: Replaces the file's where given.
        env_id: Which section of a file of rl-zoo's form; None takes the only one.

    Raises:
        ConfigError: Unknown file, key or value. The message says what is allowed.
    """
    values = read_mapping(config, env_id)
    override_all(values, overrides)
    if seed is not None:
        values["seed"] = seed
    where = f"{config} with your settings" if overrides else config
    with naming(where, (ConfigError, amp_sbx.ConfigError)):
        return from_mapping(values)


def with_overrides(config: RunConfig, overrides: Overrides, seed: int | None = None) -> RunConfig:
    """The settings of another run with some of them replaced.

    Args:
        config: The other run's settings.
        overrides: Settings that replace them.
        seed: Replaces the seed where given.

    Raises:
        ConfigError: As `load`.
    """
    if not overrides and seed is None:
        return config
    values = config.to_mapping()
    override_all(values, overrides)
    if seed is not None:
        values["seed"] = seed
    return from_mapping(values)


def read_mapping(config: str, env_id: str | None = None) -> dict[str, Any]:
    """The flat settings of a YAML file, unchecked.

    Args:
        config: The file's path, or the name of a shipped one.
        env_id: Which section of a file of rl-zoo's form; None takes the only one.

    Raises:
        ConfigError: There is no such file, it holds no settings, or none for that environment.
    """
    raw, path = read_file(config)
    values = of_environment(raw, path, env_id)
    if is_zoo_form(raw):
        values = of_one_run(values, path)
    if isinstance(values.get("policy_kwargs"), str):  # a mapping, so that overrides can reach in
        values["policy_kwargs"] = parse_policy_kwargs(values["policy_kwargs"])
    return values


def read_file(config: str) -> tuple[dict[str, Any], Path]:
    """The mapping in a YAML file of either form, and its path.

    Raises:
        ConfigError: There is no such file, or it holds no mapping.
    """
    path = find_config(config)
    values = yaml_io.read(path)
    if not isinstance(values, Mapping):
        found = "nothing" if values is None else repr(values)[:60]
        raise ConfigError(
            f"{path} must hold a mapping of settings, such as `n_timesteps: 1e6`; it holds {found}."
        )
    return dict(values), path


def of_environment(values: Mapping[str, Any], path: Path, env_id: str | None) -> dict[str, Any]:
    """The settings for one environment, from the content of a file of either form.

    Raises:
        ConfigError: The file has none for it, or for many of which none was chosen.
    """
    if is_zoo_form(values):
        return section(values, env_id, path)
    if env_id not in (None, values.get("env_id", ENV_ID)):
        raise ConfigError(f"{path} is for {values.get('env_id', ENV_ID)}, not for {env_id}.")
    return dict(values)


def from_mapping(values: Mapping[str, Any]) -> RunConfig:
    """A run's checked settings from the flat form.

    A whole float such as 1e6 counts as a whole number. Nothing is imported: the module of a reward
    term of one's own is, when an environment is built.

    Args:
        values: Settings by key. Missing ones have their defaults; `n_timesteps` must be given.

    Raises:
        ConfigError: Unknown key or wrong value. The message says what is allowed.
    """
    allowed = {*RUN_KEYS, *PPO_KEYS, *SECTIONS}
    for key in values:
        if key not in allowed:
            raise ConfigError(unknown_name("key", str(key), allowed))
    if "n_timesteps" not in values:
        raise ConfigError("n_timesteps is missing. Give the environment steps to train for.")
    amp, reference = _amp_sections(values.get("amp"))
    sections = {
        "env": _env_section(values),
        "ppo": _section(PPOSettings, {k: values[k] for k in PPO_KEYS if k in values}),
        "amp": amp,
        "reference": reference,
        "eval": _eval_section(values.get("eval", {})),
        "wandb": _wandb_section(values.get("wandb")),
    }
    own = {name: values[name] for name in RUN_KEYS if name in values}
    config: RunConfig = _section(RunConfig, own | sections)
    return config


def _section(cls: type[Any], values: Mapping[str, Any], where: str = "") -> Any:
    whole = {f.name for f in dataclasses.fields(cls) if f.type in ("int", "int | None")}
    return build(
        cls,
        {
            key: int(value)
            if key in whole and isinstance(value, float) and value.is_integer()
            else value
            for key, value in values.items()
        },
        where,
    )


def _env_section(values: Mapping[str, Any]) -> EnvRun:
    env_id = values.get("env_id", ENV_ID)
    if not isinstance(env_id, str) or env_id not in ENV_CONFIGS:
        raise ConfigError(unknown_name("env_id", str(env_id), ENV_CONFIGS))
    given = values.get("env_kwargs")
    given = {} if given is None else given
    if not isinstance(given, Mapping):
        raise ConfigError(f"env_kwargs must be a mapping of settings, got {given!r}.")
    cls = ENV_CONFIGS[env_id]
    settings = {item.name for item in dataclasses.fields(cls)}
    for key in given:
        if key not in settings and key not in ENV_ARGUMENTS:
            raise ConfigError(
                unknown_name("key in env_kwargs", str(key), settings.union(ENV_ARGUMENTS))
            )
    config = build(cls, {k: v for k, v in given.items() if k in settings}, "env_kwargs")
    own = {name: given[name] for name in ENV_ARGUMENTS if name in given}
    own |= {name: values[name] for name in ("env_id", "n_envs") if name in values}
    env: EnvRun = _section(EnvRun, {**own, "settings": config})
    return env


def _amp_sections(given: Any) -> tuple[AMPConfig | None, ReferenceSettings | None]:
    if given is None:
        return None, None
    if not isinstance(given, Mapping):
        raise ConfigError(f"amp must be a mapping of settings, or null, got {given!r}.")
    for key in given:
        if key not in AMP_KEYS and key not in REFERENCE_KEYS:
            raise ConfigError(unknown_name("key in amp", str(key), {*AMP_KEYS, *REFERENCE_KEYS}))
    if given.get("reference") is None:
        raise ConfigError(
            "amp.reference is missing. Name the motion to imitate, or set amp to null for plain"
            " PPO."
        )
    own: dict[str, Any] = {"name": given["reference"]}
    if "score_temperature" in given:
        own["score_temperature"] = given["score_temperature"]
    if (warm_start := given.get("warm_start")) is not None:
        own["warm_start"] = build(CloningConfig, warm_start, "amp.warm_start")
    reference = build(ReferenceSettings, own, "amp")
    return AMPConfig.from_dict({k: v for k, v in given.items() if k in AMP_KEYS}), reference


def _eval_section(given: Any) -> EvalSettings:
    given = {"every": 0} if given is None else given  # null is off, as it is for amp
    if not isinstance(given, Mapping):
        raise ConfigError(f"eval must be a mapping of settings, or null, got {given!r}.")
    settings: EvalSettings = _section(EvalSettings, given, "eval")
    return settings


def _wandb_section(given: Any) -> WandbSettings:
    given = {} if given is None else given
    if not isinstance(given, Mapping):
        raise ConfigError(
            "wandb must be a mapping of settings, such as {enabled: true, project: walking},"
            f" or null, got {given!r}."
        )
    settings: WandbSettings = _section(WandbSettings, given, "wandb")
    return settings
