"""The sections of a run's settings."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from sbx import PPO

from amp_sbx.algorithm.cloning import CloningConfig
from amp_sbx.algorithm.fused_env import COLLECT
from amp_sbx.algorithm.symmetry import parse_way
from amp_sbx.common.schedules import parse_schedule
from wildrobot_gym.config import to_dict
from wildrobot_gym.env.registration import ENV_ID, MAX_EPISODE_STEPS, TRACK_ENV_ID
from wildrobot_gym.errors import ConfigError, unknown_name
from wildrobot_gym.evaluation.protocol import check_protocol
from wildrobot_gym.evaluation.suites.catalog import chosen_suites
from wildrobot_gym.physics.backends import AUTO, resolve_backend
from wildrobot_gym.task.config import EnvConfig, TrackEnvConfig
from wildrobot_gym.training.config.names import find_motion
from wildrobot_gym.training.config.policy_kwargs import parse_policy_kwargs

ENV_CONFIGS: dict[str, type[EnvConfig]] = {ENV_ID: EnvConfig, TRACK_ENV_ID: TrackEnvConfig}
# In env_kwargs beside the fields of EnvConfig.
ENV_ARGUMENTS = ("max_episode_steps", "backend", "num_threads", "reference")


# Of `PPOSettings`: how a run is computed on a machine. A policy's file does not hold them.
LOOP_SETTINGS = ("collect", "iterations_per_call", "devices")


def at_least_one(section: Any, *names: str) -> None:
    """Raise ConfigError where one of the section's numbers is below 1."""
    for name in names:
        if getattr(section, name) < 1:
            raise ConfigError(
                f"{name} is {getattr(section, name)}; allowed: a whole number, 1 or more."
            )


@dataclass(frozen=True, kw_only=True)
class EnvRun:
    """The environments of a run."""

    env_id: str = ENV_ID
    """`WildRobot-v0` or `WildRobotTrack-v0`."""
    n_envs: int = 1024
    """Number of environments that are stepped together."""
    settings: EnvConfig = field(default_factory=EnvConfig)
    """The environment's own settings."""
    max_episode_steps: int | None = MAX_EPISODE_STEPS
    """Time limit of an episode in control steps; None for no limit."""
    backend: str = AUTO
    """Physics engine: "native", "mjx" or "native-jax". "auto" is "mjx" on an
    accelerator, else "native", or "native-jax" for a long training."""
    num_threads: int = 0
    """Threads of the native engine; 0 takes every CPU."""
    reference: str | None = None
    """Motion whose frames episodes can start in: a shipped name or a path."""

    def __post_init__(self) -> None:
        if self.env_id not in ENV_CONFIGS:
            raise ConfigError(unknown_name("env_id", self.env_id, ENV_CONFIGS))
        at_least_one(self, "n_envs")

    def on_this_machine(self) -> EnvRun:
        """The same with the engine that `backend` stands for here.

        Raises:
            PhysicsError: There is no such engine, or this machine cannot run it.
        """
        return replace(self, backend=resolve_backend(self.backend))

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments of `gym.make_vec` beside the id and the number of environments.

        Raises:
            ConfigError: There is no such reference motion.
        """
        settings = {item.name: getattr(self.settings, item.name) for item in fields(self.settings)}
        own = {name: getattr(self, name) for name in ENV_ARGUMENTS}
        if self.reference is not None:
            own["reference"] = str(find_motion(self.reference))
        return {**settings, **own}

    def env_kwargs(self) -> dict[str, Any]:
        """The same as plain YAML types, with the reference's name as it was given."""
        return {name: getattr(self, name) for name in ENV_ARGUMENTS} | to_dict(self.settings)


@dataclass(frozen=True, kw_only=True)
class PPOSettings:
    """The arguments of `AMPPPO`, with the names and meanings of Stable-Baselines3."""

    policy: str = "MlpPolicy"
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
    policy_kwargs: Any = None
    symmetric_policy: Any = "none"
    critic_learning_rate: float | None = None
    critic_obs: bool = False
    collect: str = "auto"
    iterations_per_call: int = 1
    devices: int | None = None

    def __post_init__(self) -> None:
        at_least_one(self, "n_steps", "n_epochs", "iterations_per_call")
        if self.devices is not None:
            at_least_one(self, "devices")
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
        for name in ("max_grad_norm", "critic_learning_rate"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ConfigError(f"{name} is {value}; allowed: a finite number above 0.")
        if self.collect not in COLLECT:
            raise ConfigError(unknown_name("collect", self.collect, COLLECT))
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
        object.__setattr__(self, "symmetric_policy", parse_way(self.symmetric_policy))
        object.__setattr__(self, "policy_kwargs", parse_policy_kwargs(self.policy_kwargs))

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments of `AMPPPO` beside the policy's name."""
        return {item.name: getattr(self, item.name) for item in fields(self)[1:]}


@dataclass(frozen=True, kw_only=True)
class ReferenceSettings:
    """The motion that AMP imitates."""

    name: str
    """A shipped motion or the path of an .npz file."""
    score_temperature: float = 1.0
    """Temperature of the softmax over the clips' scores by which windows are drawn."""
    warm_start: CloningConfig | None = None
    """Behavior cloning of the reference before training; None to start from random weights."""

    def __post_init__(self) -> None:
        if not 0 < self.score_temperature < math.inf:
            raise ConfigError(
                f"amp.score_temperature is {self.score_temperature:g}; allowed: a positive number."
            )

    @property
    def path(self) -> Path:
        """The motion's file.

        Raises:
            ConfigError: There is no such motion.
        """
        return find_motion(self.name)


@dataclass(frozen=True, kw_only=True)
class WandbSettings:
    """Logging to Weights & Biases, beside progress.csv and TensorBoard."""

    enabled: bool = False
    """Whether to log there. It needs the extra `wandb`."""
    project: str = "wildrobot"
    """Project of the W&B run."""
    entity: str | None = None
    """User or team that the project belongs to; None for the account's default."""


@dataclass(frozen=True, kw_only=True)
class EvalSettings:
    """The short walk benchmark during training that selects best.zip."""

    every: int = 1_000_000
    """Environment steps between two evaluations; 0 for none."""
    commands: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8)
    """Forward speeds in m/s."""
    episodes: int = 8
    """Episodes for each speed."""
    steps: int | None = None
    """Control steps of an episode; None for the benchmark's own 10 s."""
    seed: int = 7
    """Random seed of the starts."""
    suites: tuple[str, ...] = ()
    """Further suites of the benchmark that the best policy is selected by, such as `directions`."""

    def __post_init__(self) -> None:
        for name in self.suites:
            chosen_suites(name)
        if self.every < 0:
            raise ConfigError(
                f"eval.every is {self.every}; allowed: environment steps, or 0 for never."
            )
        try:
            check_protocol(self.commands, self.episodes, self.steps, self.seed)
        except ConfigError as error:
            raise ConfigError(f"eval: {error}") from error
