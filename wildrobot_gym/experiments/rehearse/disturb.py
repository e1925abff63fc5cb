"""What is worse about a real robot: late, noisy, wrong and lost measurements, and late targets."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
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


@dataclass(frozen=True, eq=False)
class SensorErrors:
    """What is wrong for a whole run. `EnvConfig.randomization` draws the same for training.

    Attributes:
        joint_zero: (joint,) the encoders' zeros, rad: a joint is at its reading plus this.
        imu_tilt: (2,) roll and pitch of the IMU's mounting, rad.
        imu_drift: (3,) bias of the gyro, rad/s; the heading drifts with its z.
        stuck_switch: (switch,) 1: stuck closed; -1: stuck open; 0: it works.
    """

    joint_zero: np.ndarray
    imu_tilt: np.ndarray
    imu_drift: np.ndarray
    stuck_switch: np.ndarray

    @classmethod
    def drawn(
        cls, d: Disturbances, num_joints: int, num_switches: int, rng: np.random.Generator
    ) -> SensorErrors:
        """Errors of a robot."""

        def within(most: float, count: int) -> np.ndarray:
            return rng.uniform(-most, most, count) if most else np.zeros(count)

        zero, tilt = within(d.joint_zero, num_joints), within(d.imu_tilt, 2)
        drift, stuck = within(d.imu_drift, 3), np.zeros(num_switches)
        if d.stuck_switches:
            which = rng.permutation(num_switches)[: d.stuck_switches]
            stuck[which] = rng.choice([-1.0, 1.0], len(which))
        return cls(zero, tilt, drift, stuck)

    def applied(self, sensors: Sensors) -> Sensors:
        """What is measured in place of the truth."""
        quat, gyro = sensors.quat, sensors.gyro
        if self.imu_tilt.any():
            quat, gyro = quat.copy(), gyro.copy()
            turn = _product(_turn(self.imu_tilt[0], 0), _turn(self.imu_tilt[1], 1))
            back = turn * [1.0, -1.0, -1.0, -1.0]
            mujoco.mju_rotVecQuat(gyro, sensors.gyro, back)
            quat = _product(quat, turn)
        if self.imu_drift.any():
            quat = _product(_turn(self.imu_drift[2] * sensors.time, 2), quat)
        switches = sensors.foot_switches
        if switches is not None:
            switches = np.where(self.stuck_switch == 0, switches, self.stuck_switch > 0)
        return replace(
            sensors,
            joint_pos=sensors.joint_pos - self.joint_zero,
            quat=quat,
            gyro=gyro + self.imu_drift,
            foot_switches=switches,
        )


def _turn(angle: float, axis: int) -> np.ndarray:
    quat, unit = np.zeros(4), np.eye(3)[axis]
    mujoco.mju_axisAngle2Quat(quat, unit, angle)
    return quat


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    quat = np.zeros(4)
    mujoco.mju_mulQuat(quat, a, b)
    return quat


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
