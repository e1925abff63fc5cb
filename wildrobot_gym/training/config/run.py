"""All settings of one training run."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from amp_sbx.discriminator.config import AMPConfig
from wildrobot_gym.config import to_dict
from wildrobot_gym.env.registration import ENV_ID
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.files import file_digest
from wildrobot_gym.physics.backends import AUTO
from wildrobot_gym.training.config.names import find_motion
from wildrobot_gym.training.config.overrides import dotted
from wildrobot_gym.training.config.sections import (
    EnvRun,
    EvalSettings,
    PPOSettings,
    ReferenceSettings,
    WandbSettings,
    at_least_one,
)

# Environment steps. On a CPU the fused loop is a tenth faster, but compiles at every start: JAX
# keeps no program with a callback on the disk.
FUSED_PAYS_FROM = 2_000_000


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Everything that defines a training run.

    `load` and `from_mapping` make one from the flat form of rl-zoo's files. `to_mapping` is the
    inverse.

    Raises:
        ConfigError: A value is out of range. The message says what is allowed.
    """

    n_timesteps: int
    """Environment steps to train for."""
    env: EnvRun = field(default_factory=EnvRun)
    ppo: PPOSettings = field(default_factory=PPOSettings)
    amp: AMPConfig | None = None
    """None for plain PPO."""
    reference: ReferenceSettings | None = None
    """None without AMP."""
    trained_agent: str | None = None
    """Policy whose networks the run starts with: a file, a run directory or a shipped name."""
    seed: int = 0
    """Random seed of the environments and the networks."""
    checkpoint_every: int = 1_000_000
    """Environment steps between two checkpoints."""
    keep_checkpoints: int = 2
    """Number of the newest checkpoints to keep."""
    eval: EvalSettings = field(default_factory=EvalSettings)
    wandb: WandbSettings = field(default_factory=WandbSettings)

    def __post_init__(self) -> None:
        at_least_one(self, "n_timesteps", "checkpoint_every", "keep_checkpoints")
        if self.env.env_id != ENV_ID and self.eval.every:
            raise ConfigError(
                f"eval.every is {self.eval.every}, but {self.env.env_id} has no walk benchmark."
                " Set it to 0."
            )
        if not 0 <= self.seed < 2**32:
            raise ConfigError(f"seed is {self.seed}; allowed: 0 to {2**32 - 1}.")
        if (self.amp is None) != (self.reference is None):
            raise ConfigError("AMP needs both amp and reference; plain PPO has neither.")
        if self.ppo.critic_obs and not self.env.settings.privileged:
            raise ConfigError(
                "critic_obs is true, but env_kwargs.privileged names no channels that the critic"
                " sees. Name some, such as [root_lin_vel], or set critic_obs to false."
            )
        if self.amp is not None and (late := self.amp.unreachable(self.n_timesteps)):
            raise ConfigError(
                f"{' '.join(late)} Move it, with the steps it may wait, to within n_timesteps,"
                " or raise that."
            )

    def on_this_machine(self) -> RunConfig:
        """The same with the engine that the backend "auto" stands for here.

        On a CPU this is "native-jax" where the loop is to be fused: if `collect` says so, or leaves
        the choice and the run is long.

        Raises:
            PhysicsError: There is no such engine, or this machine cannot run it.
        """
        env = self.env.on_this_machine()
        long = self.n_timesteps >= FUSED_PAYS_FROM
        fused = self.ppo.collect == "fused" or (self.ppo.collect == "auto" and long)
        if self.env.backend == AUTO and env.backend == "native" and fused:
            env = replace(env, backend="native-jax")
        return replace(self, env=env)

    def motion_digests(self, folder: Path = Path()) -> dict[str, str]:
        """SHA-256 of every reference motion that the run reads, by its name here.

        A file can be made again under the same name; its digest then differs.

        Args:
            folder: Where relative paths begin; the working directory by default.

        Raises:
            ConfigError: There is no such motion.
        """
        names = {self.env.reference, self.reference.name if self.reference else None} - {None}
        return {
            name: file_digest(find_motion(name, folder)) for name in sorted(filter(None, names))
        }

    def to_mapping(self) -> dict[str, Any]:
        """All settings in the flat form, as plain YAML types, with every default written out.

        A default may change in a later version; the file then still says what the run used.
        """
        amp: dict[str, Any] | None = None
        if self.amp is not None and self.reference is not None:
            warm_start = self.reference.warm_start
            amp = {
                "reference": self.reference.name,
                "score_temperature": self.reference.score_temperature,
                "warm_start": None if warm_start is None else to_dict(warm_start),
                **self.amp.to_dict(),
            }
        return {
            "n_timesteps": self.n_timesteps,
            "env_id": self.env.env_id,
            "n_envs": self.env.n_envs,
            **to_dict(self.ppo),
            "env_kwargs": self.env.env_kwargs(),
            "amp": amp,
            **{name: getattr(self, name) for name in RUN_KEYS if name != "n_timesteps"},
            "eval": to_dict(self.eval),
            "wandb": to_dict(self.wandb),
        }

    def resolved(self) -> dict[str, Any]:
        """`to_mapping` with dotted keys; two runs are the same where these are equal."""
        return dotted(self.to_mapping())


RUN_KEYS = tuple(
    item.name
    for item in fields(RunConfig)
    if item.name not in ("env", "ppo", "amp", "reference", "eval", "wandb")
)  # of the flat form, with the same name here
