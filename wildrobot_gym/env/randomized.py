"""Reading back what an environment's episodes drew."""

from __future__ import annotations

import numpy as np

from wildrobot_gym.env.simulation import Simulation
from wildrobot_gym.errors import ActionError


class Randomized:
    """An environment whose episodes draw quantities of the world."""

    _simulation: Simulation

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
