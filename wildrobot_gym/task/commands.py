"""Commanded velocities (vx, vy, yaw rate) in the heading frame."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from wildrobot_gym.task.sections import CommandConfig


def sample_command(key: jax.Array, config: CommandConfig) -> Float[Array, "3"]:
    """One draw: uniform in the ranges, or all zero for a fraction `standing_fraction` of the
    draws.
    """
    low, high = jnp.array([config.vx, config.vy, config.yaw_rate]).T
    key_value, key_stand = jax.random.split(key)
    command = jax.random.uniform(key_value, (3,), minval=low, maxval=high)
    return jnp.where(jax.random.uniform(key_stand) < config.standing_fraction, 0.0, command)
