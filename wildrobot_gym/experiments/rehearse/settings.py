"""Parameters of a rehearsal. It imports nothing heavy, so that `--help` answers at once."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from pathlib import Path

from wildrobot_gym.errors import ConfigError
from wildrobot_gym.evaluation.protocol import SEED


@dataclass(frozen=True, kw_only=True)
class RehearseSettings:
    """Which robot rehearses, and what it is asked for."""

    xml: Path | None = None
    """MJCF file of the robot; by default the one that the policy was trained on."""
    rename: tuple[str, ...] = ()
    """Joints that the MJCF names differently, each as policy_name=model_name."""
    base: str | None = None
    """Body of the MJCF that the policy calls the base: by default the one with the free joint."""
    robot: str | None = None
    """Robot that the policy was trained on, where it is no shipped one: its folder."""
    command: float = 0.4
    """Commanded forward speed, in m/s."""
    vy: float = 0.0
    """Commanded speed to the left, in m/s."""
    yaw_rate: float = 0.0
    """Commanded turning rate to the left, in rad/s."""
    seconds: float = 10.0
    """How long the policy runs, in s."""
    seed: int = SEED
    """Random seed for initial states, noise and losses."""

    def __post_init__(self) -> None:
        for name in ("command", "vy", "yaw_rate"):
            if not math.isfinite(value := getattr(self, name)):
                raise ConfigError(f"{name} is {value}; allowed: a finite number.")
        if not 0 < self.seconds < math.inf:
            raise ConfigError(f"seconds is {self.seconds}; allowed: a positive number.")
        if self.seed < 0:
            raise ConfigError(f"seed is {self.seed}; allowed: a whole number, 0 or more.")
        self.renamed()

    def renamed(self) -> dict[str, str]:
        """The MJCF's name of each joint that it names differently.

        Raises:
            ConfigError: An entry is no pair of names.
        """
        pairs = [entry.partition("=") for entry in self.rename]
        for entry, (ours, _, theirs) in zip(self.rename, pairs, strict=True):
            if not ours or not theirs:
                raise ConfigError(f"rename is {entry!r}; allowed: policy_name=model_name.")
        return {ours: theirs for ours, _, theirs in pairs}


@dataclass(frozen=True, kw_only=True)
class Disturbances:
    """Delays, noise and errors of a rehearsal; none by default."""

    sensor_delay: float = 0.0
    """ms from a measurement to the controller."""
    target_delay: float = 0.0
    """ms from the controller to the servos."""
    lost: float = 0.0
    """Fraction of the control steps in which no new measurement arrives."""
    joint_noise: float = 0.0
    """rad, standard deviation of the joint positions."""
    speed_noise: float = 0.0
    """rad/s, standard deviation of the joint velocities."""
    tilt_noise: float = 0.0
    """rad, standard deviation of the orientation about each axis."""
    gyro_noise: float = 0.0
    """rad/s, standard deviation of the gyro."""
    velocity_noise: float = 0.0
    """m/s, standard deviation of the base's velocity."""
    joint_zero: float = 0.0
    """rad, largest error of an encoder's zero. The servo's is the same."""
    imu_tilt: float = 0.0
    """rad, largest roll and pitch by which the IMU is mounted wrong."""
    imu_drift: float = 0.0
    """rad/s, largest bias of the gyro about each axis, and largest drift of the heading."""
    stuck_switches: int = 0
    """Number of foot switches that stick, open or closed."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 <= value < math.inf:
                raise ConfigError(f"{field.name} is {value}; allowed: 0 or more.")
        if self.lost >= 1:
            raise ConfigError(f"lost is {self.lost}; allowed: 0 or more, less than 1.")
