"""The part of `AMPPPO` that collects rollouts and learns from them, in either loop."""

from typing import Any

import numpy as np
from flax.training.train_state import TrainState
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback, ProgressBarCallback
from stable_baselines3.common.type_aliases import MaybeCallback
from stable_baselines3.common.vec_env import VecEnv

from amp_sbx.algorithm.collect import collect_amp_obs, collect_rollout, see_for_critic
from amp_sbx.algorithm.data import Critics
from amp_sbx.algorithm.fused_env import fused_source
from amp_sbx.algorithm.fused_loop import FusedLoop
from amp_sbx.algorithm.learning import train_iteration
from amp_sbx.algorithm.persistence import PersistentPPO
from amp_sbx.common.errors import FeatureError
from amp_sbx.discriminator.learner import AMPLearner


class FusedProgressBar(ProgressBarCallback):
    """SB3's progress bar, for a loop that calls `on_step` once for many steps."""

    def _on_step(self) -> bool:
        self.pbar.update(self.num_timesteps - self._start - self.pbar.n)
        return True

    def _on_training_start(self) -> None:
        self._start = self.num_timesteps
        super()._on_training_start()


class CollectingPPO(PersistentPPO):
    """Collects on the host or in the fused loop, and learns."""

    learner: AMPLearner | None
    style_critic: TrainState | None
    collect: str
    iterations_per_call: int
    devices: int | None
    _fused: FusedLoop | None

    @property
    def _critics(self) -> Critics:
        if self.style_critic is None or self.learner is None:
            return (self.policy.vf_state,)
        return (self.policy.vf_state, self.style_critic)

    @property
    def fused(self) -> bool:
        """Whether the fused loop collects, as `collect` and the environment have it."""
        return self._fused is not None

    def _choose_loop(self) -> None:
        """Take the loop that `collect` and the environment ask for.

        Raises:
            ConfigError: they do not fit.
        """
        assert self.env is not None
        source = fused_source(self, self.env)
        if source is None:
            self._fused = None
        elif self._fused is None or self._fused.source is not source:
            self._fused = FusedLoop(self, source)

    def gather_environments(self) -> None:
        """Bring the environments' states into this process.

        With several processes, all call this together, before one of them saves the environments.
        Otherwise they are here already.
        """
        if self._fused is not None:
            self._fused.gather()

    def _setup_learn(
        self,
        total_timesteps: int,
        callback: MaybeCallback = None,
        reset_num_timesteps: bool = True,
        *others: Any,
        **named: Any,
    ) -> tuple[int, BaseCallback]:
        resets = reset_num_timesteps or self._last_obs is None
        prepared = super()._setup_learn(
            total_timesteps, callback, reset_num_timesteps, *others, **named
        )
        if resets and self.env is not None:
            see_for_critic(self, self.env)
        return prepared

    def _init_callback(self, callback: MaybeCallback, progress_bar: bool = False) -> BaseCallback:
        if self._fused is None or not progress_bar:
            return super()._init_callback(callback, progress_bar)
        given = super()._init_callback(callback)
        return super()._init_callback([given, FusedProgressBar()])

    def _update_current_progress_remaining(self, num_timesteps: int, total_timesteps: int) -> None:
        """As in SB3, but never below 0: the last rollout can end after `total_timesteps`."""
        super()._update_current_progress_remaining(num_timesteps, total_timesteps)
        self._current_progress_remaining = max(self._current_progress_remaining, 0.0)

    def collect_rollouts(
        self,
        env: VecEnv,
        callback: BaseCallback,
        rollout_buffer: RolloutBuffer,
        n_rollout_steps: int,
    ) -> bool:
        """Fill `rollout_buffer` with `n_rollout_steps` steps of every environment.

        Rewards are stored raw; `train` adds style rewards and computes advantages. The fused loop
        also learns here, fills no buffer, and calls `on_step` once.

        Returns:
            False if a callback stopped the training.

        Raises:
            NonFiniteError: as `train`, in the fused loop.
        """
        if self._fused is not None:
            return self._fused.run(callback)
        return collect_rollout(self, env, callback, rollout_buffer, n_rollout_steps)

    def train(self) -> None:
        """Learn from the collected rollout in one compiled call, and log.

        The fused loop has learned already; then this does nothing.

        Raises:
            NonFiniteError: observations, rewards or an update have NaN or infinity. All parameters
                are as before.
        """
        if self._fused is None:
            train_iteration(self)

    def collect_amp_observations(self) -> np.ndarray:
        """AMP observations (n_steps * num_envs, feature_dim) of one more rollout, without learning.

        Environments and random keys advance; counters and parameters do not change.

        Raises:
            FeatureError: the model has no discriminator or no environment.
        """
        if self.learner is None or self.env is None:
            raise FeatureError(
                "AMP observations need amp=, reference= and an environment; this model has none."
            )
        return collect_amp_obs(self)
