"""The observation in NumPy: the channels of `wildrobot_gym.task.channels`, read from sensors.

Tests and the golden vectors of every export compare it with the environment's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from wildrobot_gym.deploy.description import PolicyDescription
from wildrobot_gym.deploy.robot_io import Sensors
from wildrobot_gym.errors import ConfigError, RunError


def gravity_in_base(quat: np.ndarray) -> np.ndarray:
    """(3,) the world's down in the base frame, a unit vector, of an orientation wxyz."""
    w, x, y, z = np.asarray(quat, np.float64) / np.linalg.norm(quat)
    return np.array([2 * (w * y - x * z), -2 * (w * x + y * z), 2 * (x * x + y * y) - 1])


def tilt_of(quat: np.ndarray) -> float:
    """Angle between the base's z and the world's, rad."""
    return float(np.arccos(np.clip(-gravity_in_base(quat)[2], -1.0, 1.0)))


def to_heading(quat: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """A vector of the base frame in the heading frame: the world turned by the base's yaw.

    Its x axis is the base's x axis on the floor, so the yaw itself is not needed.
    """
    up = -gravity_in_base(quat)
    forward = np.array([1.0, 0.0, 0.0]) - up[0] * up
    length = np.linalg.norm(forward)
    if length < 1e-9:  # it looks straight up or down
        return np.asarray(vector, np.float64)
    forward /= length
    return np.stack([forward, np.cross(up, forward), up]) @ vector


@dataclass(frozen=True, eq=False)
class Instant:
    """What a channel reads from.

    Attributes:
        sensors: The robot's.
        home: (joint,) home pose, rad.
        command: (3,) vx m/s, vy m/s, yaw rate rad/s.
        filtered: (joint,) the last filtered action.
    """

    sensors: Sensors
    home: np.ndarray
    command: np.ndarray
    filtered: np.ndarray


def _lin_vel(x: Instant) -> np.ndarray:
    if x.sensors.lin_vel is None:
        raise RunError(
            "The policy observes root_lin_vel, but the sensors have no lin_vel. Give the base's"
            " velocity from a state estimator."
        )
    return to_heading(x.sensors.quat, x.sensors.lin_vel)


READERS: dict[str, Callable[[Instant], np.ndarray]] = {
    "joint_offset": lambda x: x.sensors.joint_pos - x.home,
    "joint_vel": lambda x: x.sensors.joint_vel,
    "root_lin_vel": _lin_vel,
    "root_ang_vel": lambda x: to_heading(x.sensors.quat, x.sensors.gyro),
    "gravity": lambda x: gravity_in_base(x.sensors.quat),
    "command": lambda x: x.command,
    "action": lambda x: x.filtered,
}


class Observer:
    """Makes a policy's observation.

    Args:
        description: The policy's.

    Raises:
        ConfigError: The policy observes a channel that this package cannot read from sensors.
    """

    def __init__(self, description: PolicyDescription) -> None:
        self._channels = [(channel.name, channel.factor) for channel in description.channels]
        for name, _ in self._channels:
            if name not in READERS:
                raise ConfigError(
                    f"The policy observes {name!r}; allowed: {', '.join(sorted(READERS))}."
                )
        self._clip = description.clip
        self._home = description.of_joints("home")

    def __call__(self, sensors: Sensors, command: np.ndarray, filtered: np.ndarray) -> np.ndarray:
        """(obs,) float32 observation.

        Args:
            sensors: The robot's.
            command: (3,) vx m/s, vy m/s, yaw rate rad/s.
            filtered: (joint,) the last filtered action.
        """
        instant = Instant(sensors, self._home, command, filtered)
        parts = [factor * READERS[name](instant) for name, factor in self._channels]
        return np.clip(np.concatenate(parts), -self._clip, self._clip).astype(np.float32)
