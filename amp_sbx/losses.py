"""Losses of the discriminator and of PPO, as pure functions of scores, ratios and values."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Scalar = Float[Array, ""]
ScoreFn = Callable[[Float[Array, "batch feature"]], Float[Array, " batch"]]


def lsgan_loss(
    scores_real: Float[Array, " real"],
    scores_fake: Float[Array, " fake"],
    target_real: float,
    target_fake: float,
) -> Scalar:
    """Least-squares GAN loss, `0.5 (mean((D_real - a)^2) + mean((D_fake - b)^2))`.

    Mao et al. 2017, arXiv:1611.04076, eq. 2 (and seed v0.6.0). For targets a = 1, b = 0 its minimiser is
    `D*(x) = p_real(x) / (p_real(x) + p_fake(x))`.
    """
    return 0.5 * (jnp.mean((scores_real - target_real) ** 2) + jnp.mean((scores_fake - target_fake) ** 2))


# (scores_real, scores_fake, target_real, target_fake) -> loss. A new loss is one entry here.
DISCRIMINATOR_LOSSES: dict[str, Callable[[Array, Array, float, float], Array]] = {"lsgan": lsgan_loss}


def scores_and_r1(score: ScoreFn, features: Float[Array, "batch feature"]) -> tuple[Float[Array, " batch"], Scalar]:
    """Scores of real samples and the R1 penalty `mean_i ||grad_x D(x_i)||^2` from the same forward pass.

    Mescheder et al. 2018, arXiv:1801.04406, eq. 9 (the factor gamma/2 is the caller's).
    """
    scores, pullback = jax.vjp(score, features)
    (gradient,) = pullback(jnp.ones_like(scores))
    return scores, jnp.mean(jnp.sum(gradient**2, axis=-1))


def clipped_surrogate(
    ratio: Float[Array, " batch"], advantages: Float[Array, " batch"], clip_range: Float[Array, ""] | float
) -> Scalar:
    """PPO's policy loss, `-mean(min(r A, clip(r, 1 - eps, 1 + eps) A))` (Schulman et al. 2017, eq. 7)."""
    clipped = jnp.clip(ratio, 1.0 - clip_range, 1.0 + clip_range)
    return -jnp.mean(jnp.minimum(ratio * advantages, clipped * advantages))


def value_loss(
    values: Float[Array, " batch"],
    old_values: Float[Array, " batch"],
    returns: Float[Array, " batch"],
    clip_range_vf: Float[Array, ""] | float | None,
) -> Scalar:
    """Mean squared error to the return; `clip_range_vf` limits how far a prediction moves from the old one (as SB3)."""
    if clip_range_vf is not None:
        values = old_values + jnp.clip(values - old_values, -clip_range_vf, clip_range_vf)
    return jnp.mean((returns - values) ** 2)


def normalize_advantages(advantages: Float[Array, " batch"]) -> Float[Array, " batch"]:
    """Zero mean, unit standard deviation over the minibatch (SB3)."""
    return (advantages - advantages.mean()) / (advantages.std() + 1e-8)
