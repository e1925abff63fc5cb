"""Commands from the keyboard of MuJoCo's window."""

from __future__ import annotations

import numpy as np

from wildrobot_gym.deploy.description import PolicyDescription

# GLFW's numbers of the arrow keys, the page keys and the space bar, which MuJoCo's viewer hands on.
RIGHT, LEFT, DOWN, UP, PAGE_UP, PAGE_DOWN = range(262, 268)
SPACE = 32
_NAMES = ("vx", "vy", "yaw_rate")
_CHANGES = {
    **{UP: (0, 0.1), DOWN: (0, -0.1)},  # m/s
    **{PAGE_UP: (1, 0.05), PAGE_DOWN: (1, -0.05)},  # m/s
    **{LEFT: (2, 0.1), RIGHT: (2, -0.1)},  # rad/s
}
HELP = (
    "Arrow keys: faster, slower, turn left, turn right. Page up and down: sideways, to the left and"
    " to the right. Space bar: stand."
)


class KeyCommands:
    """The command that keys change, inside of what the policy was trained with.

    Args:
        description: Has the ranges.
        start: (3,) vx m/s, vy m/s, yaw rate rad/s.
    """

    def __init__(self, description: PolicyDescription, start: np.ndarray) -> None:
        ranges = np.array([description.command_ranges[name] for name in _NAMES])
        # Zero is always allowed, and so is what the run began with.
        self._low = np.minimum(np.minimum(ranges[:, 0], 0), start)
        self._high = np.maximum(np.maximum(ranges[:, 1], 0), start)
        self.command = np.array(start, float)

    def on_key(self, code: int) -> None:
        """React to a key; others do nothing."""
        if code == SPACE:
            self.command = np.zeros(3)
        elif code in _CHANGES:
            index, change = _CHANGES[code]
            command = self.command.copy()
            command[index] = np.round(command[index] + change, 3)
            self.command = np.clip(command, self._low, self._high)
