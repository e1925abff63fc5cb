"""What a policy is asked for: it approaches the command, and turns the robot back to its heading.

The same as `wildrobot_gym.task.commands` in training; tests compare the two.
"""

from __future__ import annotations

import numpy as np

from wildrobot_gym.deploy.description import HeadingSpec


class Approach:
    """Approaches the command from standing, no faster than the policy was trained with.

    Args:
        acceleration: m/s^2, m/s^2, rad/s^2; None: the command counts at once.
        control_dt: Control period, s.

    Attributes:
        asked: (3,) what the policy is asked for; None before the first step.
    """

    def __init__(self, acceleration: tuple[float, ...] | None, control_dt: float) -> None:
        self._most = None if acceleration is None else control_dt * np.array(acceleration)
        self.asked: np.ndarray | None = None

    def reset(self) -> None:
        """Stand in the next step."""
        self.asked = None

    def __call__(self, command: np.ndarray) -> np.ndarray:
        """(3,) what the policy is asked for, one control step after the last.

        Args:
            command: (3,) vx m/s, vy m/s, yaw rate rad/s.
        """
        if self._most is None:
            return command
        if self.asked is None:
            self.asked = np.zeros(3)
        else:
            self.asked = self.asked + np.clip(command - self.asked, -self._most, self._most)
        return self.asked


class HeadingHold:
    """Corrects the commanded yaw rate by the angle that is missing.

    The heading to hold turns at the commanded yaw rate. It starts where the robot looks, and
    follows the robot while it stands.

    Args:
        spec: Gain and limit.
        control_dt: Control period, s.

    Attributes:
        heading: What is held, rad; None before the first step.
    """

    def __init__(self, spec: HeadingSpec, control_dt: float) -> None:
        self._spec, self._control_dt = spec, control_dt
        self.heading: float | None = None

    def reset(self) -> None:
        """Hold the heading of the next step."""
        self.heading = None

    def __call__(self, command: np.ndarray, yaw: float) -> np.ndarray:
        """(3,) the command with the correction, one control step after the last.

        Args:
            command: (3,) vx m/s, vy m/s, yaw rate rad/s.
            yaw: The robot's heading by its IMU, rad.
        """
        gain, limit = self._spec.gain, self._spec.limit
        if gain == 0:
            return command
        if self.heading is None or not np.any(command):
            self.heading = yaw
        else:
            missing = _wrapped(self.heading + command[2] * self._control_dt - yaw)
            # No further off than the correction reaches.
            self.heading = yaw + float(np.clip(missing, -limit / gain, limit / gain))
        correction = np.clip(gain * _wrapped(self.heading - yaw), -limit, limit)
        return np.array([command[0], command[1], command[2] + correction])


def _wrapped(angle: float) -> float:
    return float(np.arctan2(np.sin(angle), np.cos(angle)))
