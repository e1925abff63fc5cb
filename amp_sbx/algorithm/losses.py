"""Losses of PPO, as pure functions of ratios, advantages and values."""

import jax.numpy as jnp
from jaxtyping import Array, Float

Scalar = Float[Array, ""]


def clipped_surrogate(
    ratio: Float[Array, " batch"],
    advantages: Float[Array, " batch"],
    clip_range: Float[Array, ""] | float,
) -> Scalar:
    """PPO's policy loss, `-mean(min(r A, clip(r, 1 - eps, 1 + eps) A))`.

    Schulman et al. 2017, arXiv:1707.06347, eq. 7.
    """
    clipped = jnp.clip(ratio, 1.0 - clip_range, 1.0 + clip_range)
    return -jnp.mean(jnp.minimum(ratio * advantages, clipped * advantages))


def value_loss(
    values: Float[Array, " batch"],
    old_values: Float[Array, " batch"],
    returns: Float[Array, " batch"],
    clip_range_vf: Float[Array, ""] | float | None,
) -> Scalar:
    """Mean squared error to the return.

    `clip_range_vf` limits how far a prediction moves from the old one, as in SB3.
    """
    if clip_range_vf is not None:
        values = old_values + jnp.clip(values - old_values, -clip_range_vf, clip_range_vf)
    return jnp.mean((returns - values) ** 2)


def normalize_advantages(advantages: Float[Array, "*batch"]) -> Float[Array, "*batch"]:
    """Normalize to zero mean and unit standard deviation."""
    return (advantages - advantages.mean()) / (advantages.std() + 1e-8)
