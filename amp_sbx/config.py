"""Settings of AMP: one frozen dataclass, validated when it is made."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from amp_sbx.checks import check_choice, check_integer, check_number, reject_unknown
from amp_sbx.discriminator import ACTIVATIONS, NORMALIZATIONS
from amp_sbx.errors import ConfigError
from amp_sbx.losses import DISCRIMINATOR_LOSSES, GRADIENT_PENALTIES
from amp_sbx.schedule import ramp
from amp_sbx.style_reward import REWARDS_OF_LOSS, STYLE_REWARDS

MIXES = ("sum", "lerp")
CRITICS = ("shared", "separate")
ORDERS = ("reward_first", "update_first")


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
        mix: `sum` of the two, or `lerp`: the task's share is one less the style's weight, times `task_weight`.
        schedule: multiplier on `weight` over environment steps.
        order: `reward_first`: a rollout is paid by the discriminator in force while it was collected, which is then updated;
            `update_first`: by the one that has already learned from it (before seed v0.6.0).
        disc_lr: Adam learning rate of the discriminator.
        batch_size: real samples, and as many policy samples, in one discriminator step.
        update_steps: discriminator steps an iteration.
        discriminator_hidden, normalization, activation: see `discriminator.Discriminator`.
        loss, target_real, target_fake: key of `losses.DISCRIMINATOR_LOSSES` and its targets.
        label_smoothing: share of the way from the real target to the fake one by which the real target is moved in training.
        reward: key of `style_reward.STYLE_REWARDS`; it must fit the loss (`style_reward.REWARDS_OF_LOSS`).
        gradient_penalty: `r1` on real samples, `wgan_gp` between real and policy samples, or `none`.
        r1_gamma: R1 coefficient; the loss gets `r1_gamma / 2` times the penalty.
        gp_lambda: WGAN-GP coefficient.
        weight_decay: of AdamW; 0 is plain Adam.
        disc_input_noise_std: Gaussian noise on the discriminator's training inputs, in normalised units.
        replay_buffer_size: policy samples kept from earlier iterations; 0 is off.
        replay_buffer_ratio: share of a discriminator step's policy samples taken from that history.
        max_grad_norm: global gradient norm of the discriminator.
        critic: `shared`, one critic of the weighted sum of rewards; `separate`, one more for the style alone: advantages are
            then normalised each by itself, and the weights are on those (`update.estimate`). `AMPPPO` only.
        symmetry: show the discriminator the mirror image of every reference row, and of half of the policy's, by the
            environment's `mirror`: for motion that has one side only, where either would do.
        held_out_share: of the reference's motions (or rows) that are never learned from: `amp/held_out_auc` is judged by them.
        feature_min_std, feature_clip: see `normalizer.fit_normalizer`.
    """

    weight: float = 0.5
    task_weight: float = 1.0
    mix: str = "sum"
    schedule: WeightSchedule = field(default_factory=WeightSchedule)
    order: str = "reward_first"
    disc_lr: float = 1e-4
    batch_size: int = 2048
    update_steps: int = 3
    discriminator_hidden: tuple[int, ...] = (1024, 512, 256)
    normalization: str = "spectral"
    activation: str = "elu"
    loss: str = "lsgan"
    target_real: float = 1.0
    target_fake: float = 0.0
    label_smoothing: float = 0.0
    reward: str = "clip"
    gradient_penalty: str = "r1"
    r1_gamma: float = 5.0
    gp_lambda: float = 10.0
    weight_decay: float = 0.0
    disc_input_noise_std: float = 0.02
    replay_buffer_size: int = 100_000
    replay_buffer_ratio: float = 0.5
    max_grad_norm: float = 0.5
    critic: str = "shared"
    symmetry: bool = False
    held_out_share: float = 0.0
    feature_min_std: float = 1e-2
    feature_clip: float = 10.0

    def __post_init__(self) -> None:
        # Lists come from YAML and JSON; tuples keep the config hashable, which jit's static arguments need.
        if isinstance(self.discriminator_hidden, list):
            object.__setattr__(self, "discriminator_hidden", tuple(self.discriminator_hidden))
        if isinstance(self.schedule, Mapping):
            reject_unknown("amp.schedule", self.schedule, [item.name for item in fields(WeightSchedule)])
            object.__setattr__(self, "schedule", WeightSchedule(**self.schedule))
        for name in ("weight", "task_weight", "r1_gamma", "gp_lambda", "weight_decay", "disc_input_noise_std"):
            check_number(f"amp.{name}", getattr(self, name), 0.0)
        for name in ("disc_lr", "max_grad_norm", "feature_min_std", "feature_clip"):
            check_number(f"amp.{name}", getattr(self, name), 0.0, open_low=True)
        for name in ("replay_buffer_ratio", "label_smoothing"):
            check_number(f"amp.{name}", getattr(self, name), 0.0, 1.0)
        check_number("amp.held_out_share", self.held_out_share, 0.0, 0.5)
        if not isinstance(self.symmetry, bool):
            raise ConfigError(f"amp.symmetry is {self.symmetry!r}; allowed: true or false.")
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
        check_choice("amp.gradient_penalty", self.gradient_penalty, GRADIENT_PENALTIES)
        check_choice("amp.mix", self.mix, MIXES)
        check_choice("amp.critic", self.critic, CRITICS)
        check_choice("amp.order", self.order, ORDERS)
        self._check_pairs()
        if not isinstance(self.schedule, WeightSchedule):
            raise ConfigError(
                f"amp.schedule is {self.schedule!r}; give a mapping with initial, ramp_start, ramp_end, final."
            )

    def _check_pairs(self) -> None:
        """Settings that are possible alone but not together."""
        if self.reward not in REWARDS_OF_LOSS[self.loss]:
            fitting = ", ".join(loss for loss, rewards in REWARDS_OF_LOSS.items() if self.reward in rewards)
            raise ConfigError(
                f"amp.reward {self.reward!r} cannot read the scores of amp.loss {self.loss!r}; allowed with it:"
                f" {', '.join(REWARDS_OF_LOSS[self.loss])}; {self.reward!r} goes with: {fitting}."
            )
        if self.loss == "bce" and (self.target_fake < 0.0 or self.target_real > 1.0):
            raise ConfigError(
                f"amp.target_real {self.target_real} and amp.target_fake {self.target_fake} are probabilities with amp.loss"
                " 'bce'; allowed: 0 to 1."
            )
        if self.loss == "wgan" and self.gradient_penalty == "none":
            raise ConfigError("amp.loss 'wgan' needs an amp.gradient_penalty, 'wgan_gp' or 'r1': nothing else bounds its critic.")
        if self.mix == "lerp" and self.weight * max(self.schedule.initial, self.schedule.final) > 1.0:
            raise ConfigError(
                f"amp.weight {self.weight} times amp.schedule exceeds 1, and amp.mix is 'lerp'; allowed: up to 1, all there is."
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
        """Score from which on a sample counts as real: midway between two targets, 0 of a logit or a critic."""
        return 0.5 * (self.target_real + self.target_fake) if self.loss == "lsgan" else 0.0

    @property
    def smoothed_target(self) -> float:
        """The real samples' target in training."""
        return self.target_real - self.label_smoothing * (self.target_real - self.target_fake)

    def style_weight(self, num_timesteps: float) -> float:
        """Weight of the style reward after `num_timesteps` environment steps."""
        return self.weight * self.schedule(num_timesteps)

    def task_share(self, style_weight: float) -> float:
        """Weight of the task's reward beside a style reward of that weight."""
        return self.task_weight * (1.0 - style_weight if self.mix == "lerp" else 1.0)
