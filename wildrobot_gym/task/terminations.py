"""When an episode ends by itself. The time limit is no termination: it truncates (``walk``)."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Bool

from wildrobot_gym.config import TerminationConfig
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.rotations import gravity_direction


def terminated(state: PhysicsState, config: TerminationConfig) -> Bool[Array, "*b"]:
    """Base too low or too high, tilted past the limit where one is set, or the simulation has blown up."""
    height = state.base_pos_w[..., 2]
    ended = (height < config.min_height) | (height > config.max_height) | state.diverged
    if config.max_tilt is not None:
        ended |= gravity_direction(state.base_quat_w)[..., 2] > -jnp.cos(config.max_tilt)
    return ended
