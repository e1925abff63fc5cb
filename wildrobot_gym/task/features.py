"""AMP features: ONE function for clips and for simulation, so that a discriminator can compare the two.

Both sides hand in a :class:`PhysicsState`; a clip makes its own by forward kinematics (``motion.clip``). The layout
(names and widths, in order) is data: it is written into checkpoints and datasets and must be equal on both sides.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from wildrobot_gym.config import EnvConfig, FeatureConfig, to_dict
from wildrobot_gym.errors import RobotError
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import (
    AnyArray,
    quat_conjugate,
    quat_mul,
    rotate,
    rotation_vector,
    to_heading,
)
from wildrobot_gym.task import contact
from wildrobot_gym.task.reflection import (
    PSEUDOVECTOR,
    SCALAR,
    VECTOR,
    joint_image,
    pad_image,
    row_image,
)

MOVING_SPEED = 0.1  # m/s; below it a velocity has no direction (seed v0.3.0)
CLIPPED_SPEED = 1.5  # m/s (data-first plan, option B)
# Younger than some checkpoints: stand in a layout only where they are others.
_UNSAID = (("velocities", "simulation"), ("control_dt", EnvConfig.control_dt))


def feature_layout(
    robot: RobotModel, config: FeatureConfig, control_dt: float = EnvConfig.control_dt
) -> dict[str, Any]:
    """What the columns of ``amp_obs`` mean, as JSON types: channel names with widths, history, robot, definitions."""
    n, pads = robot.num_joints, len(robot.pad_names)
    definitions = {**to_dict(config), "control_dt": control_dt}
    widths = {
        "joint_pos": n,
        "joint_vel": n,
        "root_lin_vel": 3,
        "root_ang_vel": 3,
        "root_height": 1,
        "foot_contacts": pads if config.contacts != "none" else 0,
    }
    return {
        "robot": robot.name,
        "joints": list(robot.joint_names),
        "channels": [[name, widths[name]] for name in config.channels if widths[name]],
        "definitions": {
            k: v for k, v in definitions.items() if k != "channels" and (k, v) not in _UNSAID
        },
    }


def frame_dim(layout: dict[str, Any]) -> int:
    """Width of one frame's features."""
    return sum(width for _, width in layout["channels"])


def feature_dim(layout: dict[str, Any]) -> int:
    """Width of ``amp_obs``: one frame's features times the frames of history."""
    return frame_dim(layout) * layout["definitions"]["history"]["frames"]


def feature_names(robot: RobotModel, layout: dict[str, Any]) -> list[str]:
    """What each column of one frame's features is, such as ``joint_vel[left_knee_pitch]`` or ``root_lin_vel[x]``."""
    of_channel = {
        "joint_pos": robot.joint_names,
        "joint_vel": robot.joint_names,
        "foot_contacts": robot.pad_names,
    }
    names = []
    for channel, width in layout["channels"]:
        columns = of_channel.get(channel, "xyz" if width == 3 else ("z",))
        names += [f"{channel}[{column}]" for column in columns]
    return names


def feature_mirror(robot: RobotModel, layout: dict[str, Any]) -> dict[str, list]:
    """Reflection y -> -y of ``amp_obs``: the image of a window ``x`` is ``amp_signs * x[amp_ids]``."""
    images = {
        "joint_pos": joint_image(robot),
        "joint_vel": joint_image(robot),
        "root_lin_vel": VECTOR,
        "root_ang_vel": PSEUDOVECTOR,
        "root_height": SCALAR,
        "foot_contacts": pad_image(robot),
    }
    frame = [images[channel] for channel, _ in layout["channels"]]
    ids, signs = row_image(frame * layout["definitions"]["history"]["frames"])
    return {"amp_ids": ids, "amp_signs": signs}


def make_frame_features(
    robot: RobotModel, config: FeatureConfig, control_dt: float = EnvConfig.control_dt
) -> Callable[..., Float[AnyArray, "*b feature"]]:
    """The function from a physics state to one frame's features (rad, rad/s, m/s, m; velocities in the heading frame).

    Where ``config.velocities`` is 'finite_difference' it takes the pose one control step ago, too, as its second argument; a
    state that has none before it, the first of an episode or a clip, keeps its own velocities.
    """
    legs = _leg_angles(robot) if config.contacts == "estimated" else None
    foot_of_pad = np.argmax(
        [[p in ids for p in range(len(robot.pad_names))] for ids in robot.pad_ids_of_foot], axis=0
    )

    def foot_contacts(state: PhysicsState) -> Float[AnyArray, "*b pad"]:
        if config.contacts == "force":
            return contact.force_contacts(state.pad_forces, config.contact_scale)
        if config.contacts == "proxy":
            return contact.proxy_contacts(
                state.pad_pos_w[..., 2],
                contact.pad_speed(state),
                config.proxy_height,
                config.proxy_speed,
            )
        if legs is None:
            raise RobotError("contacts 'none' have no values.")
        thigh_ids, thigh_signs, knee_ids = legs
        thigh = state.joint_pos[..., thigh_ids] * thigh_signs
        return contact.estimated_contacts(thigh, state.joint_pos[..., knee_ids], config)[
            ..., foot_of_pad
        ]

    def channel(name: str, state: PhysicsState) -> Float[AnyArray, "*b width"]:
        if name == "joint_pos":
            return state.joint_pos
        if name == "joint_vel":
            return state.joint_vel
        if name == "root_height":
            return state.base_pos_w[..., 2:3]
        if name == "foot_contacts":
            return foot_contacts(state)
        in_frame = to_heading if config.velocity_frame == "heading" else _in_world
        if name == "root_lin_vel":
            return shape_velocity(
                in_frame(state.base_quat_w, state.qvel[..., :3]), config.root_velocity
            )
        return in_frame(state.base_quat_w, rotate(state.base_quat_w, state.qvel[..., 3:6]))

    names = [c for c in config.channels if not (c == "foot_contacts" and config.contacts == "none")]

    def frame_features(
        state: PhysicsState, previous_qpos: Float[AnyArray, "*b nq"] | None = None
    ) -> Float[AnyArray, "*b feature"]:
        if config.velocities == "finite_difference" and previous_qpos is not None:
            state = dataclasses.replace(
                state, qvel=mean_velocities(previous_qpos, state.qpos, control_dt)
            )
        return jnp.concatenate([channel(name, state) for name in names], axis=-1)

    return frame_features


def mean_velocities(
    before: Float[AnyArray, "*b nq"], after: Float[AnyArray, "*b nq"], dt: float
) -> Float[AnyArray, "*b nv"]:
    """Mean velocities between two poses ``dt`` s apart, in MuJoCo's convention (as ``mj_differentiatePos``)."""
    turn = rotation_vector(quat_mul(quat_conjugate(before[..., 3:7]), after[..., 3:7]))
    return (
        jnp.concatenate(
            [after[..., :3] - before[..., :3], turn, after[..., 7:] - before[..., 7:]], axis=-1
        )
        / dt
    )


def shape_velocity(velocity: Float[AnyArray, "*b 3"], how: str) -> Float[AnyArray, "*b 3"]:
    """Root velocity as 'raw' m/s, 'clipped' to +-1.5 m/s, or its 'direction' (zero below 0.1 m/s; seed v0.3.0)."""
    if how == "raw":
        return velocity
    if how == "clipped":
        return jnp.clip(velocity, -CLIPPED_SPEED, CLIPPED_SPEED)
    speed = jnp.linalg.norm(velocity, axis=-1, keepdims=True)
    return jnp.where(speed > MOVING_SPEED, velocity / jnp.maximum(speed, MOVING_SPEED), 0.0)


def _in_world(_: Float[AnyArray, "*b 4"], v_w: Float[AnyArray, "*b 3"]) -> Float[AnyArray, "*b 3"]:
    return v_w


def _leg_angles(robot: RobotModel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Thigh and knee joint of each leg, and the sign that makes a thigh angle positive forward.

    A leg's thigh is its first joint about y; forward is turning about -y. The knee is the next joint about y.
    """
    thighs, signs, knees = [], [], []
    for foot in robot.foot_names:
        pitch = [j for j in robot.leg_joint_names(foot) if abs(robot.model.joint(j).axis[1]) > 0.9]
        if len(pitch) < 2:
            raise RobotError(
                f"contacts 'estimated' needs a hip and a knee pitch joint in the leg of {foot!r}."
            )
        thighs.append(robot.joint_names.index(pitch[0]))
        signs.append(-np.sign(robot.model.joint(pitch[0]).axis[1]))
        knees.append(robot.joint_names.index(pitch[1]))
    return np.array(thighs), np.array(signs), np.array(knees)
