"""`policy.json`: what an exported policy sees, what its actions mean, and for which robot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wildrobot_gym import json_io
from wildrobot_gym.errors import ConfigError, RunError

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


def parse_description(content: Any, where: str = FILE) -> PolicyDescription:
    """A description from the content of `policy.json`.

    Args:
        content: The parsed JSON.
        where: Name of the file, for messages.

    Raises:
        RunError: An entry is missing or does not fit the others.
    """
    if not isinstance(content, Mapping) or content.get("format") != FORMAT:
        raise RunError(f"{where} describes no exported policy. Write one with `wildrobot export`.")
    if content.get("format_version") not in READABLE:
        raise RunError(
            f"{where} has format version {content.get('format_version')}; this package reads"
            f" {READABLE[0]} to {READABLE[-1]}. Export the policy again."
        )
    try:
        description = _parse(content)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise RunError(f"{where} is incomplete: {error!r}. Export the policy again.") from error
    if problem := _problem(description):
        raise RunError(f"{where}: {problem} Export the policy again.")
    return description


def load_description(folder: str | Path) -> PolicyDescription:
    """The description in a folder that `wildrobot export` wrote.

    Raises:
        RunError: There is none, or it is damaged.
    """
    path = Path(folder) / FILE
    try:
        content = json_io.read(path)
    except OSError as error:
        raise RunError(
            f"{folder} holds no exported policy ({error}). Write one with `wildrobot export`."
        ) from error
    except ConfigError as error:
        raise RunError(f"{error} Export the policy again.") from error
    return parse_description(content, str(path))


def _parse(content: Mapping[str, Any]) -> PolicyDescription:
    network, observation, action = content["network"], content["observation"], content["action"]
    mirror, rates = network["mirror"], content.get("acceleration")
    if mirror is not None:
        ids = {k: np.array(mirror[k], np.int64) for k in ("obs_ids", "action_ids")}
        signs = {k: np.array(mirror[k], np.float32) for k in ("obs_signs", "action_signs")}
        mirror = MirrorSpec(**ids, **signs)
    return PolicyDescription(
        name=str(content["name"]),
        robot=str(content["robot"]["name"]),
        robot_digest=str(content["robot"]["digest"]),
        control_dt=float(content["control_dt"]),
        joints=tuple(_joint(joint) for joint in content["joints"]),
        channels=tuple(
            ChannelSpec(**{**channel, "columns": tuple(channel["columns"])})
            for channel in observation["channels"]
        ),
        history=HistorySpec(**{k: int(v) for k, v in observation.get("history", {}).items()}),
        clock_hz=float(observation.get("clock_hz", 1.0)),
        clip=float(observation["clip"]),
        action_filter=float(action["filter"]),
        command_ranges={
            name: (float(low), float(high)) for name, (low, high) in content["commands"].items()
        },
        acceleration=None if rates is None else tuple(float(rate) for rate in rates),
        heading=HeadingSpec(**{k: float(v) for k, v in content.get("heading", {}).items()}),
        network=NetworkSpec(
            file=Path(network["file"]).name,
            format=str(network["format"]),
            sha256=str(network["sha256"]),
            layers=tuple(int(width) for width in network["layers"]),
            activation=str(network["activation"]),
            mirror=mirror,
            low=float(action["low"]),
            high=float(action["high"]),
        ),
        content=content,
    )


def _joint(joint: Mapping[str, Any]) -> JointSpec:
    name, numbers = str(joint["name"]), {k: float(v) for k, v in joint.items() if k != "name"}
    return JointSpec(name, **numbers)


def _problem(d: PolicyDescription) -> str | None:
    """What does not fit, as a sentence."""
    if d.network.format not in FORMATS:
        return f"network.format is {d.network.format!r}; allowed: {', '.join(FORMATS)}."
    if not d.joints or d.network.layers[-1:] != (len(d.joints),):
        return f"the network has layers {list(d.network.layers)} for {len(d.joints)} joints."
    if len(set(d.joint_names)) < len(d.joints):
        return f"a joint is listed twice: {', '.join(d.joint_names)}."
    of_joints = (v for j in d.joints for v in vars(j).values() if v != j.name)
    numbers = [d.control_dt, d.clip, d.heading.gain, d.heading.limit, d.clock_hz, *of_joints]
    if not np.isfinite(numbers).all() or d.control_dt <= 0 or not 0 < d.action_filter <= 1:
        return "a number is not finite, or the control period or the filter is out of range."
    if (rates := d.acceleration) is not None and not (len(rates) == 3 and min(rates) > 0):
        return f"acceleration is {list(rates)}; allowed: three numbers above 0, or null."
    if min(d.history.frames, d.history.stride) < 1:
        return f"the history has {d.history.frames} frames, {d.history.stride} steps apart."
    m = d.network.mirror
    widths = {"obs": d.obs_dim, "action": len(d.joints)}
    for space, width in widths.items() if m is not None else ():
        ids, signs = getattr(m, f"{space}_ids"), getattr(m, f"{space}_signs")
        if sorted(ids) != list(range(width)) or len(signs) != width:
            return f"network.mirror is no reflection of {width} {space} columns."
    return None
