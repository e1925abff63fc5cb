"""AMP features: one function for clips and for simulation, so that a discriminator can compare the
two.

Both sides pass a `PhysicsState`; a clip makes its own by forward kinematics. The layout is data:
names and widths in order. It is written into checkpoints and datasets, and both sides must have the
same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
from jaxtyping import Float

from wildrobot_gym.config import shown, to_dict
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import AnyArray, quat_conjugate, quat_mul, rotation_vector
from wildrobot_gym.task.channels import (
    AMP_CHANNELS,
    FOOT_CONTACTS,
    ROOT_LIN_VEL,
    Channel,
    Sample,
    column_names,
    mirror_of,
    width,
)
from wildrobot_gym.task.config import EnvConfig
from wildrobot_gym.task.contact import contact_reader, contact_scale
from wildrobot_gym.task.sections import FeatureConfig

MOVING_SPEED = 0.1  # m/s; below it a velocity has no direction (seed v0.3.0)
CLIPPED_SPEED = 1.5  # m/s (data-first plan, option B)
# A layout leaves these out where they have these values: the shipped files' layouts are written so.
_LEFT_OUT = (("velocities", "simulation"), ("control_dt", EnvConfig.control_dt))

Reader = Callable[[Sample], Float[AnyArray, "*b width"]]


def feature_layout(
    robot: RobotModel, config: FeatureConfig, control_dt: float = EnvConfig.control_dt
) -> dict[str, Any]:
    """What the columns of `amp_obs` mean, as JSON types.

    Args:
        robot: Has the joints and pads.
        config: Has the channels and their definitions.
        control_dt: s.

    Returns:
        `robot`, `joints`, `channels` (name and width of each), and `definitions` (the config's
        other settings).
    """
    definitions = {**to_dict(config), "control_dt": control_dt}
    definitions["contact_scale"] = contact_scale(robot, config)
    del definitions["channels"]
    return {
        "robot": robot.name,
        "joints": list(robot.joint_names),
        "channels": [[c.name, width(c, robot)] for c in _channels(config)],
        "definitions": {k: v for k, v in definitions.items() if (k, v) not in _LEFT_OUT},
    }


def frame_dim(layout: dict[str, Any]) -> int:
    """Width of one frame's features."""
    return sum(width for _, width in layout["channels"])


def feature_dim(layout: dict[str, Any]) -> int:
    """Width of `amp_obs`: one frame's features times the frames of a window."""
    return frame_dim(layout) * layout["definitions"]["history"]["frames"]


def feature_names(robot: RobotModel, layout: dict[str, Any]) -> list[str]:
    """Name of each column of one frame, such as `joint_vel[left_knee_pitch]` or
    `root_lin_vel[x]`.
    """
    return column_names([AMP_CHANNELS[name] for name, _ in layout["channels"]], robot)


def feature_mirror(robot: RobotModel, layout: dict[str, Any]) -> dict[str, list[Any]]:
    """Reflection y -> -y of `amp_obs`: the image of a window `x` is `amp_signs * x[amp_ids]`."""
    frame = [AMP_CHANNELS[name] for name, _ in layout["channels"]]
    ids, signs = mirror_of(frame * layout["definitions"]["history"]["frames"], robot)
    return {"amp_ids": ids, "amp_signs": signs}


def make_frame_features(
    robot: RobotModel, config: FeatureConfig, control_dt: float = EnvConfig.control_dt
) -> Callable[..., Float[AnyArray, "*b feature"]]:
    """The function from a physics state to one frame's features.

    Its second argument is the pose one control step ago, for velocities by 'finite_difference'.
    Without one, as in the first state of an episode or a clip, the state's own velocities are used.
    The third is the command, which only the channel `direction` reads.

    Args:
        robot: Has the joints and pads.
        config: Has the channels and their definitions.
        control_dt: s.

    Returns:
        `frame_features(state, previous_qpos=None, command=None)`, in rad, rad/s, m and m/s.
    """
    readers = [_reader(channel, robot, config) for channel in _channels(config)]

    def frame_features(
        state: PhysicsState,
        previous_qpos: Float[AnyArray, "*b nq"] | None = None,
        command: Float[AnyArray, "*b 3"] | None = None,
    ) -> Float[AnyArray, "*b feature"]:
        if config.velocities == "finite_difference" and previous_qpos is not None:
            velocities = mean_velocities(previous_qpos, state.qpos, control_dt)
            state = dataclasses.replace(state, qvel=velocities)
        sample = Sample(state, command)
        return jnp.concatenate([read(sample) for read in readers], axis=-1)

    return frame_features


def mean_velocities(
    before: Float[AnyArray, "*b nq"], after: Float[AnyArray, "*b nq"], dt: float
) -> Float[AnyArray, "*b nv"]:
    """Mean velocities between two poses `dt` s apart, in MuJoCo's convention (as
    `mj_differentiatePos`).
    """
    turn = rotation_vector(quat_mul(quat_conjugate(before[..., 3:7]), after[..., 3:7]))
    moved = [after[..., :3] - before[..., :3], turn, after[..., 7:] - before[..., 7:]]
    return jnp.concatenate(moved, axis=-1) / dt


def shape_velocity(velocity: Float[AnyArray, "*b 3"], how: str) -> Float[AnyArray, "*b 3"]:
    """Root velocity in one of three forms.

    Args:
        velocity: m/s.
        how: 'raw'; 'clipped' to 1.5 m/s in each direction; or its 'direction', zero below 0.1 m/s
            (seed v0.3.0).
    """
    if how == "raw":
        return velocity
    if how == "clipped":
        return jnp.clip(velocity, -CLIPPED_SPEED, CLIPPED_SPEED)
    speed = jnp.linalg.norm(velocity, axis=-1, keepdims=True)
    return jnp.where(speed > MOVING_SPEED, velocity / jnp.maximum(speed, MOVING_SPEED), 0.0)


def _channels(config: FeatureConfig) -> list[Channel]:
    """The config's channels, without contacts where they are 'none'."""
    channels = [AMP_CHANNELS[name] for name in config.channels]
    return [c for c in channels if not (c is FOOT_CONTACTS and config.contacts == "none")]


def _reader(channel: Channel, robot: RobotModel, config: FeatureConfig) -> Reader:
    """How `config` reads a channel from a physics state."""
    if channel is FOOT_CONTACTS:
        contacts = contact_reader(robot, config)
        return lambda sample: contacts(sample.state)
    read = channel.read
    if config.velocity_frame == "world" and channel.read_world is not None:
        read = channel.read_world
    if channel is ROOT_LIN_VEL:
        return lambda sample: shape_velocity(read(sample), config.root_velocity)
    return read


def layout_differences(reference: Mapping[str, Any], other: Mapping[str, Any], where: str) -> str:
    """Entries in which two layouts differ, with what only one of them has; empty where none does.

    Args:
        reference: The reference's layout.
        other: Another layout.
        where: What it is the layout of.
    """
    keys = [k for k in sorted({*reference, *other}) if reference.get(k) != other.get(k)]
    return "; ".join(
        f"{k}: reference {_alone(reference.get(k), other.get(k))}, {where}"
        f" {_alone(other.get(k), reference.get(k))}"
        for k in keys
    )


def _alone(value: Any, than: Any) -> str:
    """What `value` has and `than` has not, as text."""
    if isinstance(value, Mapping) and isinstance(than, Mapping):
        value = {key: item for key, item in value.items() if than.get(key) != item}
    elif isinstance(value, list) and isinstance(than, list):
        value = [item for item in value if item not in than]
    return shown(value)
