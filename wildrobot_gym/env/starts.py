"""Starts of episodes: the robots' places in physics, and the lengths of first episodes."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from wildrobot_gym.physics.base import Physics
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.task.contact import lowest_corner
from wildrobot_gym.task.protocol import NO_LIMIT

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


def episode_limits(
    stagger_key: jax.Array | None, max_episode_steps: int, num_envs: int
) -> np.ndarray:
    """Lengths of new episodes in control steps, (num_envs,).

    Args:
        stagger_key: Random key, to spread the lengths evenly in a random order. Time-outs then come
            a few at a time for the whole run. None: all episodes are whole.
        max_episode_steps: Length of a whole episode.
        num_envs: Number of environments.
    """
    if stagger_key is None or num_envs == 1 or max_episode_steps == NO_LIMIT:
        return np.full(num_envs, max_episode_steps, np.int32)
    order = jax.random.permutation(jax.random.fold_in(stagger_key, 0), num_envs)
    return np.asarray(1 + (np.asarray(order, np.int64) * max_episode_steps) // num_envs, np.int32)
