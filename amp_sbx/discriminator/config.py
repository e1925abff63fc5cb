"""Settings of AMP: one frozen dataclass, validated when it is made."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import jax.numpy as jnp

from amp_sbx.common.checks import (
    build_section,
    check_band,
    check_choice,
    check_flag,
    check_integer,
    check_number,
    reject_unknown,
)
from amp_sbx.common.errors import ConfigError
from amp_sbx.discriminator.config_sections import (
    ADAPT_EXAMPLE,
    SATURATION,
    SCHEDULE_EXAMPLE,
    AdaptBounds,
    Stage,
    WeightSchedule,
    stages_of,
)
from amp_sbx.discriminator.losses import DISCRIMINATOR_LOSSES, GRADIENT_PENALTIES
from amp_sbx.discriminator.network import ACTIVATIONS, NORMALIZATIONS
from amp_sbx.discriminator.rewards import REWARDS_OF_LOSS, STYLE_REWARDS, probability_of_real

MIXES = ("sum", "lerp")
CRITICS = ("shared", "separate")
ORDERS = ("reward_first", "update_first")


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
        held_out_fraction: of the reference's motions (or rows) that are never learned from: `amp/held_out_auc` is judged by them.
        feature_min_std, feature_clip: see `normalizer.fit_normalizer`.
        single_motion: a reference whose `motion_ids` name one motion alone is meant; else it is refused.
        reintroduce: channels that the discriminator does not see at first, see `config_sections.Stage`.
        adapt: whether the verdicts on the discriminator move its settings, within `adapt_bounds`; see `adapt`.
        adapt_bounds: of `update_steps`, `disc_lr` and the penalty's coefficient; `adapt` needs them.
        adapt_every: iterations between two moves.
        adapt_auc: (low, high) of the smoothed AUC outside of which a healthy discriminator is moved, too; None: it is not.
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
    normalization: str = "layer"
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
    held_out_fraction: float = 0.1
    feature_min_std: float = 1e-2
    feature_clip: float = 10.0
    single_motion: bool = False
    reintroduce: tuple[Stage, ...] = ()
    adapt: bool = False
    adapt_bounds: AdaptBounds | None = None
    adapt_every: int = 10
    adapt_auc: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        # Lists come from YAML and JSON; tuples keep the config hashable, which jit's static arguments need.
        if isinstance(self.discriminator_hidden, list):
            object.__setattr__(self, "discriminator_hidden", tuple(self.discriminator_hidden))
        schedule = build_section(WeightSchedule, "amp.schedule", self.schedule, SCHEDULE_EXAMPLE)
        object.__setattr__(self, "schedule", schedule)
        object.__setattr__(self, "reintroduce", stages_of(self.reintroduce))
        for name in (
            "weight",
            "task_weight",
            "r1_gamma",
            "gp_lambda",
            "weight_decay",
            "disc_input_noise_std",
        ):
            check_number(f"amp.{name}", getattr(self, name), 0.0)
        for name in ("disc_lr", "max_grad_norm", "feature_min_std", "feature_clip"):
            check_number(f"amp.{name}", getattr(self, name), 0.0, open_low=True)
        for name in ("replay_buffer_ratio", "label_smoothing"):
            check_number(f"amp.{name}", getattr(self, name), 0.0, 1.0)
        check_number("amp.held_out_fraction", self.held_out_fraction, 0.0, 0.5)
        for name, low in (
            ("batch_size", 1),
            ("update_steps", 1),
            ("replay_buffer_size", 0),
            ("adapt_every", 1),
        ):
            check_integer(f"amp.{name}", getattr(self, name), low)
        for name in ("target_real", "target_fake"):
            check_number(f"amp.{name}", getattr(self, name), -math.inf)
        if self.smoothed_target <= self.target_fake:
            raise ConfigError(
                f"amp.target_real {self.target_real}, smoothed by amp.label_smoothing {self.label_smoothing}, must be greater"
                f" than amp.target_fake {self.target_fake}."
            )
        if not isinstance(self.discriminator_hidden, tuple) or not self.discriminator_hidden:
            raise ConfigError(
                f"amp.discriminator_hidden is {self.discriminator_hidden!r}; give a list of widths, e.g. [1024, 512, 256]."
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
        for name in ("adapt", "single_motion", "symmetry"):
            check_flag(f"amp.{name}", getattr(self, name))
        self._check_pairs()
        self._check_adapt()

    def _check_pairs(self) -> None:
        """Settings that are possible alone but not together."""
        if self.reward not in REWARDS_OF_LOSS[self.loss]:
            fitting = ", ".join(
                loss for loss, rewards in REWARDS_OF_LOSS.items() if self.reward in rewards
            )
            raise ConfigError(
                f"amp.reward {self.reward!r} cannot read the scores of amp.loss {self.loss!r}; allowed with it:"
                f" {', '.join(REWARDS_OF_LOSS[self.loss])}; {self.reward!r} goes with: {fitting}."
            )
        if self.loss == "bce" and (self.target_fake < 0.0 or self.target_real > 1.0):
            raise ConfigError(
                f"amp.target_real {self.target_real} and amp.target_fake {self.target_fake} are probabilities with amp.loss"
                " 'bce'; allowed: 0 to 1."
            )
        if self.loss == "wgan" and (
            self.penalty_setting is None or getattr(self, self.penalty_setting) == 0.0
        ):
            nothing = (
                ""
                if self.penalty_setting is None
                else f", with an amp.{self.penalty_setting} above 0"
            )
            raise ConfigError(
                f"amp.loss 'wgan' needs an amp.gradient_penalty, 'wgan_gp' or 'r1'{nothing}: nothing else bounds its critic."
            )
        if self.loss == "wgan":
            for name in ("target_real", "target_fake", "label_smoothing"):
                if getattr(self, name) != getattr(type(self), name):
                    raise ConfigError(
                        f"amp.{name} is given with amp.loss 'wgan', whose critic has no targets; leave it out."
                    )
        if self.loss == "wgan" and self.schedule.wait_logits is not None:
            raise ConfigError(
                "amp.schedule.wait_logits is given with amp.loss 'wgan', whose scores have no scale; leave it out."
            )
        if (
            self.mix == "lerp"
            and self.weight * max(self.schedule.initial, self.schedule.final) > 1.0
        ):
            raise ConfigError(
                f"amp.weight {self.weight} times amp.schedule exceeds 1, and amp.mix is 'lerp'; allowed: up to 1, all there is."
            )

    def _check_adapt(self) -> None:
        """Bounds are there, belong to the settings in use, and enclose them."""
        if self.adapt_auc is not None:
            object.__setattr__(
                self,
                "adapt_auc",
                check_band("amp.adapt_auc", self.adapt_auc, 0.0, 1.0, "[0.6, 0.85]"),
            )
            if not self.adapt:
                raise ConfigError(
                    "amp.adapt_auc is given without amp.adapt, which would keep to it; set amp.adapt to true."
                )
        if self.adapt_bounds is None:
            if self.adapt:
                raise ConfigError(
                    f"amp.adapt is true without amp.adapt_bounds; give them, e.g. adapt_bounds: {ADAPT_EXAMPLE}."
                )
            return
        bounds = build_section(AdaptBounds, "amp.adapt_bounds", self.adapt_bounds, ADAPT_EXAMPLE)
        object.__setattr__(self, "adapt_bounds", bounds)
        penalty = self.penalty_setting
        if (penalty is None) != (bounds.penalty is None):
            wanted = "leave it out" if penalty is None else f"give it, the bounds of amp.{penalty}"
            raise ConfigError(
                f"amp.adapt_bounds.penalty is {bounds.penalty} with amp.gradient_penalty {self.gradient_penalty!r}; {wanted};"
                f" e.g. {ADAPT_EXAMPLE}."
            )
        for name, setting in (
            ("update_steps", "update_steps"),
            ("disc_lr", "disc_lr"),
            ("penalty", penalty),
        ):
            band, value = getattr(bounds, name), None if setting is None else getattr(self, setting)
            if value is not None and not band[0] <= value <= band[1]:
                raise ConfigError(
                    f"amp.adapt_bounds.{name} {list(band)} do not enclose amp.{setting} {value:g}, where training begins; widen"
                    f" them or move it, e.g. {ADAPT_EXAMPLE}."
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
        raise ConfigError(
            f"amp is a {type(value).__name__}; give an AMPConfig, a dict of its fields, or None."
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-able dict; `from_dict` of it gives an equal config."""
        return asdict(self) | {"discriminator_hidden": list(self.discriminator_hidden)}

    @property
    def threshold(self) -> float:
        """Score from which on a sample counts as real: midway between two targets, 0 of a logit or a critic."""
        return 0.5 * (self.target_real + self.target_fake) if self.loss == "lsgan" else 0.0

    @property
    def penalty_setting(self) -> str | None:
        """The field that holds the gradient penalty's coefficient; None without a penalty."""
        return GRADIENT_PENALTIES[self.gradient_penalty]

    @property
    def undecided_reward(self) -> float:
        """What a sample is paid whose score is the threshold."""
        score = jnp.float32(self.threshold)
        real = probability_of_real(self.loss, score, self.target_real, self.target_fake)
        return float(STYLE_REWARDS[self.reward](score, real))

    def saturated(self, logit_min: float, logit_max: float) -> bool:
        """Whether the extreme scores lie further out than `schedule.wait_logits` (or `SATURATION`) lets them."""
        limit = self.schedule.wait_logits or SATURATION.get(self.loss, math.inf)
        low, high = (self.target_fake, self.target_real) if self.loss == "lsgan" else (0.0, 0.0)
        return max(logit_max - high, low - logit_min) > limit

    @property
    def smoothed_target(self) -> float:
        """The real samples' target in training."""
        return self.target_real - self.label_smoothing * (self.target_real - self.target_fake)

    def style_weight(self, num_timesteps: float) -> float:
        """Weight of the style reward after `num_timesteps` environment steps."""
        return self.weight * self.schedule(num_timesteps)

    def beyond(self, total_timesteps: float) -> list[str]:
        """What of `schedule` and `reintroduce` may come, for all that it is waited for, only after so many environment steps."""
        schedule = self.schedule
        planned = []
        if schedule.initial != schedule.final:
            planned.append(("amp.schedule.ramp_end", schedule.ramp_end, schedule.wait_at_most))
        planned += [
            (f"amp.reintroduce of {', '.join(s.channels)}, at", s.at, s.wait_at_most)
            for s in self.reintroduce
        ]
        return [
            f"{name} {step:,.0f}{f' with wait_at_most {wait:,.0f}' if wait else ''} lies {late:,.0f} environment steps beyond"
            f" {total_timesteps:,.0f}, where this training ends: it {'may not be' if wait else 'is not'} reached."
            for name, step, wait in planned
            if (late := step + (wait or 0.0) - total_timesteps) > 0
        ]

    def task_fraction(self, style_weight: float) -> float:
        """Weight of the task's reward beside a style reward of that weight."""
        return self.task_weight * (1.0 - style_weight if self.mix == "lerp" else 1.0)
