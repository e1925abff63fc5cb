"""AMP observations for a single environment that has none: columns of its observation."""

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from amp_sbx.common.errors import ConfigError


class ObservationFeatures(gym.Wrapper):
    """Adds `info["amp_obs"]`: chosen columns of the observation, each with a factor.

    A file of settings can name it, as rl-zoo's `env_wrapper`.

    Args:
        env: an environment whose observation is a flat Box.
        columns: indices of the observation.
        scales: one factor for each column; None: 1.
        task_reward: False replaces the reward by 0, so that only style pays.

    Raises:
        ConfigError: the observation is no flat Box, or the columns or scales do not fit it.

    Example:
        >>> env = ObservationFeatures(gym.make("HalfCheetah-v5"), columns=[2, 3, 4, 5, 6, 7])
    """

    def __init__(
        self,
        env: gym.Env,
        columns: Sequence[int],
        scales: Sequence[float] | None = None,
        task_reward: bool = True,
    ) -> None:
        super().__init__(env)
        space = env.observation_space
        if not isinstance(space, gym.spaces.Box) or len(space.shape) != 1:
            raise ConfigError(f"ObservationFeatures needs a Box of one axis, got {space}.")
        self._columns = np.asarray(columns)
        if self._columns.ndim != 1 or not np.isin(self._columns, np.arange(space.shape[0])).all():
            raise ConfigError(
                f"columns are {list(columns)}; allowed: indices from 0 to {space.shape[0] - 1}."
            )
        self._scales = np.asarray(1.0 if scales is None else scales, np.float32)
        if self._scales.shape not in ((), self._columns.shape):
            raise ConfigError(
                f"scales has {self._scales.size} numbers for {self._columns.size} columns; give "
                "one for each."
            )
        self._task_reward = task_reward

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """One step, with `amp_obs` in the info."""
        obs, reward, terminated, truncated, info = self.env.step(action)
        amp_obs = (obs[self._columns] * self._scales).astype(np.float32)
        reward = reward if self._task_reward else 0.0
        return obs, reward, terminated, truncated, info | {"amp_obs": amp_obs}
