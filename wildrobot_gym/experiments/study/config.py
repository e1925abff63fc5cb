"""A study as one YAML file: arms, which are run configs, times seeds; and which runs of it are the same run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from amp_sbx.common.errors import AMPError
from wildrobot_gym.config import build
from wildrobot_gym.env.registration import ENV_ID
from wildrobot_gym.errors import ConfigError, WildRobotError, unknown_name
from wildrobot_gym.evaluation.benchmark import check_protocol
from wildrobot_gym.paths import STUDIES
from wildrobot_gym.physics import check_backend
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.config import RunConfig, find_config, yaml_io
from wildrobot_gym.training.policy import find_policy
from wildrobot_gym.training.resume import MAY_CHANGE

# Of a run's settings, those that its final policy does not depend on. How long it trains is not among them.
UNSEEN = {"seed", *MAY_CHANGE} - {"n_timesteps"}
_ABSENT = "-"  # a key that the other settings have
# Of `amp:`, defaults that have since become others: an old digest means what it did.
_FIRST_AMP = {"normalization": "spectral", "held_out_fraction": 0.0}


@dataclass(frozen=True)
class Study:
    """Every arm is trained with every seed; the final policies (not the best by evaluation) go through the walk benchmark.

    ``arms``: by name, settings on top of ``config`` and ``set``, keys dotted as with ``--set``; an arm's ``config`` takes
    another run config in place of the study's. ``against``: the arm that differences are told against; null: the first.
    """

    arms: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)  # one must be given
    config: str = "walk_amp"
    set: Mapping[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0, 1, 2)
    against: str | None = None
    commands: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8)  # m/s
    episodes: int = 32  # for each command

    def __post_init__(self) -> None:
        if not self.arms:
            raise ConfigError(
                "A study needs arms: a mapping from a name to its settings, e.g. arms: {base: {}}."
            )
        if not self.seeds or len({*self.seeds}) < len(self.seeds):
            raise ConfigError(f"seeds is {list(self.seeds)}; allowed: one or more, each once.")
        check_protocol(self.commands, self.episodes)
        if self.against is not None and self.against not in self.arms:
            raise ConfigError(unknown_name("arm in against", self.against, self.arms))

    @property
    def baseline(self) -> str:
        """The arm that differences are told against."""
        return self.against or next(iter(self.arms))

    def resolve(self) -> dict[str, RunConfig]:
        """Each arm's checked run config, with the seed of the first run.

        Raises:
            ConfigError: names the arm.
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
            raise ConfigError("seed cannot be set; a study's runs have those in its seeds.")
        for key, value in changes.items():
            run_config.override(values, str(key), value)
        config = run_config.from_mapping({**values, "seed": self.seeds[0]})
        if config.env.env_id != ENV_ID:
            raise ConfigError(
                f"env_id is {config.env.env_id!r}; allowed: {ENV_ID}, whose walk benchmark judges the policies."
            )
        # What is not there is found before the first run.
        _ = config.reference and config.reference.path, config.env.arguments()
        RobotModel.load(config.env.settings.robot)
        check_backend(config.env.backend)
        if config.trained_agent is not None:
            find_policy(config.trained_agent)
        return config


def load_study(study: str) -> tuple[str, Study]:
    """A study's name and settings, from a file's path or a shipped name.

    Raises:
        ConfigError: unknown file, key or value; says what is allowed.
    """
    path = find_config(study, "study", STUDIES)
    values = yaml_io.read(path)
    try:
        return path.stem, build(Study, values, "")
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def digest(config: RunConfig) -> str:
    """Twelve hex digits of everything in a run config that its final policy depends on, the seed aside.

    What stands at its first default is left out, so that a new setting does not orphan the runs that are there, and 10 is
    10.0.
    The digest knows settings alone: neither the code nor what is in the files that they name.
    """
    found = config.resolved()
    amp = None if config.amp is None else {"reference": "", **_FIRST_AMP}
    defaults = run_config.from_mapping({"n_timesteps": 1, "amp": amp}).resolved()
    told = {
        key: found.get(key, _ABSENT)
        for key in {**defaults, **found}
        if key.partition(".")[0] not in UNSEEN
        and found.get(key, _ABSENT) != defaults.get(key, _ABSENT)
    }
    text = json.dumps(json.loads(json.dumps(told), parse_int=float), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
