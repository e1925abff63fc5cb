"""AMP settings: one frozen dataclass, checked on construction."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import jax.numpy as jnp

from amp_sbx.common.checks import build_section, reject_unknown
from amp_sbx.common.errors import ConfigError
from amp_sbx.discriminator.adapt_bounds import AdaptBounds
from amp_sbx.discriminator.config_checks import check_adapt, check_combinations, check_values
from amp_sbx.discriminator.losses import GRADIENT_PENALTIES
from amp_sbx.discriminator.rewards import STYLE_REWARDS, probability_of_real
from amp_sbx.discriminator.stages import Stage, stages_of
from amp_sbx.discriminator.weight_schedule import SATURATION, SCHEDULE_EXAMPLE, WeightSchedule


@dataclass(frozen=True)
class AMPConfig:
    """Settings of adversarial motion priors.

    Attributes:
        weight: weight of the style reward.
        task_weight: weight of the task reward.
        mix: "sum" adds both rewards. "lerp" also multiplies the task reward by 1 - style weight.
        schedule: factor on `weight` over environment steps.
        order: "reward_first" rewards a rollout with the discriminator that was in use while it
            was collected. "update_first" trains the discriminator on the rollout before.
        disc_lr: learning rate of the discriminator's Adam optimizer.
        batch_size: reference samples in one discriminator step; as many policy samples are added.
        update_steps: discriminator steps per iteration.
        discriminator_hidden: widths of the discriminator's hidden layers.
        normalization: "layer", "spectral" or "none", after each hidden layer.
        activation: activation function of the hidden layers, such as "elu".
        loss: "lsgan" (least squares), "bce" (cross-entropy) or "wgan" (Wasserstein).
        target_real: the loss's target for reference samples.
        target_fake: the loss's target for policy samples.
        label_smoothing: moves the real target in training by this fraction towards the fake one.
        reward: style reward of a score: "clip", "quadratic", "log_sigmoid" or "softplus". It must
            fit the loss.
        gradient_penalty: "r1" on reference samples, "wgan_gp" between reference and policy
            samples, or "none".
        r1_gamma: R1 coefficient; the loss adds `r1_gamma / 2` times the penalty.
        gp_lambda: WGAN-GP coefficient.
        weight_decay: weight decay of AdamW; 0 is Adam.
        disc_input_noise_std: standard deviation of the Gaussian noise on normalized inputs.
        replay_buffer_size: past policy samples to keep; 0 keeps none.
        replay_buffer_ratio: fraction of a step's policy samples taken from the replay buffer.
        max_grad_norm: clip of the discriminator's global gradient norm.
        critic: "shared" uses one critic for the weighted sum of rewards. "separate" adds a critic
            for the style; the weights then apply to normalized advantages. `AMPPPO` only.
        symmetry: also show the discriminator mirror images, by the environment's `mirror`.
        held_out_fraction: fraction of the reference's motions used to judge, not to learn from.
        feature_min_std: lower bound of the standard deviation in normalization.
        feature_clip: clip of normalized values, in standard deviations.
        single_motion: accept a reference with only one motion.
        reintroduce: stages that reveal channels to the discriminator during training.
        adapt: let verdicts on the discriminator change its settings within `adapt_bounds`.
        adapt_bounds: ranges of `update_steps`, `disc_lr` and the penalty's coefficient.
        adapt_every: iterations between two changes.
        adapt_auc: (low, high) range of the smoothed AUC that `adapt` keeps while the
            discriminator is healthy. None: it changes nothing then.

    Raises:
        ConfigError: a value is out of range, or two settings do not fit together.

    Example:
        >>> config = AMPConfig(weight=0.4, discriminator_hidden=(256, 128))
        >>> model = AMPPPO("MlpPolicy", env, amp=config, reference=reference)
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
        # Lists come from YAML and JSON. Tuples are hashable, as jit's static arguments must be.
        if isinstance(self.discriminator_hidden, list):
            object.__setattr__(self, "discriminator_hidden", tuple(self.discriminator_hidden))
        schedule = build_section(WeightSchedule, "amp.schedule", self.schedule, SCHEDULE_EXAMPLE)
        object.__setattr__(self, "schedule", schedule)
        object.__setattr__(self, "reintroduce", stages_of(self.reintroduce))
        check_values(self)
        check_combinations(self)
        bounds, band = check_adapt(self)
        object.__setattr__(self, "adapt_bounds", bounds)
        object.__setattr__(self, "adapt_auc", band)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "AMPConfig":
        """Build from a mapping of fields, as from YAML or JSON.

        Raises:
            ConfigError: a key is unknown; the message names the nearest one.
        """
        reject_unknown("amp", values, [item.name for item in fields(cls)])
        return cls(**values)

    @classmethod
    def coerce(cls, value: "AMPConfig | Mapping[str, Any] | None") -> "AMPConfig | None":
        """Convert what `AMPPPO(amp=...)` accepts: None, a config, or a mapping of fields.

        Raises:
            ConfigError: anything else.
        """
        if value is None or isinstance(value, cls):
            return value
        if isinstance(value, Mapping):
            return cls.from_dict(value)
        raise ConfigError(
            f"amp is a {type(value).__name__}; give an AMPConfig, a dict of its fields, or None."
        )

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able dict, for `from_dict`."""
        return asdict(self) | {"discriminator_hidden": list(self.discriminator_hidden)}

    @property
    def threshold(self) -> float:
        """Score above which a sample counts as real: midway between lsgan's targets, else 0."""
        return 0.5 * (self.target_real + self.target_fake) if self.loss == "lsgan" else 0.0

    @property
    def penalty_setting(self) -> str | None:
        """Name of the setting with the gradient penalty's coefficient; None without a penalty."""
        return GRADIENT_PENALTIES[self.gradient_penalty]

    @property
    def undecided_reward(self) -> float:
        """Style reward of a sample whose score is the threshold."""
        score = jnp.float32(self.threshold)
        real = probability_of_real(self.loss, score, self.target_real, self.target_fake)
        return float(STYLE_REWARDS[self.reward](score, real))

    @property
    def smoothed_target(self) -> float:
        """Target of reference samples in training, after label smoothing."""
        return self.target_real - self.label_smoothing * (self.target_real - self.target_fake)

    def saturated(self, logit_min: float, logit_max: float) -> bool:
        """Whether the extreme scores lie beyond `schedule.wait_logits` or its default."""
        limit = self.schedule.wait_logits or SATURATION.get(self.loss, math.inf)
        low, high = (self.target_fake, self.target_real) if self.loss == "lsgan" else (0.0, 0.0)
        return max(logit_max - high, low - logit_min) > limit

    def style_weight(self, num_timesteps: float) -> float:
        """Weight of the style reward after `num_timesteps` environment steps."""
        return self.weight * self.schedule(num_timesteps)

    def task_fraction(self, style_weight: float) -> float:
        """Weight of the task reward next to a style reward of weight `style_weight`."""
        return self.task_weight * (1.0 - style_weight if self.mix == "lerp" else 1.0)

    def unreachable(self, total_timesteps: float) -> list[str]:
        """Warnings about steps of `schedule` and `reintroduce` after the end of the training.

        Args:
            total_timesteps: environment steps at which the training ends.
        """
        schedule, planned = self.schedule, []
        if schedule.initial != schedule.final:
            planned.append(("amp.schedule.ramp_end", schedule.ramp_end, schedule.wait_at_most))
        planned += [
            (f"amp.reintroduce of {', '.join(s.channels)}, at", s.at, s.wait_at_most)
            for s in self.reintroduce
        ]
        return [
            f"{name} {step:,.0f}{f' with wait_at_most {wait:,.0f}' if wait else ''} is {late:,.0f} "
            f"environment steps after the end of this training at {total_timesteps:,.0f}, so it "
            f"{'may not be' if wait else 'is not'} reached."
            for name, step, wait in planned
            if (late := step + (wait or 0.0) - total_timesteps) > 0
        ]
