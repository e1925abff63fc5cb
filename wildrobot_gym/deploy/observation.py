"""The observation in NumPy: the channels of `wildrobot_gym.task.channels`, read from sensors.

Tests and the golden vectors of every export compare it with the environment's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
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


def yaw_of(quat: np.ndarray) -> float:
    """Heading angle of an orientation wxyz about the world's z, rad."""
    w, x, y, z = np.asarray(quat, np.float64)
    return float(np.arctan2(2 * (w * z + x * y), w * w + x * x - y * y - z * z))


@dataclass(frozen=True, eq=False)
class Instant:
    """What a channel reads from.

    Attributes:
        sensors: The robot's.
        home: (joint,) home pose, rad.
        command: (3,) vx m/s, vy m/s, yaw rate rad/s, as the policy is to see it.
        filtered: (joint,) the last filtered action.
        phase: Of the gait clock, cycles.
    """

    sensors: Sensors
    home: np.ndarray
    command: np.ndarray
    filtered: np.ndarray
    phase: float


def _lin_vel(x: Instant) -> np.ndarray:
    return to_heading(x.sensors.quat, _given(x.sensors.lin_vel))


def _clock(x: Instant) -> np.ndarray:
    if not np.any(x.command):
        return np.zeros(2)
    angle = 2.0 * np.pi * x.phase
    return np.array([np.sin(angle), np.cos(angle)])


def _given(values: np.ndarray | None) -> np.ndarray:
    return np.empty(0) if values is None else np.asarray(values)  # `Observer.check` refuses None


READERS: dict[str, Callable[[Instant], np.ndarray]] = {
    "joint_offset": lambda x: x.sensors.joint_pos - x.home,
    "joint_pos": lambda x: x.sensors.joint_pos,
    "joint_vel": lambda x: x.sensors.joint_vel,
    "root_lin_vel": _lin_vel,
    "root_ang_vel": lambda x: to_heading(x.sensors.quat, x.sensors.gyro),
    "gyro": lambda x: x.sensors.gyro,
    "gravity": lambda x: gravity_in_base(x.sensors.quat),
    "foot_switches": lambda x: _given(x.sensors.foot_switches),
    "command": lambda x: x.command,
    "action": lambda x: x.filtered,
    "clock": _clock,
}
"""The channels that a robot can give, by name."""


def check_channels(policy: str, names: Iterable[str]) -> None:
    """Raise ConfigError where a policy observes a channel that no sensor of a robot gives."""
    for name in names:
        if name not in READERS:
            raise ConfigError(
                f"The policy {policy!r} observes {name!r}, which no sensor of a robot gives."
                f" Allowed: {', '.join(READERS)}. Train with other `observation.channels`."
            )


class Observer:
    """Makes a policy's observation, with its history.

    Args:
        description: The policy's.

    Raises:
        ConfigError: The policy observes a channel that no sensor of a robot gives.
    """

    def __init__(self, description: PolicyDescription) -> None:
        self._d = description
        self._channels = [(channel.name, channel.factor) for channel in description.channels]
        check_channels(description.name, [name for name, _ in self._channels])
        self._home = description.of_joints("home")
        self._num_past = (description.history.frames - 1) * description.history.stride
        self.reset()

    def reset(self) -> None:
        """Begin an episode: no past, and the gait clock at 0."""
        self._past: deque[np.ndarray] = deque(maxlen=self._num_past + 1)
        self._steps = 0

    def check(self, sensors: Sensors) -> None:
        """Raise RunError unless the sensors have all that the policy observes."""
        d = self._d
        observed = [name for name, _ in self._channels]
        if np.shape(sensors.joint_pos) != (len(d.joints),):
            raise RunError(
                f"The sensors have {np.size(sensors.joint_pos)} joints, but the policy {d.name!r}"
                f" is for the robot {d.robot!r} with {len(d.joints)}: {', '.join(d.joint_names)}."
            )
        if "root_lin_vel" in observed and sensors.lin_vel is None:
            raise RunError(
                f"The policy {d.name!r} observes root_lin_vel, but the sensors have no lin_vel."
                " Give the base's velocity from a state estimator, or take a policy that does not"
                " observe it."
            )
        if not d.switch_names:
            return
        wanted = f"{len(d.switch_names)}, in this order: {', '.join(d.switch_names)}"
        if sensors.foot_switches is None:
            raise RunError(
                f"The policy {d.name!r} observes foot_switches, but the sensors have none. Give"
                f" {wanted}. Or take a policy that does not observe them."
            )
        if np.shape(sensors.foot_switches) != (len(d.switch_names),):
            raise RunError(
                f"The sensors have {np.size(sensors.foot_switches)} foot_switches, but the policy"
                f" {d.name!r} observes {wanted}."
            )

    def __call__(self, sensors: Sensors, command: np.ndarray, filtered: np.ndarray) -> np.ndarray:
        """(obs,) float32 observation, one control step after the last.

        Args:
            sensors: The robot's.
            command: (3,) vx m/s, vy m/s, yaw rate rad/s, as the policy is to see it.
            filtered: (joint,) the last filtered action.

        Raises:
            RunError: The sensors lack what the policy observes.
        """
        self.check(sensors)
        phase = self._steps * self._d.control_dt * self._d.clock_hz
        self._steps += 1
        instant = Instant(sensors, self._home, command, filtered, phase)
        parts = [factor * READERS[name](instant) for name, factor in self._channels]
        frame = np.clip(np.concatenate(parts), -self._d.clip, self._d.clip).astype(np.float32)
        # Before an episode's first frame, nothing had changed.
        self._past.extend([frame] * (1 if self._past else self._num_past + 1))
        return np.concatenate(list(self._past)[:: self._d.history.stride])
