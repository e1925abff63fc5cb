"""What a robot must offer: sensors to read, joint targets to write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True, eq=False)
class Sensors:
    """One instant of the robot, in the order of the policy's joints.

    Base: the link that carries the legs. An IMU on another link must be turned into its frame.

    Attributes:
        time: When it was measured, on the loop's clock, s.
        joint_pos: (joint,) rad.
        joint_vel: (joint,) rad/s.
        quat: (4,) orientation of the base, wxyz. A policy that holds its course uses the heading,
            from wherever it starts; any other uses the tilt alone.
        gyro: (3,) angular velocity of the base in its own frame, rad/s.
        lin_vel: (3,) velocity of the base in its own frame, m/s, by a state estimator. None where
            there is none; a policy that observes `root_lin_vel` cannot run then.
        foot_switches: (switch,) 1 where closed, else 0, in the order of the policy's columns. None
            where there are none; a policy that observes `foot_switches` cannot run then.
    """

    time: float
    joint_pos: np.ndarray
    joint_vel: np.ndarray
    quat: np.ndarray
    gyro: np.ndarray
    lin_vel: np.ndarray | None = None
    foot_switches: np.ndarray | None = None


class RobotIO(Protocol):
    """A robot with position servos.

    `read` must not wait: it returns the latest measurement, however old. Its `time` shows the age.
    """

    def read(self) -> Sensors | None:
        """The latest measurement; None before the first one."""
        ...

    def write(self, targets: np.ndarray) -> None:
        """Send (joint,) targets, rad, to the position servos."""
        ...
