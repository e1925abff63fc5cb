"""Starts of episodes: robots on the floor, and the lengths of first episodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from wildrobot_gym.physics.native import NativePhysics
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import AnyArray
from wildrobot_gym.task.contact import sole_heights, sole_points
from wildrobot_gym.task.protocol import NO_LIMIT

# m; about how far the robot's weight presses a resting sole into MuJoCo's soft floor.
SOLE_DEPTH = 1e-3


def lift_to_floor(
    robot: RobotModel, qpos: Float[AnyArray, "*b nq"], state: PhysicsState
) -> Float[AnyArray, "*b nq"]:
    """The pose, lifted where a sole is deep in the floor, which would throw the robot up.

    Noise on joints and tilt can press a sole into the floor. It is lifted to the depth of a resting
    sole, not to the floor's height, where rounding would decide whether there is a contact.

    On other ground, the lowest sole is as high over the ground as that leaves it over a floor.

    Args:
        robot: The robot.
        qpos: The pose over a level floor.
        state: Physics at that pose.
    """
    xp: Any = qpos.__array_namespace__()
    soles = sole_heights(robot, state).min(axis=-1, keepdims=True)
    if robot.ground is None:
        lift = xp.maximum(-soles - SOLE_DEPTH, 0.0)
    else:
        level = sole_points(robot, state)[..., 2].min(axis=(-2, -1))[..., None]
        lift = xp.maximum(level, -SOLE_DEPTH) - soles
    return xp.concatenate([qpos[..., :2], qpos[..., 2:3] + lift, qpos[..., 3:]], axis=-1)


def place_on_floor(
    physics: NativePhysics,
    ids: np.ndarray,
    qpos: np.ndarray,
    qvel: np.ndarray,
    fields: Mapping[str, np.ndarray],
) -> PhysicsState:
    """Place some robots, and lift those whose soles are in the floor.

    Args:
        physics: The simulations.
        ids: (n,) robots to place, sorted.
        qpos: (n, nq) their poses.
        qvel: (n, nv) their velocities.
        fields: Values of their model fields that differ from the robot's own.

    Returns:
        The state of all robots.
    """
    state = physics.reset(ids, qpos, qvel, fields)
    some = jax.tree.map(lambda value: value[ids], state)
    lifted = lift_to_floor(physics.robot, qpos, some)
    return state if np.array_equal(lifted, qpos) else physics.reset(ids, lifted, qvel)


def episode_limits(
    stagger: np.random.Generator | None, max_episode_steps: int, num_envs: int
) -> np.ndarray:
    """Lengths of new episodes in control steps, (num_envs,).

    Args:
        stagger: Random numbers, to spread the lengths evenly in a random order. Time-outs then come
            a few at a time for the whole run. None: all episodes are whole.
        max_episode_steps: Length of a whole episode.
        num_envs: Number of environments.
    """
    if stagger is None or num_envs == 1 or max_episode_steps == NO_LIMIT:
        return np.full(num_envs, max_episode_steps, np.int32)
    order = stagger.permutation(num_envs)
    return (1 + order * max_episode_steps // num_envs).astype(np.int32)
