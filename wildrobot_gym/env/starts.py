"""Starts of episodes: the robots' places in physics, and the lengths of first episodes."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from wildrobot_gym.physics.base import Physics
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.task.contact import lowest_corner

# m; about how far the robot's weight presses a resting sole into MuJoCo's soft floor.
SOLE_DEPTH = 1e-3


def place_on_floor(physics: Physics, mask: np.ndarray, starts: Any) -> PhysicsState:
    """Place the robots of `mask` at their starts; the state of all environments.

    Noise on joints and tilt can press a sole into the floor, which would throw the robot up. Such a
    robot is lifted onto the floor.
    """
    ids = np.flatnonzero(mask)
    qpos, qvel = np.array(starts.qpos)[ids], np.asarray(starts.qvel)[ids]
    state = physics.reset(ids, qpos, qvel)
    soles = lowest_corner(
        np.asarray(state.pad_pos_w)[ids],
        np.asarray(state.foot_quat_w)[ids],
        physics.robot.pad_half_size,
        physics.robot.pad_ids_of_foot,
    )
    depth = np.maximum(-soles.min(axis=-1), 0.0)
    if (depth > SOLE_DEPTH).any():
        qpos[:, 2] += np.where(depth > SOLE_DEPTH, depth, 0.0)
        state = physics.reset(ids, qpos, qvel)
    return state


def staggered_limits(key: jax.Array, max_episode_steps: int, num_envs: int) -> np.ndarray:
    """Lengths of first episodes in control steps, spread evenly in a random order, (num_envs,).

    Time-outs then come a few at a time for the whole run.
    """
    order = np.asarray(jax.random.permutation(jax.random.fold_in(key, 0), num_envs), np.int64)
    return np.asarray(1 + (order * max_episode_steps) // num_envs, np.int32)
