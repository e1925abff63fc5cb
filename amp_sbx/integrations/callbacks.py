"""Callbacks: AMP for the stock `sbx.PPO`, and logging of the environment's batched infos."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

from amp_sbx.algorithm.ppo import AMPPPO
from amp_sbx.common.errors import ConfigError, FeatureError
from amp_sbx.common.vec_env import amp_layout, amp_observations
from amp_sbx.discriminator.config import AMPConfig
from amp_sbx.discriminator.learner import AMPLearner
from amp_sbx.integrations.rollout_buffer import AMPRolloutBuffer
from amp_sbx.reference.features import ReferenceFeatures, check_layouts


class AMPCallback(BaseCallback):
    """AMP with stock `sbx.PPO(rollout_buffer_class=AMPRolloutBuffer)`: owns the discriminator and trains it.

    The same pure functions as `AMPPPO`, in three calls an iteration instead of one. The discriminator is not in the file that
    `PPO.save` writes: another process begins with a fresh one, and `AMPRewardWrapper` needs an `AMPPPO`.

    Args:
        amp: settings, or a dict of them; None for the defaults.
        reference: features to imitate; with their `layout` where `amp.reintroduce` or verdicts are to name its columns.
        seed: of the discriminator.
        mirror: the environment's reflection, needed for `amp.symmetry`.

    Raises:
        ConfigError: the model's rollout buffer is of another class, or the model is an `AMPPPO`.
        FeatureError: the environment offers no AMP features, or other ones than the reference's.
    """

    def __init__(
        self,
        amp: AMPConfig | Mapping[str, Any] | None,
        reference: ReferenceFeatures | np.ndarray,
        seed: int = 0,
        verbose: int = 0,
        mirror: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(verbose)
        self.config = AMPConfig.coerce(amp) or AMPConfig()
        if self.config.critic != "shared":
            raise ConfigError(
                f"amp.critic is {self.config.critic!r}, and stock PPO has one critic; allowed here: 'shared'."
            )
        features = ReferenceFeatures.coerce(reference)
        if features is None:
            raise ConfigError("AMPCallback needs reference features, got None.")
        self.reference = features
        self.learner = AMPLearner(self.config, self.reference, seed, mirror=mirror)
        self._metrics: dict[str, float] = {}

    def _init_callback(self) -> None:
        if isinstance(
            self.model, AMPPPO
        ):  # which has a discriminator of its own, and asks no buffer for rewards
            raise ConfigError(
                "AMPCallback is for stock sbx.PPO; give an AMPPPO amp= and reference= itself."
            )
        buffer = getattr(self.model, "rollout_buffer", None)
        if not isinstance(buffer, AMPRolloutBuffer):
            raise ConfigError(
                f"AMPCallback needs rollout_buffer_class=AMPRolloutBuffer; the model has {type(buffer).__name__}."
            )
        check_layouts(
            self.reference.layout, amp_layout(self.training_env), "reference", "environment"
        )
        self.buffer = buffer
        self.buffer.learner = self.learner

    def _on_training_start(self) -> None:
        self.learner.oversight.begin(self.num_timesteps, self.model._total_timesteps)

    def _on_step(self) -> bool:
        features = amp_observations(
            self.training_env, self.locals["infos"], self.training_env.num_envs
        )
        if features.shape[1] != self.reference.feature_dim:
            raise FeatureError(
                f"the environment's amp_obs have {features.shape[1]} channels, "
                f"the reference has {self.reference.feature_dim}; build both with the same feature settings."
            )
        self.buffer.style_weight = self.learner.style_weight(self.num_timesteps)
        self.buffer.record_step(features, self.locals["rewards"])
        if self.config.order == "update_first" and self.buffer.pos + 1 == self.buffer.buffer_size:
            self._update()
        return True

    def _update(self) -> None:
        features = self.buffer.amp_obs
        self._metrics = (
            {}
            if features is None
            else self.learner.update(features.reshape(-1, features.shape[-1]))
        )

    def _on_rollout_end(self) -> None:
        if self.buffer.amp_obs is None:
            return
        # The style rewards of this rollout are paid already, between its last step and here (compute_returns_and_advantage).
        if self.config.order == "reward_first":
            self._update()
        metrics, style = self._metrics, self.buffer.style_rewards
        metrics |= {"reward_mean": float(style.mean()), "reward_std": float(style.std())}
        task = self.buffer.task_rewards
        metrics |= self.learner.observe(
            metrics, self.num_timesteps, task.size, float(task.mean()), self.model.ep_info_buffer
        )
        metrics["weight"] = self.buffer.style_weight
        for name, value in metrics.items():
            self.logger.record(f"amp/{name}", value)


class InfoMetricsCallback(BaseCallback):
    """Logs rollout means of the environment's batched infos (`GymnasiumVecEnv.batch_infos`).

    Every (num_envs,) array whose key starts with `reward_` becomes `reward/<rest>`; those named in `metrics` become
    `metrics/<name>`. Environments without `batch_infos` log nothing.

    Args:
        metrics: further keys to log.
    """

    def __init__(self, metrics: Iterable[str] = (), verbose: int = 0) -> None:
        super().__init__(verbose)
        self.metrics = frozenset(metrics)
        self._sums: dict[str, np.ndarray] = {}
        self._counts: dict[str, int] = {}

    def _on_rollout_start(self) -> None:
        self._sums.clear()
        self._counts.clear()

    def _on_step(self) -> bool:
        for key, values in (getattr(self.training_env, "batch_infos", None) or {}).items():
            if values.ndim != 1 or not (key.startswith("reward_") or key in self.metrics):
                continue
            # Sums stay per environment, so that a step costs one small addition per key and no reduction.
            if key not in self._sums:
                self._sums[key] = np.zeros(values.shape, dtype=np.float64)
                self._counts[key] = 0
            self._sums[key] += values
            self._counts[key] += 1
        return True

    def _on_rollout_end(self) -> None:
        for key, total in self._sums.items():
            name = (
                f"reward/{key[len('reward_') :]}" if key.startswith("reward_") else f"metrics/{key}"
            )
            self.logger.record(name, float(total.mean() / self._counts[key]))
