"""When the loop must stop: checks on the sensors, and limits on the targets."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from wildrobot_gym.deploy.description import PolicyDescription
from wildrobot_gym.deploy.observation import tilt_of
from wildrobot_gym.deploy.robot_io import Sensors
from wildrobot_gym.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class SafetyLimits:
    """Limits of a healthy robot. Beyond one of them the loop goes to a damped stop.

    Attributes:
        max_tilt: Angle between the base's z and the world's, rad.
        joint_margin: How far a joint may be outside of its limits, rad.
        max_joint_speed: rad/s.
        max_target_speed: Fastest change of a target, rad/s; faster ones are slowed down. The
            default lets all that the shipped policies ask for through.
        max_sensor_age: s since the latest measurement.
        max_missed_deadlines: Control steps in a row that may begin a period late or later.
    """

    max_tilt: float = 0.8
    joint_margin: float = 0.15
    max_joint_speed: float = 20.0
    max_target_speed: float = 40.0
    max_sensor_age: float = 0.1
    max_missed_deadlines: int = 3

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not value >= 0:
                raise ConfigError(f"{field.name} is {value}; allowed: 0 or more.")


class Safety:
    """Checks one robot against the limits.

    Args:
        description: Has the joints' limits and the control period.
        limits: The limits.
    """

    def __init__(self, description: PolicyDescription, limits: SafetyLimits) -> None:
        self._names, self.limits = description.joint_names, limits
        self._low, self._high = description.of_joints("low"), description.of_joints("high")
        self._period = description.control_dt

    def problem(self, sensors: Sensors | None, now: float, missed: int) -> str | None:
        """What is wrong, as a phrase; None where nothing is.

        Args:
            sensors: The latest measurement.
            now: Time on the loop's clock, s.
            missed: Deadlines missed in a row.
        """
        limits = self.limits
        if missed > limits.max_missed_deadlines:
            return f"{missed} deadlines missed in a row"
        if (problem := self.unusable(sensors, now)) or sensors is None:
            return problem
        if (tilt := tilt_of(sensors.quat)) > limits.max_tilt:
            return f"tilt {tilt:.2f} rad"
        outside = np.maximum(self._low - sensors.joint_pos, sensors.joint_pos - self._high)
        if outside.max() > limits.joint_margin:
            worst = int(outside.argmax())
            return f"{self._names[worst]} is {outside[worst]:.2f} rad outside of its limits"
        speed = np.abs(sensors.joint_vel)
        if speed.max() > limits.max_joint_speed:
            return f"{self._names[int(speed.argmax())]} moves at {speed.max():.1f} rad/s"
        return None

    def unusable(self, sensors: Sensors | None, now: float) -> str | None:
        """Why no controller may use the sensors: missing, too old, or not finite."""
        if sensors is None:
            return "no sensors"
        if not (age := now - sensors.time) <= self.limits.max_sensor_age:  # also NaN
            return f"sensors are {1000 * age:.0f} ms old"
        given = [sensors.joint_pos, sensors.joint_vel, sensors.quat, sensors.gyro]
        given += [x for x in (sensors.lin_vel, sensors.foot_switches) if x is not None]
        if not all(np.isfinite(values).all() for values in given):
            return "sensors are not finite"
        if not 0.9 < np.linalg.norm(sensors.quat) < 1.1:
            return "the orientation is no unit quaternion"
        return None

    def limited(self, targets: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Targets inside of the joints' limits that change no faster than allowed, rad.

        Args:
            targets: (joint,) what is asked for.
            before: (joint,) the last targets.
        """
        step = self.limits.max_target_speed * self._period
        near = np.clip(targets, before - step, before + step)
        return np.clip(near, self._low, self._high)
