"""Rollout buffer that adds the style reward before advantages are computed."""

import numpy as np
import torch as th
from stable_baselines3.common.buffers import RolloutBuffer

from amp_sbx.common.errors import AMPError, FeatureError
from amp_sbx.discriminator.learner import AMPLearner


class AMPRolloutBuffer(RolloutBuffer):
    """Rollout buffer for AMP with the stock `sbx.PPO`, together with `AMPCallback`.

    Attributes:
        amp_obs: (n_steps, n_envs, feature_dim) float32 AMP observations; None before the first
            step.
        task_rewards: (n_steps, n_envs) rewards without the bootstrap of time-outs.
        style_rewards: (n_steps, n_envs) style rewards, without weight.
        learner: the discriminator; set by `AMPCallback`.
        style_weight: weight of the style reward in this rollout; set by `AMPCallback`.

    Example:
        >>> model = sbx.PPO("MlpPolicy", env, rollout_buffer_class=AMPRolloutBuffer)
    """

    learner: AMPLearner | None = None
    amp_obs: np.ndarray | None = None
    style_weight: float = 0.0

    def reset(self) -> None:
        """Empty the buffer."""
        super().reset()
        self.task_rewards = np.zeros((self.buffer_size, self.n_envs), dtype=np.float32)
        self.style_rewards = np.zeros((self.buffer_size, self.n_envs), dtype=np.float32)
        self._recorded = 0

    def record_step(self, amp_obs: np.ndarray, task_rewards: np.ndarray) -> None:
        """Store AMP observations (n_envs, feature_dim) and raw rewards of the next `add`."""
        if self.amp_obs is None:
            self.amp_obs = np.zeros(
                (self.buffer_size, self.n_envs, amp_obs.shape[1]), dtype=np.float32
            )
        if amp_obs.shape != self.amp_obs.shape[1:]:
            raise FeatureError(
                f"amp_obs has shape {amp_obs.shape}; before it was {self.amp_obs.shape[1:]}. "
                "It must not change during training."
            )
        self.amp_obs[self.pos] = amp_obs
        self.task_rewards[self.pos] = task_rewards
        self._recorded += 1

    def compute_returns_and_advantage(self, last_values: th.Tensor, dones: np.ndarray) -> None:
        """Add the style reward of the current discriminator, then compute advantages as SB3 does.

        `rewards` already holds the bootstrap of time-outs, which must not be scaled.
        """
        if self.learner is None or self.amp_obs is None or self._recorded < self.buffer_size:
            raise AMPError(
                f"AMPRolloutBuffer has the AMP observations of {self._recorded} of "
                f"{self.buffer_size} steps; pass AMPCallback(amp, reference) to every "
                "learn(callback=...)."
            )
        amp_obs = self.amp_obs.reshape(-1, self.amp_obs.shape[-1])
        if not np.isfinite(amp_obs).all():
            raise FeatureError(
                "amp_obs of this rollout holds NaN or infinity; check the environment."
            )
        self.style_rewards[:] = self.learner.rewards(amp_obs).reshape(self.rewards.shape)
        self.rewards += (
            self.learner.config.task_fraction(self.style_weight) - 1.0
        ) * self.task_rewards
        self.rewards += self.style_weight * self.style_rewards
        super().compute_returns_and_advantage(last_values, dones)
