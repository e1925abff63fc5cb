"""`policy.json`: what an exported policy sees, what its actions mean, and for which robot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

FILE = "policy.json"
FORMAT, FORMAT_VERSION = "wildrobot-policy", 2
# Version 1 has no history, no gait clock, no heading to hold, and no limits of acceleration.
READABLE = (1, FORMAT_VERSION)
ONNX, NPZ = "onnx", "npz"
FORMATS = (ONNX, NPZ)


@dataclass(frozen=True)
class JointSpec:
    """One joint, in the order of actions.

    Attributes:
        name: Its name.
        home: Position in the home pose, rad.
        scale: rad for a filtered action of 1.
        low: Lowest position, rad.
        high: Highest position, rad.
        kp: Stiffness of the position servo, N*m/rad.
        kd: Damping of the position servo, N*m*s/rad.
        force_limit: Greatest torque of the servo, N*m.
    """

    name: str
    home: float
    scale: float
    low: float
    high: float
    kp: float
    kd: float
    force_limit: float


@dataclass(frozen=True)
class ChannelSpec:
    """A named group of columns of the observation.

    Attributes:
        name: Its name, which says how to read it: see `wildrobot_gym.deploy.observation`.
        meaning: What it is, in words.
        columns: Name of each column.
        unit: Unit before scaling.
        frame: Frame that it is given in.
        factor: The observation holds the value times this factor.
    """

    name: str
    meaning: str
    columns: tuple[str, ...]
    unit: str
    frame: str
    factor: float


@dataclass(frozen=True)
class HistorySpec:
    """Which frames make an observation, the oldest first.

    Attributes:
        frames: Number of frames.
        stride: Control steps from one frame to the next.
    """

    frames: int = 1
    stride: int = 1


@dataclass(frozen=True)
class HeadingSpec:
    """How the commanded yaw rate is corrected to hold a heading.

    Attributes:
        gain: Correction for a missing rad, rad/s; 0: none.
        limit: Largest correction, rad/s.
    """

    gain: float = 0.0
    limit: float = 0.4


@dataclass(frozen=True, eq=False)
class MirrorSpec:
    """The reflection y -> -y: the image of a vector `x` is `signs * x[ids]`."""

    obs_ids: np.ndarray
    obs_signs: np.ndarray
    action_ids: np.ndarray
    action_signs: np.ndarray


@dataclass(frozen=True)
class NetworkSpec:
    """The network's file and what it computes.

    Attributes:
        file: Name of the file beside `policy.json`.
        format: "onnx" or "npz".
        sha256: Digest of the file.
        layers: Width of each layer; the last is the action's.
        activation: Name of the function between two layers.
        mirror: Reflection whose two passes are averaged; None for one pass.
        low: Lowest action.
        high: Highest action.
    """

    file: str
    format: str
    sha256: str
    layers: tuple[int, ...]
    activation: str
    mirror: MirrorSpec | None
    low: float
    high: float


@dataclass(frozen=True)
class PolicyDescription:
    """The content of `policy.json`, checked.

    Attributes:
        name: The policy's name.
        robot: Name of the robot.
        robot_digest: SHA-256 of the robot's description and gains.
        control_dt: Control period, s.
        joints: In the order of actions.
        channels: Of a frame of the observation, in order.
        history: The frames that make an observation.
        clock_hz: Frequency of the gait clock, Hz.
        clip: Bound of the observation after scaling.
        action_filter: Fraction of the new action in the filtered one.
        command_ranges: Lowest and highest vx (m/s), vy (m/s) and yaw_rate (rad/s) in training.
        acceleration: m/s^2, m/s^2, rad/s^2: how fast commands are approached; None: at once.
        heading: How its heading is held.
        network: The network.
        content: The whole file.
    """

    name: str
    robot: str
    robot_digest: str
    control_dt: float
    joints: tuple[JointSpec, ...]
    channels: tuple[ChannelSpec, ...]
    history: HistorySpec
    clock_hz: float
    clip: float
    action_filter: float
    command_ranges: dict[str, tuple[float, float]]
    acceleration: tuple[float, ...] | None
    heading: HeadingSpec
    network: NetworkSpec
    content: Mapping[str, Any]

    @property
    def joint_names(self) -> tuple[str, ...]:
        """In the order of actions."""
        return tuple(joint.name for joint in self.joints)

    @property
    def obs_dim(self) -> int:
        """Width of the observation."""
        return self.history.frames * sum(len(channel.columns) for channel in self.channels)

    @property
    def switch_names(self) -> tuple[str, ...]:
        """The foot switches that the policy observes, in order; empty if it observes none."""
        columns = {channel.name: channel.columns for channel in self.channels}
        return columns.get("foot_switches", ())

    def of_joints(self, field: str) -> np.ndarray:
        """(joint,) one field of `JointSpec` of every joint."""
        return np.array([getattr(joint, field) for joint in self.joints])
