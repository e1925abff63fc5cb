"""A study as one YAML file: its arms and seeds, and which of its runs are the same run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from amp_sbx.common.errors import AMPError
from wildrobot_gym import yaml_io
from wildrobot_gym.config import build, check_choice, naming
from wildrobot_gym.env.registration import ENV_ID
from wildrobot_gym.errors import ConfigError, WildRobotError, unknown_name
from wildrobot_gym.evaluation.protocol import check_protocol
from wildrobot_gym.evaluation.suites.catalog import ALL, FLAT
from wildrobot_gym.paths import STUDIES
from wildrobot_gym.physics.backends import check_backend
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.config import RunConfig, find_config
from wildrobot_gym.training.policy import find_policy
from wildrobot_gym.training.resume import MAY_CHANGE

# The settings that the final policy does not depend on. The training's length is not among them.
UNSEEN = {"seed", *MAY_CHANGE} - {"n_timesteps"}
_ABSENT = "-"  # a key that the other settings have
# AMP defaults that have changed since: an old digest keeps its meaning.
_FIRST_AMP = {"normalization": "spectral", "held_out_fraction": 0.0}


@dataclass(frozen=True)
class Study:
    """Arms that are trained with every seed. The walk benchmark evaluates their final policies.

    Raises:
        ConfigError: A value is wrong; the message says what is allowed.
    """

    arms: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    """Settings of each arm on top of `config` and `set`, by dotted key. At least one arm is needed.
    An arm's `config` replaces the study's."""
    config: str = "walk_amp"
    """Run config of all arms: a shipped name or a YAML file."""
    set: Mapping[str, Any] = field(default_factory=dict)
    """Settings of all arms, by dotted key."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Random seeds; each arm is trained once with each."""
    against: str | None = None
    """Arm that the others are compared with. The first by default."""
    commands: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8)
    """Forward speeds of the evaluation, in m/s."""
    episodes: int = 32
    """Number of episodes at each speed, and in each row of a suite."""
    suite: str = FLAT.name
    """What is evaluated: `flat` walks ahead, `all` adds the other suites of the benchmark."""

    def __post_init__(self) -> None:
        if not self.arms:
            raise ConfigError(
                "A study needs arms: a mapping from a name to its settings, e.g. arms: {base: {}}."
            )
        if not self.seeds or len({*self.seeds}) < len(self.seeds):
            raise ConfigError(f"seeds is {list(self.seeds)}; allowed: one or more, each once.")
        check_protocol(self.commands, self.episodes)
        check_choice("suite", self.suite, (FLAT.name, ALL))
        if self.against is not None and self.against not in self.arms:
            raise ConfigError(unknown_name("arm in against", self.against, self.arms))

    @property
    def baseline(self) -> str:
        """The arm that the others are compared with."""
        return self.against or next(iter(self.arms))

    def resolve(self) -> dict[str, RunConfig]:
        """Each arm's run config, checked, with the first seed.

        Raises:
            ConfigError: A setting of an arm is wrong; the message names the arm.
        """
        configs = {}
        for name, settings in self.arms.items():
            try:
                configs[name] = self._arm(settings or {})
            except (WildRobotError, AMPError) as error:
                raise ConfigError(f"Arm {name!r}: {error}") from error
        return configs

    def _arm(self, settings: Mapping[str, Any]) -> RunConfig:
        changes = {"config": self.config, **self.set, **settings}
        values = run_config.read_mapping(str(changes.pop("config")))
        if "seed" in changes:
            raise ConfigError("seed cannot be set. A study's seeds are in its key `seeds`.")
        for key, value in changes.items():
            run_config.override(values, str(key), value)
        config = run_config.from_mapping({**values, "seed": self.seeds[0]})
        if config.env.env_id != ENV_ID:
            raise ConfigError(
                f"env_id is {config.env.env_id!r}; allowed: {ENV_ID}, which the walk benchmark"
                " evaluates."
            )
        # Missing files and modules are found before the first run.
        _ = config.reference and config.reference.path, config.env.arguments()
        config.env.settings.rewards.terms()
        RobotModel.load(config.env.settings.robot)
        check_backend(config.env.backend)
        if config.trained_agent is not None:
            find_policy(config.trained_agent)
        return config


def load_study(study: str) -> tuple[str, Study]:
    """Read a study.

    Args:
        study: A shipped study's name or a YAML file.

    Returns:
        Its name and settings.

    Raises:
        ConfigError: A file, key or value is unknown; the message says what is allowed.
    """
    path = find_config(study, "study", STUDIES)
    values = yaml_io.read(path)
    with naming(str(path)):
        return path.stem, build(Study, values, "")


def digest(config: RunConfig) -> str:
    """Twelve hex digits of all settings that the final policy depends on, except the seed.

    Settings at their first default are left out: with a new setting, old runs keep their digest.
    The digest does not depend on the code or on the content of files.

    Args:
        config: The run config.
    """
    found = config.resolved()
    amp = None if config.amp is None else {"reference": "", **_FIRST_AMP}
    defaults = run_config.from_mapping({"n_timesteps": 1, "amp": amp}).resolved()
    changed = {
        key: found.get(key, _ABSENT)
        for key in {**defaults, **found}
        if key.partition(".")[0] not in UNSEEN
        and found.get(key, _ABSENT) != defaults.get(key, _ABSENT)
    }
    text = json.dumps(json.loads(json.dumps(changed), parse_int=float), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
