"""Data of one learning iteration: what is collected, the settings and the minibatches."""

from dataclasses import dataclass

from flax import struct
from flax.training.train_state import TrainState
from jaxtyping import Array, Float

from amp_sbx.algorithm.devices import Devices


@struct.dataclass
class Rollout:
    """What one iteration collected.

    Attributes:
        observations: observations before each step.
        actions: sampled actions, (time, env, action_dim), or (time, env) if discrete.
        rewards: raw task rewards.
        bootstrap: gamma times the value of the terminal observation at time-outs, else 0.
        style_bootstrap: the same by the style critic, if there is one.
        episode_starts: 1 where the observation is the first of an episode.
        values: values of the observations.
        log_probs: log-probabilities of the actions.
        last_observations: observations after the last step.
        last_dones: 1 where the last step ended an episode.
        amp_obs: AMP observations of each step; None without AMP.
        critic_obs: what the critics see in place of `observations`; None: the same.
        last_critic_obs: the same for `last_observations`.
    """

    observations: Float[Array, "time env *obs"]
    actions: Array
    rewards: Float[Array, "time env"]
    bootstrap: Float[Array, "time env"]
    style_bootstrap: Float[Array, "time env"] | None
    episode_starts: Float[Array, "time env"]
    values: Float[Array, "time env"]
    log_probs: Float[Array, "time env"]
    last_observations: Float[Array, "env *obs"]
    last_dones: Float[Array, " env"]
    amp_obs: Float[Array, "time env feature"] | None
    critic_obs: Float[Array, "time env critic"] | None = None
    last_critic_obs: Float[Array, "env critic"] | None = None

    @property
    def seen_by_critic(self) -> Array:
        """What the critics see before each step."""
        return self.observations if self.critic_obs is None else self.critic_obs

    @property
    def last_seen_by_critic(self) -> Array:
        """What the critics see after the last step."""
        seen = self.last_critic_obs
        return self.last_observations if seen is None else seen


@struct.dataclass
class Hyperparameters:
    """Numbers that may change between iterations without recompilation."""

    learning_rate: Array | float
    critic_learning_rate: Array | float | None  # None: the actor's
    clip_range: Array | float
    clip_range_vf: Array | float | None
    ent_coef: Array | float
    vf_coef: Array | float
    gamma: Array | float
    gae_lambda: Array | float
    style_weight: Array | float
    task_weight: Array | float


@dataclass(frozen=True)
class Settings:
    """Settings that shape the compiled program.

    Attributes:
        n_epochs: passes over the rollout.
        batch_size: minibatch size.
        normalize_advantage: normalize advantages in each minibatch.
        target_kl: KL divergence that the learning rate adapts to; None keeps the rate.
        share_features_extractor: actor and critic share a CNN (`CnnPolicy`).
        devices: devices that share the work.
    """

    n_epochs: int
    batch_size: int
    normalize_advantage: bool = True
    target_kl: float | None = None
    share_features_extractor: bool = False
    devices: Devices = Devices(None)  # noqa: RUF009


@struct.dataclass
class Batch:
    """Samples to learn from.

    Attributes:
        observations: observations.
        actions: sampled actions.
        old_values: values when collected, by critic.
        old_log_probs: log-probabilities when collected.
        advantages: advantages.
        returns: targets, by critic.
        critic_obs: what the critics see in place of `observations`; None: the same.
    """

    observations: Array
    actions: Array
    old_values: tuple[Array, ...]
    old_log_probs: Array
    advantages: Array
    returns: tuple[Array, ...]
    critic_obs: Array | None = None

    @property
    def seen_by_critic(self) -> Array:
        """What the critics see."""
        return self.observations if self.critic_obs is None else self.critic_obs


Critics = tuple[TrainState, ...]
"""One critic of all rewards, or the task's and the style's."""
