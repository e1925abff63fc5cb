"""What is worse about a real robot: late, noisy and lost measurements, and late targets."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Generic, TypeVar

import mujoco
import numpy as np

from wildrobot_gym.deploy.robot_io import Sensors
from wildrobot_gym.experiments.rehearse.settings import Disturbances

T = TypeVar("T")


def with_noise(sensors: Sensors, d: Disturbances, rng: np.random.Generator) -> Sensors:
    """A measurement with normal noise."""

    def noisy(values: np.ndarray, std: float) -> np.ndarray:
        return values + std * rng.standard_normal(values.shape) if std else values

    quat, lin_vel = sensors.quat.copy(), sensors.lin_vel
    if d.tilt_noise:
        turn = np.concatenate([[1.0], 0.5 * d.tilt_noise * rng.standard_normal(3)])
        mujoco.mju_mulQuat(quat, sensors.quat, turn / np.linalg.norm(turn))
    return replace(
        sensors,
        joint_pos=noisy(sensors.joint_pos, d.joint_noise),
        joint_vel=noisy(sensors.joint_vel, d.speed_noise),
        quat=quat,
        gyro=noisy(sensors.gyro, d.gyro_noise),
        lin_vel=None if lin_vel is None else noisy(lin_vel, d.velocity_noise),
    )


class Delay(Generic[T]):
    """Gives back what went in some physics steps ago. Before the first, nothing had changed.

    Args:
        ms: The delay, rounded to whole physics steps.
        timestep: Physics step, s.
    """

    def __init__(self, ms: float, timestep: float) -> None:
        self.steps = round(ms / 1e3 / timestep)
        self._line: deque[T] = deque()

    def through(self, value: T) -> T:
        """What arrives in the step in which `value` is sent."""
        self._line.extend([value] * (1 if self._line else self.steps + 1))
        return self._line.popleft()
