"""Channels: what the observation and the AMP features are made of, each defined once.

A channel is a named group of columns. Widths, column names, mirror maps and the tables of the
documentation are all made from these definitions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flax import struct
from jaxtyping import Float

from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import AnyArray
from wildrobot_gym.task.reflection import (
    PSEUDOVECTOR,
    SCALAR,
    VECTOR,
    Image,
    joint_image,
    pad_image,
    row_image,
)


@struct.dataclass
class Sample:
    """What a channel reads from. AMP features read the physics state alone."""

    state: PhysicsState
    command: Any = None  # (*b, 3) vx m/s, vy m/s, yaw rate rad/s
    action: Any = None  # (*b, joint) filtered
    home: Any = None  # (joint,) joint positions of the home pose, rad


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
COMMANDS = Kind(lambda _: ("vx", "vy", "yaw_rate"), lambda _: (range(3), (1.0, -1.0, -1.0)))


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
    """

    name: str
    meaning: str
    unit: str
    frame: str
    kind: Kind
    read: Callable[[Sample], Float[AnyArray, "*b width"]]
    scale: float = 1.0
    read_world: Callable[[Sample], Float[AnyArray, "*b width"]] | None = None


JOINT_OFFSET = Channel(
    "joint_offset",
    "joint positions minus the home pose",
    "rad",
    "joint",
    JOINTS,
    lambda x: x.state.joint_pos - x.home,
)
JOINT_POS = Channel(
    "joint_pos", "joint positions", "rad", "joint", JOINTS, lambda x: x.state.joint_pos
)
JOINT_VEL = Channel(
    "joint_vel", "joint velocities", "rad/s", "joint", JOINTS, lambda x: x.state.joint_vel, 0.1
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
ROOT_HEIGHT = Channel(
    "root_height", "root height", "m", "world", HEIGHTS, lambda x: x.state.base_pos_w[..., 2:3]
)
FOOT_CONTACTS = Channel(
    "foot_contacts",
    "normal force of each pad; features make a contact of 0 to 1 from it",
    "N",
    "pad",
    PADS,
    lambda x: x.state.pad_forces,
)
GRAVITY = Channel(
    "gravity",
    "gravity direction; (0, 0, -1) upright",
    "unit vector",
    "base",
    VECTORS,
    lambda x: x.state.projected_gravity,
)
COMMAND = Channel("command", "command", "m/s, m/s, rad/s", "heading", COMMANDS, lambda x: x.command)
ACTION = Channel("action", "last filtered action", "-1 to 1", "joint", JOINTS, lambda x: x.action)

OBSERVATION = (JOINT_OFFSET, JOINT_VEL, ROOT_LIN_VEL, ROOT_ANG_VEL, GRAVITY, COMMAND, ACTION)
"""The channels of the observation, in order."""

AMP_CHANNELS = {
    channel.name: channel
    for channel in (JOINT_POS, JOINT_VEL, ROOT_LIN_VEL, ROOT_ANG_VEL, ROOT_HEIGHT, FOOT_CONTACTS)
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


def observation_table(robot: RobotModel) -> str:
    """The observation as a Markdown table."""
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
