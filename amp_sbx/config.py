"""Settings of AMP: one frozen dataclass, validated when it is made."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from amp_sbx.checks import check_choice, check_integer, check_number, reject_unknown
from amp_sbx.discriminator import ACTIVATIONS, NORMALIZATIONS
from amp_sbx.errors import ConfigError
from amp_sbx.losses import DISCRIMINATOR_LOSSES
from amp_sbx.schedule import ramp
from amp_sbx.style_reward import STYLE_REWARDS


@dataclass(frozen=True)
class WeightSchedule:
    """Multiplier on `AMPConfig.weight` as a function of environment steps; the default is constantly 1."""

    initial: float = 1.0
    ramp_start: float = 0.0
    ramp_end: float = 0.0
    final: float = 1.0

    def __post_init__(self) -> None:
        for item in fields(self):
            check_number(f"amp.schedule.{item.name}", getattr(self, item.name), 0.0)
        if self.ramp_end < self.ramp_start:
            raise ConfigError(
                f"amp.schedule: ramp_end {self.ramp_end} lies before ramp_start {self.ramp_start}; swap them."
            )

    def __call__(self, num_timesteps: float) -> float:
        return ramp(num_timesteps, self.initial, self.ramp_start, self.ramp_end, self.final)


@dataclass(frozen=True)
class AMPConfig:
    """AMP settings (names and defaults of seed v0.6.0 where it has them).

    Attributes:
        weight: weight of the style reward, times `schedule`.
        task_weight: weight of the raw task reward (a time-out's bootstrap is never rescaled).
        schedule: multiplier on `weight` over environment steps.
        disc_lr: Adam learning rate of the discriminator.
        batch_size: real samples, and as many policy samples, in one discriminator step.
        update_steps: discriminator steps an iteration.
        discriminator_hidden, normalization, activation: see `discriminator.Discriminator`.
        loss, target_real, target_fake: key of `losses.DISCRIMINATOR_LOSSES` and its targets.
        reward: key of `style_reward.STYLE_REWARDS`.
        r1_gamma: R1 coefficient; the loss gets `r1_gamma / 2` times the penalty.
        disc_input_noise_std: Gaussian noise on the discriminator's training inputs, in normalised units.
        replay_buffer_size: policy samples kept from earlier iterations; 0 is off.
        replay_buffer_ratio: share of a discriminator step's policy samples taken from that history.
        max_grad_norm: global gradient norm of the discriminator.
        feature_min_std, feature_clip: see `normalizer.fit_normalizer`.
    """

    weight: float = 0.5
    task_weight: float = 1.0
    schedule: WeightSchedule = field(default_factory=WeightSchedule)
    disc_lr: float = 1e-4
    batch_size: int = 2048
    update_steps: int = 3
    discriminator_hidden: tuple[int, ...] = (1024, 512, 256)
    normalization: str = "spectral"
    activation: str = "elu"
    loss: str = "lsgan"
    target_real: float = 1.0
    target_fake: float = 0.0
    reward: str = "clip"
    r1_gamma: float = 5.0
    disc_input_noise_std: float = 0.02
    replay_buffer_size: int = 100_000
    replay_buffer_ratio: float = 0.5
    max_grad_norm: float = 0.5
    feature_min_std: float = 1e-2
    feature_clip: float = 10.0

    def __post_init__(self) -> None:
        # Lists come from YAML and JSON; tuples keep the config hashable, which jit's static arguments need.
        if isinstance(self.discriminator_hidden, list):
            object.__setattr__(self, "discriminator_hidden", tuple(self.discriminator_hidden))
        if isinstance(self.schedule, Mapping):
            reject_unknown("amp.schedule", self.schedule, [item.name for item in fields(WeightSchedule)])
            object.__setattr__(self, "schedule", WeightSchedule(**self.schedule))
        for name in ("weight", "task_weight", "r1_gamma", "disc_input_noise_std"):
            check_number(f"amp.{name}", getattr(self, name), 0.0)
        for name in ("disc_lr", "max_grad_norm", "feature_min_std", "feature_clip"):
            check_number(f"amp.{name}", getattr(self, name), 0.0, open_low=True)
        check_number("amp.replay_buffer_ratio", self.replay_buffer_ratio, 0.0, 1.0)
        for name, low in (("batch_size", 1), ("update_steps", 1), ("replay_buffer_size", 0)):
            check_integer(f"amp.{name}", getattr(self, name), low)
        for name in ("target_real", "target_fake"):
            check_number(f"amp.{name}", getattr(self, name), -math.inf)
        if self.target_real <= self.target_fake:
            raise ConfigError(
                f"amp.target_real {self.target_real} must be greater than amp.target_fake {self.target_fake}."
            )
        if not isinstance(self.discriminator_hidden, tuple) or not self.discriminator_hidden:
            raise ConfigError(
                f"amp.discriminator_hidden is {self.discriminator_hidden!r}; give a list of widths, "
                "e.g. [1024, 512, 256]."
            )
        for width in self.discriminator_hidden:
            check_integer("amp.discriminator_hidden", width, 1)
        check_choice("amp.normalization", self.normalization, NORMALIZATIONS)
        check_choice("amp.activation", self.activation, ACTIVATIONS)
        check_choice("amp.loss", self.loss, DISCRIMINATOR_LOSSES)
        check_choice("amp.reward", self.reward, STYLE_REWARDS)
        if not isinstance(self.schedule, WeightSchedule):
            raise ConfigError(
                f"amp.schedule is {self.schedule!r}; give a mapping with initial, ramp_start, ramp_end, final."
            )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "AMPConfig":
        """Build from a plain mapping (YAML, JSON). An unknown key raises `ConfigError` and names the nearest one."""
        reject_unknown("amp", values, [item.name for item in fields(cls)])
        return cls(**values)

    @classmethod
    def coerce(cls, value: "AMPConfig | Mapping[str, Any] | None") -> "AMPConfig | None":
        """`None` and a config as they are, a mapping through `from_dict`; anything else raises `ConfigError`."""
        if value is None or isinstance(value, cls):
            return value
        if isinstance(value, Mapping):
            return cls.from_dict(value)
        raise ConfigError(f"amp is a {type(value).__name__}; give an AMPConfig, a dict of its fields, or None.")

    def to_dict(self) -> dict[str, Any]:
        """JSON-able dict; `from_dict` of it gives an equal config."""
        return asdict(self) | {"discriminator_hidden": list(self.discriminator_hidden)}

    @property
    def threshold(self) -> float:
        """Score midway between the two targets, where a sample counts as real."""
        return 0.5 * (self.target_real + self.target_fake)

    def style_weight(self, num_timesteps: float) -> float:
        """Weight of the style reward after `num_timesteps` environment steps."""
        return self.weight * self.schedule(num_timesteps)
