"""The ground around the feet, which a critic may see and no sensor of the robot measures."""

from __future__ import annotations

import itertools

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import AnyArray
from wildrobot_gym.task.reflection import Image
from wildrobot_gym.terrain import Ground

SPACING = 0.1  # m; about the length of a foot
SIDES = (-1, 0, 1)
OFFSETS = SPACING * np.array(list(itertools.product(SIDES, SIDES)), np.float32)
"""(point, 2) places around a foot in the heading frame, m: ahead, to the left."""


def scan(state: PhysicsState, ground: Ground | None) -> Float[AnyArray, "*b scan"]:
    """How far each foot is above the ground at nine points around it, m, foot by foot."""
    feet = state.foot_pos_w
    cos, sin = jnp.cos(state.yaw), jnp.sin(state.yaw)
    ahead, left = OFFSETS.T
    x = cos[..., None] * ahead - sin[..., None] * left
    y = sin[..., None] * ahead + cos[..., None] * left
    points = feet[..., :, None, :2] + jnp.stack([x, y], axis=-1)[..., None, :, :]
    height = 0.0 if ground is None else ground.height(points)
    above = jnp.broadcast_to(feet[..., 2:3] - height, points.shape[:-1])
    return above.reshape(*above.shape[:-2], -1)


def scan_columns(robot: RobotModel) -> list[str]:
    """Name of each column, such as `left_foot ahead 0.1 left -0.1`."""
    return [f"{foot} ahead {x:g} left {y:g}" for foot in robot.foot_names for x, y in OFFSETS]


def scan_image(robot: RobotModel) -> Image:
    """Image of the columns: the other foot's, with the points on the other side."""
    sides = len(SIDES)
    points = [i // sides * sides + sides - 1 - i % sides for i in range(len(OFFSETS))]
    feet = robot.check_symmetric().foot_ids
    ids = [int(foot) * len(OFFSETS) + point for foot in feet for point in points]
    return ids, [1.0] * len(ids)
