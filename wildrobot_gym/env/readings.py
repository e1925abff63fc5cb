"""What can be read of the present state of a vector environment, beyond Gymnasium's API."""

from __future__ import annotations

import numpy as np

from wildrobot_gym.env.simulation import Simulation
from wildrobot_gym.errors import ActionError
from wildrobot_gym.physics.state import PhysicsState


class Readings:
    """Present physics, windows and draws of an environment's robots."""

    critic_dim: int
    _simulation: Simulation

    @property
    def has_begun(self) -> bool:
        """Whether there has been a first reset."""
        return self._simulation.task_state is not None

    @property
    def physics_state(self) -> PhysicsState:
        """The present physics state of all environments: for evaluation, not for policies."""
        state = self._simulation.physics_state
        if state is None:
            raise ActionError("physics_state was read before reset().")
        return state

    @property
    def amp_obs(self) -> np.ndarray:
        """Present AMP windows (num_envs, feature_dim).

        Those of the new episodes after an autoreset.
        """
        if not self.has_begun:
            raise ActionError("amp_obs was read before reset().")
        return self._seen("amp_obs")

    @property
    def critic_obs(self) -> np.ndarray | None:
        """What a critic may see at present, (num_envs, critic_dim): the observation, then the
        `privileged` channels. None without such channels.
        """
        if not self.has_begun:
            raise ActionError("critic_obs was read before reset().")
        return self._seen("critic_obs") if self.critic_dim else None

    @property
    def num_diverged(self) -> int:
        """Simulations that were restarted after a NaN or a blow-up, since construction."""
        return self._simulation.num_diverged

    @property
    def randomization(self) -> dict[str, np.ndarray]:
        """What each episode drew, by the name of its term, with a leading environment axis.

        Empty without `randomization`.

        Raises:
            ActionError: there was no reset before.
        """
        task = self._simulation.task_state
        if task is None:
            raise ActionError("randomization was read before reset().")
        return {name: np.array(value) for name, value in task.draws.items()}

    def _seen(self, name: str) -> np.ndarray:
        """A copy, in float32 also where JAX computes in float64."""
        return np.array(getattr(self._simulation.seen, name), np.float32)
