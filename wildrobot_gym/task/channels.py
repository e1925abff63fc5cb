"""Channels: what the observation and the AMP features are made of, each defined once.

A channel is a named group of columns. Widths, column names, mirror maps and the tables of the
documentation are all made from these definitions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import struct
from jaxtyping import Float

from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import AnyArray
from wildrobot_gym.task.ground_scan import scan, scan_columns, scan_image
from wildrobot_gym.task.reflection import (
    PSEUDOVECTOR,
    SCALAR,
    VECTOR,
    Image,
    joint_image,
    pad_image,
    row_image,
)
from wildrobot_gym.terrain import Ground

# m/s, m/s, rad/s; a part of a command that is less moves nothing
SLOW_COMMAND = np.array([0.05, 0.05, 0.1], np.float32)


@struct.dataclass
class Sample:
    """What a channel reads from. AMP features read the physics state and the command."""

    state: PhysicsState
    command: Any = None  # (*b, 3) vx m/s, vy m/s, yaw rate rad/s
    action: Any = None  # (*b, joint) filtered
    home: Any = None  # (joint,) joint positions of the home pose, rad
    switch_force: Any = None  # N; a foot switch closes above it
    phase: Any = None  # (*b,) of the gait clock, cycles
    mean_error: Any = None  # (*b, 3) velocity minus command, averaged
    draws: Any = None  # by name, what the episode's randomization drew
    ground: Ground | None = struct.field(pytree_node=False, default=None)  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Kind:
    """How columns of one kind are named, and how they mirror."""

    columns: Callable[[RobotModel], Sequence[str]]
    image: Callable[[RobotModel], Image]


JOINTS = Kind(lambda robot: robot.joint_names, joint_image)
PADS = Kind(lambda robot: robot.pad_names, pad_image)
VECTORS = Kind(lambda _: "xyz", lambda _: VECTOR)
PSEUDOVECTORS = Kind(lambda _: "xyz", lambda _: PSEUDOVECTOR)
HEIGHTS = Kind(lambda _: "z", lambda _: SCALAR)
SCANS = Kind(scan_columns, scan_image)
COMMANDS = Kind(lambda _: ("vx", "vy", "yaw_rate"), lambda _: (range(3), (1.0, -1.0, -1.0)))
# The mirror image of a walk is half a cycle later, where sine and cosine have the other sign.
CLOCKS = Kind(lambda _: ("sin", "cos"), lambda _: (range(2), (-1.0, -1.0)))


@dataclass(frozen=True)
class Channel:
    """A named group of columns.

    Attributes:
        name: Its name in layouts and column names.
        meaning: What it is, in words.
        unit: Unit of every column, or of each in turn.
        frame: Frame that it is given in.
        kind: How its columns are named and mirrored.
        read: Its values in a sample, unscaled.
        scale: Factor in the observation, which brings a walking robot's values near 1.
        read_world: Its values in the world frame, where there is a choice.
        sensor: What measures it on the robot: "imu", "encoder" or "switch"; None: nothing does, or
            the controller knows it.
    """

    name: str
    meaning: str
    unit: str
    frame: str
    kind: Kind
    read: Callable[[Sample], Float[AnyArray, "*b width"]]
    scale: float = 1.0
    read_world: Callable[[Sample], Float[AnyArray, "*b width"]] | None = None
    sensor: str | None = None


JOINT_OFFSET = Channel(
    "joint_offset",
    "joint positions minus the home pose",
    "rad",
    "joint",
    JOINTS,
    lambda x: x.state.joint_pos - x.home,
    sensor="encoder",
)
JOINT_POS = Channel(
    "joint_pos",
    "joint positions",
    "rad",
    "joint",
    JOINTS,
    lambda x: x.state.joint_pos,
    sensor="encoder",
)
JOINT_VEL = Channel(
    "joint_vel",
    "joint velocities",
    "rad/s",
    "joint",
    JOINTS,
    lambda x: x.state.joint_vel,
    0.1,
    sensor="encoder",
)
ROOT_LIN_VEL = Channel(
    "root_lin_vel",
    "root linear velocity",
    "m/s",
    "heading",
    VECTORS,
    lambda x: x.state.base_lin_vel_h,
    read_world=lambda x: x.state.base_lin_vel_w,
)
ROOT_ANG_VEL = Channel(
    "root_ang_vel",
    "root angular velocity",
    "rad/s",
    "heading",
    PSEUDOVECTORS,
    lambda x: x.state.base_ang_vel_h,
    0.25,
    lambda x: x.state.base_ang_vel_w,
)
GYRO = Channel(
    "gyro",
    "angular velocity as a gyro measures it",
    "rad/s",
    "base",
    PSEUDOVECTORS,
    lambda x: x.state.qvel[..., 3:6],
    0.25,
    sensor="imu",
)
ROOT_HEIGHT = Channel(
    "root_height",
    "root height over the ground",
    "m",
    "world",
    HEIGHTS,
    lambda x: x.state.base_height[..., None],
)
FOOT_CONTACTS = Channel(
    "foot_contacts",
    "normal force of each pad; features make a contact of 0 to 1 from it",
    "N",
    "pad",
    PADS,
    lambda x: x.state.pad_forces,
    0.1,
)
FOOT_SWITCHES = Channel(
    "foot_switches",
    "1 where a pad's switch is closed, else 0",
    "0 or 1",
    "pad",
    PADS,
    lambda x: (x.state.pad_forces > x.switch_force).astype(x.state.pad_forces.dtype),
    sensor="switch",
)
GRAVITY = Channel(
    "gravity",
    "gravity direction; (0, 0, -1) upright",
    "unit vector",
    "base",
    VECTORS,
    lambda x: x.state.projected_gravity,
    sensor="imu",
)
COMMAND = Channel("command", "command", "m/s, m/s, rad/s", "heading", COMMANDS, lambda x: x.command)
ACTION = Channel("action", "last filtered action", "-1 to 1", "joint", JOINTS, lambda x: x.action)
DIRECTION = Channel(
    "direction",
    "sign of each part of the command; 0 below 0.05 m/s, 0.1 rad/s",
    "-1, 0 or 1",
    "heading",
    COMMANDS,
    lambda x: jnp.where(jnp.abs(x.command) < SLOW_COMMAND, 0.0, jnp.sign(x.command)),
)
GROUND_SCAN = Channel(
    "ground_scan",
    "height of each foot over the ground at nine points around it, 0.1 m apart",
    "m",
    "heading",
    SCANS,
    lambda x: scan(x.state, x.ground),
    10.0,
)
CLOCK = Channel(
    "clock",
    "sine and cosine of a gait clock; 0 under the command to stand",
    "-1 to 1",
    "-",
    CLOCKS,
    lambda x: _clock(x),
)
MEAN_ERROR = Channel(
    "mean_error",
    "velocity minus command, averaged over about a stride as in the reward",
    "m/s, m/s, rad/s",
    "heading",
    COMMANDS,
    lambda x: x.mean_error,
)

OBSERVATION = (JOINT_OFFSET, JOINT_VEL, ROOT_LIN_VEL, ROOT_ANG_VEL, GRAVITY, COMMAND, ACTION)
"""The channels of the default observation, in order."""

OBSERVATION_CHANNELS = {
    channel.name: channel
    for channel in (
        *(JOINT_OFFSET, JOINT_POS, JOINT_VEL, ROOT_LIN_VEL, ROOT_ANG_VEL, GYRO, GRAVITY),
        *(ROOT_HEIGHT, FOOT_CONTACTS, FOOT_SWITCHES, COMMAND, ACTION, CLOCK, GROUND_SCAN),
    )
}
"""The channels that observations may have, by name."""

PRIVILEGED_CHANNELS = {MEAN_ERROR.name: MEAN_ERROR}
"""What only the critic may see besides, by name."""

AMP_CHANNELS = {
    channel.name: channel
    for channel in (
        *(JOINT_POS, JOINT_VEL, ROOT_LIN_VEL, ROOT_ANG_VEL, ROOT_HEIGHT, FOOT_CONTACTS),
        DIRECTION,
    )
}
"""The channels that AMP features may have, by name."""


def width(channel: Channel, robot: RobotModel) -> int:
    """Number of the channel's columns."""
    return len(channel.kind.columns(robot))


def column_names(channels: Iterable[Channel], robot: RobotModel) -> list[str]:
    """Name of every column in turn, such as `joint_vel[left_knee_pitch]` or `root_lin_vel[x]`."""
    return [f"{c.name}[{column}]" for c in channels for column in c.kind.columns(robot)]


def mirror_of(channels: Iterable[Channel], robot: RobotModel) -> tuple[list[int], list[float]]:
    """Reflection y -> -y of the channels' columns: the image of `x` is `signs * x[ids]`."""
    return row_image(channel.kind.image(robot) for channel in channels)


def channel_table() -> str:
    """The channels that observations may have, as a Markdown table."""
    rows = ["| channel | what | unit | frame | factor | measured by |", "|---|---|---|---|---|---|"]
    for c in OBSERVATION_CHANNELS.values():
        rows.append(
            f"| {c.name} | {c.meaning} | {c.unit} | {c.frame} | {c.scale:g} | {c.sensor or '-'} |"
        )
    return "\n".join(rows)


def _clock(x: Sample) -> Float[AnyArray, "*b 2"]:
    angle = 2.0 * jnp.pi * x.phase
    running = jnp.any(x.command != 0.0, axis=-1, keepdims=True)
    return jnp.where(running, jnp.stack([jnp.sin(angle), jnp.cos(angle)], axis=-1), 0.0)


def observation_table(robot: RobotModel) -> str:
    """The default observation as a Markdown table."""
    rows = [f"| index (n = {robot.num_joints}) | channel | what | unit | frame | factor |"]
    rows.append("|---|---|---|---|---|---|")
    first = 0
    for c in OBSERVATION:
        last = first + width(c, robot) - 1
        rows.append(
            f"| {first} - {last} | {c.name} | {c.meaning} | {c.unit} | {c.frame} | {c.scale:g} |"
        )
        first = last + 1
    return "\n".join(rows)
