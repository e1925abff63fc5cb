"""One training run as one YAML file: rl-zoo's keys, an ``amp`` section, and an ``eval`` section."""

from __future__ import annotations

import dataclasses
import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from sbx import PPO

from amp_sbx.algorithm.cloning import CloningConfig
from amp_sbx.common.schedules import parse_schedule
from amp_sbx.discriminator.config import AMPConfig
from wildrobot_gym import config as env_config
from wildrobot_gym.config import EnvConfig, TrackEnvConfig, build
from wildrobot_gym.env.registration import ENV_ID, TRACK_ENV_ID
from wildrobot_gym.errors import ConfigError, unknown_name
from wildrobot_gym.evaluation.benchmark import check_protocol
from wildrobot_gym.files import file_digest
from wildrobot_gym.paths import CONFIGS, MOTIONS, motion_file
from wildrobot_gym.training import yaml_io
from wildrobot_gym.training.policy_kwargs import parse_policy_kwargs

ENV_CONFIGS: dict[str, type[EnvConfig]] = {ENV_ID: EnvConfig, TRACK_ENV_ID: TrackEnvConfig}
ENV_ARGUMENTS = (
    "max_episode_steps",
    "backend",
    "num_threads",
    "reference",
)  # of the environment beside EnvConfig
MOTION_DIGESTS = "motions"  # in a policy's file: SHA-256 of the files it learned from, by name
OWN_AMP_KEYS = (
    "reference",
    "warm_start",
    "score_temperature",
)  # in the amp section beside AMPConfig's
_AT_LEAST_ONE = (
    "n_envs",
    "n_timesteps",
    "n_steps",
    "n_epochs",
    "checkpoint_every",
    "keep_checkpoints",
)


@dataclass(frozen=True)
class EvalSettings:
    """A short walk benchmark while training: every ``every`` environment steps (0: never); the best policy is kept."""

    every: int = 1_000_000
    commands: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8)
    episodes: int = 8  # for each command
    steps: int | None = None  # of an episode; None: the benchmark's 10 s
    seed: int = 7

    def __post_init__(self) -> None:
        if self.every < 0:
            raise ConfigError(
                f"eval.every is {self.every}; allowed: environment steps, or 0 for never."
            )
        try:
            check_protocol(self.commands, self.episodes, self.steps, self.seed)
        except ConfigError as error:
            raise ConfigError(f"eval: {error}") from error


@dataclass(frozen=True)
class RunConfig:
    """Everything that defines a run. Names and meanings are rl-zoo's and Stable-Baselines3's where they have them.

    ``amp`` (null: plain PPO) holds ``amp_sbx.AMPConfig``'s fields; ``reference``, the name of a shipped motion or a path;
    ``score_temperature`` (1), of the draw among its segments by their scores; and ``warm_start`` (null: none),
    ``amp_sbx.CloningConfig``'s fields, which fits the fresh policy to that reference.
    ``env_kwargs`` are WildRobot-v0's settings. ``checkpoint_every`` counts environment steps. ``trained_agent``: a policy's
    file, run folder or shipped name whose networks the run begins with, in place of random ones and of a warm start.
    """

    n_timesteps: int = 0  # must be given
    env_id: str = ENV_ID
    n_envs: int = 1024
    n_steps: int = 32
    batch_size: int = 8192
    n_epochs: int = 4
    learning_rate: Any = 5e-4
    gamma: float = 0.97
    gae_lambda: float = 0.95
    clip_range: Any = 0.2
    clip_range_vf: Any = None
    ent_coef: float = 0.0
    vf_coef: float = 0.5
    max_grad_norm: float = 0.5
    target_kl: float | None = None
    normalize_advantage: bool = True
    policy: str = "MlpPolicy"
    policy_kwargs: Any = None
    env_kwargs: dict[str, Any] = field(default_factory=dict)
    symmetric_policy: bool = False
    amp: dict[str, Any] | None = None
    trained_agent: str | None = None
    seed: int = 0
    checkpoint_every: int = 1_000_000
    keep_checkpoints: int = 2
    eval: EvalSettings = field(default_factory=EvalSettings)

    def __post_init__(self) -> None:
        if self.env_id not in ENV_CONFIGS:
            raise ConfigError(unknown_name("env_id", self.env_id, ENV_CONFIGS))
        if self.env_id != ENV_ID and self.eval.every:
            raise ConfigError(
                f"eval.every is {self.eval.every}, but {self.env_id} has no walk benchmark; set it to 0."
            )
        for name in _AT_LEAST_ONE:
            if getattr(self, name) < 1:
                raise ConfigError(
                    f"{name} is {getattr(self, name)}; allowed: a whole number, 1 or more."
                )
        if self.batch_size < 2:
            raise ConfigError(
                f"batch_size is {self.batch_size}; allowed: a whole number, 2 or more."
            )
        for name in ("gamma", "gae_lambda"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} is {getattr(self, name)}; allowed: 0 to 1.")
        for name in ("ent_coef", "vf_coef"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ConfigError(
                    f"{name} is {getattr(self, name)}; allowed: a finite number, 0 or more."
                )
        if not 0 < self.max_grad_norm < math.inf:
            raise ConfigError(
                f"max_grad_norm is {self.max_grad_norm}; allowed: a finite number above 0."
            )
        if not 0 <= self.seed < 2**32:
            raise ConfigError(f"seed is {self.seed}; allowed: 0 to {2**32 - 1}.")
        if self.policy not in PPO.policy_aliases:
            raise ConfigError(unknown_name("policy", self.policy, PPO.policy_aliases))
        for name in ("learning_rate", "clip_range", "clip_range_vf"):
            if name == "clip_range_vf" and self.clip_range_vf is None:
                continue
            schedule = parse_schedule(getattr(self, name), name)
            if not callable(schedule) and not 0 < schedule < math.inf:
                raise ConfigError(
                    f"{name} is {schedule}; allowed: a positive number, or 'lin_<number>'."
                )
        object.__setattr__(self, "policy_kwargs", parse_policy_kwargs(self.policy_kwargs))
        _check_env_kwargs(self.env_kwargs, ENV_CONFIGS[self.env_id])
        if self.amp is not None:
            _check_amp_keys(self.amp)
            amp, _ = (
                self.amp_config,
                (self.warm_start, self.score_temperature),
            )  # now: a wrong value is found before the run
            if amp is not None and (beyond := amp.beyond(self.n_timesteps)):
                raise ConfigError(
                    f"{' '.join(beyond)} Plan it, with what it may wait, within n_timesteps, or raise that."
                )

    @property
    def amp_config(self) -> AMPConfig | None:
        """The AMP settings less what is the command line's own."""
        if self.amp is None:
            return None
        return AMPConfig.from_dict(
            {name: value for name, value in self.amp.items() if name not in OWN_AMP_KEYS}
        )

    @property
    def warm_start(self) -> CloningConfig | None:
        """How a fresh policy is first fitted to the reference; None: it starts cold."""
        settings = (self.amp or {}).get("warm_start")
        return None if settings is None else build(CloningConfig, settings, "amp.warm_start")

    @property
    def score_temperature(self) -> float:
        """Of the softmax over the scores of the reference's segments."""
        value = (self.amp or {}).get("score_temperature", 1.0)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not 0 < value < math.inf
        ):
            raise ConfigError(f"amp.score_temperature is {value!r}; allowed: a positive number.")
        return float(value)

    @property
    def reference_path(self) -> Path | None:
        """The file of the reference motion."""
        return None if self.amp is None else find_motion(str(self.amp["reference"]))

    def motion_digests(self) -> dict[str, str]:
        """SHA-256 of every file of reference motion that the run reads, by its name here: a file made anew keeps its name."""
        names = {
            str(part["reference"])
            for part in (self.amp or {}, self.env_kwargs)
            if part.get("reference") is not None
        }
        return {name: file_digest(find_motion(name)) for name in sorted(names)}

    def env_settings(self) -> dict[str, Any]:
        """``env_kwargs`` with the reference's name resolved to its file."""
        settings = dict(self.env_kwargs)
        if settings.get("reference") is not None:
            settings["reference"] = str(find_motion(str(settings["reference"])))
        return settings

    def to_dict(self) -> dict[str, Any]:
        """Plain YAML types; :func:`from_mapping` takes them back."""
        return env_config.to_dict(self)

    def resolved(self) -> dict[str, Any]:
        """:meth:`spelled_out` by dotted key: equal where two runs are."""
        return dotted(self.spelled_out())

    def spelled_out(self) -> dict[str, Any]:
        """All settings as plain YAML types, with the defaults in ``env_kwargs`` and ``amp``, which may be others one day."""
        settings, env = ENV_CONFIGS[self.env_id], self.env_kwargs
        values = self.to_dict()
        inner = build(
            settings, {name: value for name, value in env.items() if name not in ENV_ARGUMENTS}
        )
        values["env_kwargs"] = {**env, **env_config.to_dict(inner)}
        if self.amp is not None and self.amp_config is not None:
            own = {"reference": self.amp["reference"], "score_temperature": self.score_temperature}
            warm_start = env_config.to_dict(self.warm_start) if self.warm_start else None
            values["amp"] = {**own, "warm_start": warm_start, **self.amp_config.to_dict()}
        return values


def dotted(settings: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """``{"amp": {"weight": 0.4}}`` as ``{"amp.weight": 0.4}``."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            flat |= dotted(value, f"{above}{key}.")
        else:
            flat[f"{above}{key}"] = value
    return flat


def load(config: str, overrides: Sequence[str] = (), seed: int | None = None) -> RunConfig:
    """A run config from a file's path or a shipped name, with ``key=value`` overrides (dotted keys, YAML values).

    Raises:
        ConfigError: unknown file, key or value; says what is allowed.
    """
    values = read_mapping(config)
    override_all(values, overrides)
    if seed is not None:
        values["seed"] = seed
    return from_mapping(values)


def read_mapping(config: str) -> dict[str, Any]:
    """The file's mapping; rl-zoo's form with the environment's id around it is taken too."""
    path = find_config(config)
    values = yaml_io.read(path)
    if (
        isinstance(values, Mapping)
        and len(values) == 1
        and (env_id := next(iter(values))) in ENV_CONFIGS
    ):
        inner = values[env_id] or {}
        values = {"env_id": env_id, **inner} if isinstance(inner, Mapping) else inner
    if not isinstance(values, Mapping):
        raise ConfigError(f"{path} must hold a mapping of settings, got {type(values).__name__}.")
    values = dict(values)
    if isinstance(
        values.get("policy_kwargs"), str
    ):  # rl-zoo's text form: a mapping, so that overrides can reach in
        values["policy_kwargs"] = parse_policy_kwargs(values["policy_kwargs"])
    return values


def override(values: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key of a run's mapping, in place; a section on its way is made where there is none.

    Raises:
        ConfigError: a key on the way holds a value.
    """
    *parents, last = key.split(".")
    section = values
    for parent in parents:
        inner = section.get(parent)
        if inner is not None and not isinstance(inner, Mapping):
            raise ConfigError(
                f"{key} cannot be set: {parent!r} is no section, its value is {inner!r}."
            )
        section[parent] = dict(inner or {})
        section = section[parent]
    section[last] = value


def override_all(values: dict[str, Any], overrides: Sequence[str]) -> None:
    """:func:`override` by texts ``key=value``, the value in YAML.

    Raises:
        ConfigError: a text is not of that form, or as :func:`override`.
    """
    for item in overrides:
        key, equals, text = item.partition("=")
        if not equals or not key:
            raise ConfigError(f"--set {item!r} is no key=value; write e.g. --set amp.weight=0.2.")
        override(values, key.strip(), yaml_io.parse(text, f"--set {key}"))


def from_mapping(values: Mapping[str, Any]) -> RunConfig:
    """A checked :class:`RunConfig`; whole floats (1e6) count as whole numbers where those are needed."""
    values = _whole_numbers(RunConfig, values)
    if "eval" in values:
        settings = (
            {"every": 0} if values["eval"] is None else values["eval"]
        )  # null is off, as it is for amp
        values["eval"] = (
            _whole_numbers(EvalSettings, settings) if isinstance(settings, Mapping) else settings
        )
    return build(RunConfig, values)


def find_config(config: str, what: str = "config", folder: Path = CONFIGS) -> Path:
    """A path, or the name of a shipped config (of a shipped ``what`` in ``folder``)."""
    for path in (Path(config), folder / f"{config}.yaml"):
        if path.is_file():
            return path
    _missing(what, config, folder, "yaml")


def find_motion(name: str) -> Path:
    """A path, or the name of a shipped reference motion."""
    path = motion_file(name)
    if path.is_file():
        return path
    _missing("reference motion", name, MOTIONS, "npz")


def _missing(what: str, name: str, folder: Path, suffix: str) -> NoReturn:
    shipped = sorted(path.stem for path in folder.glob(f"*.{suffix}"))
    raise ConfigError(unknown_name(what, name, shipped) + f" Or give the path of a .{suffix} file.")


def _whole_numbers(cls: type, values: Mapping[str, Any]) -> dict[str, Any]:
    whole = {f.name for f in dataclasses.fields(cls) if f.type in ("int", "int | None")}
    return {
        key: int(value)
        if key in whole and isinstance(value, float) and value.is_integer()
        else value
        for key, value in values.items()
    }


def _check_env_kwargs(env_kwargs: Mapping[str, Any], config: type[EnvConfig]) -> None:
    settings = {f.name for f in dataclasses.fields(config)}
    for key in env_kwargs:
        if key not in settings and key not in ENV_ARGUMENTS:
            raise ConfigError(unknown_name("key in env_kwargs", key, settings.union(ENV_ARGUMENTS)))
    build(config, {k: v for k, v in env_kwargs.items() if k in settings}, "env_kwargs")


def _check_amp_keys(amp: Mapping[str, Any]) -> None:
    allowed = set(inspect.signature(AMPConfig).parameters).union(OWN_AMP_KEYS)
    for key in amp:
        if key not in allowed:
            raise ConfigError(unknown_name("key in amp", key, allowed))
    if amp.get("reference") is None:
        raise ConfigError(
            "amp.reference is missing: name the motion to imitate, or set amp to null for plain PPO."
        )
