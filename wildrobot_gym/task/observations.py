"""The policy's observation: one frame of proprioception, in fixed scales.

The scaling is part of the environment, so that a saved policy is whole without a file of running statistics.
"""

from __future__ import annotations

from collections.abc import Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float

from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import gravity_direction, rotate, to_heading
from wildrobot_gym.task.reflection import PSEUDOVECTOR, VECTOR, Image, joint_image, row_image

# name, width (None: one a joint), unit, frame, factor. Factors bring a walking robot's values near +-1.
LAYOUT: tuple[tuple[str, int | None, str, str, float], ...] = (
    ("joint_pos", None, "rad, minus the home pose", "joint", 1.0),
    ("joint_vel", None, "rad/s", "joint", 0.1),
    ("root_lin_vel", 3, "m/s", "heading", 1.0),
    ("root_ang_vel", 3, "rad/s", "heading", 0.25),
    ("gravity", 3, "unit vector", "base", 1.0),
    ("command", 3, "m/s, m/s, rad/s", "heading", 1.0),
    ("action", None, "filtered, -1 ... 1", "joint", 1.0),
)
CLIP = 10.0  # after scaling; a real state never gets there, a state about to blow up must not poison a batch


def observation_dim(robot: RobotModel) -> int:
    """Width of the observation: 3n + 12."""
    return sum(robot.num_joints if width is None else width for _, width, *_ in LAYOUT)


def observation_mirror(robot: RobotModel, further: Sequence[Image] = ()) -> dict[str, list]:
    """Reflection y -> -y of observation and action: the image of a vector x is ``signs * x[ids]``.

    Joints go by the robot's mirror map. ``further``: of the columns that a task adds to :func:`observe`'s.
    """
    joints = joint_image(robot)
    images = {
        "joint_pos": joints,
        "joint_vel": joints,
        "root_lin_vel": VECTOR,
        "root_ang_vel": PSEUDOVECTOR,
        "gravity": VECTOR,
        "command": (range(3), (1.0, -1.0, -1.0)),
        "action": joints,
    }
    obs_ids, obs_signs = row_image([*(images[name] for name, *_ in LAYOUT), *further])
    action_ids, action_signs = row_image([joints])
    return {
        "obs_ids": obs_ids,
        "obs_signs": obs_signs,
        "action_ids": action_ids,
        "action_signs": action_signs,
    }


def observe(
    home: Float[Array, "joint"],
    state: PhysicsState,
    command: Float[Array, "*b 3"],
    action: Float[Array, "*b joint"],
) -> Float[Array, "*b obs"]:
    """Observation of one instant; ``action`` is the last filtered action (the action filter's memory)."""
    quat = state.base_quat_w
    values = {
        "joint_pos": state.joint_pos - home,
        "joint_vel": state.joint_vel,
        "root_lin_vel": to_heading(quat, state.qvel[..., :3]),
        "root_ang_vel": to_heading(quat, rotate(quat, state.qvel[..., 3:6])),
        "gravity": gravity_direction(quat),
        "command": command,
        "action": action,
    }
    scaled = [values[name] * factor for name, _, _, _, factor in LAYOUT]
    return jnp.clip(jnp.concatenate(scaled, axis=-1), -CLIP, CLIP)
