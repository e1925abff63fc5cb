"""When an episode ends by itself. The time limit is no termination: it truncates."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Bool

from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.task.sections import TerminationConfig


def terminated(state: PhysicsState, config: TerminationConfig) -> Bool[Array, "*b"]:
    """Whether the base is too low, too high or tilted past the limit, or the simulation
    diverged.
    """
    height = state.base_height
    low: Any = config.min_height  # `fitted` puts the robot's own in place of None
    high: Any = config.max_height
    ended = (height < low) | (height > high) | state.diverged
    if config.max_tilt is not None:
        ended |= state.projected_gravity[..., 2] > -jnp.cos(config.max_tilt)
    return ended
