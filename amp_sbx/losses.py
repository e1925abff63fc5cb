"""Losses of the discriminator and of PPO, as pure functions of scores, ratios and values."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
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


def bce_loss(
    scores_real: Float[Array, " real"],
    scores_fake: Float[Array, " fake"],
    target_real: float,
    target_fake: float,
) -> Scalar:
    """Cross-entropy of scores that are logits, half of it for either side; targets are probabilities.

    Goodfellow et al. 2014, arXiv:1406.2661, eq. 1 (and the seeds' first version). For targets 1 and 0 its minimiser is
    `D*(x) = log(p_real(x) / p_fake(x))`.
    """
    real = optax.sigmoid_binary_cross_entropy(scores_real, jnp.full_like(scores_real, target_real))
    fake = optax.sigmoid_binary_cross_entropy(scores_fake, jnp.full_like(scores_fake, target_fake))
    return 0.5 * (jnp.mean(real) + jnp.mean(fake))


def wgan_loss(
    scores_real: Float[Array, " real"],
    scores_fake: Float[Array, " fake"],
    target_real: float,
    target_fake: float,
) -> Scalar:
    """Wasserstein critic, `mean(D_fake) - mean(D_real)` (Arjovsky et al. 2017, arXiv:1701.07875); it has no targets.

    Only as good as what bounds the critic's slope: a gradient penalty.
    """
    return jnp.mean(scores_fake) - jnp.mean(scores_real)


# (scores_real, scores_fake, target_real, target_fake) -> loss. A new loss is one entry here.
DISCRIMINATOR_LOSSES: dict[str, Callable[[Array, Array, float, float], Array]] = {
    "lsgan": lsgan_loss,
    "bce": bce_loss,
    "wgan": wgan_loss,
}
# Each penalty by name, and the field of `AMPConfig` that holds its coefficient.
GRADIENT_PENALTIES: dict[str, str | None] = {"r1": "r1_gamma", "wgan_gp": "gp_lambda", "none": None}


def scores_and_r1(score: ScoreFn, features: Float[Array, "batch feature"]) -> tuple[Float[Array, " batch"], Scalar]:
    """Scores of real samples and the R1 penalty `mean_i ||grad_x D(x_i)||^2` from the same forward pass.

    Mescheder et al. 2018, arXiv:1801.04406, eq. 9 (the factor gamma/2 is the caller's).
    """
    scores, pullback = jax.vjp(score, features)
    (gradient,) = pullback(jnp.ones_like(scores))
    return scores, jnp.mean(jnp.sum(gradient**2, axis=-1))


def wgan_gp(score: ScoreFn, real: Float[Array, "batch feature"], fake: Float[Array, "batch feature"], key: Array) -> Scalar:
    """`mean_i (||grad_x D(x_i)|| - 1)^2` at random points between real and policy samples.

    Gulrajani et al. 2017, arXiv:1704.00028, eq. 3 (the factor lambda is the caller's).
    """
    share = jax.random.uniform(key, (real.shape[0], 1))
    _, pullback = jax.vjp(score, share * real + (1.0 - share) * fake)
    (gradient,) = pullback(jnp.ones(real.shape[0]))
    # The norm's own gradient is not finite at 0, where a fresh network may well be.
    return jnp.mean((jnp.sqrt(jnp.sum(gradient**2, axis=-1) + 1e-12) - 1.0) ** 2)


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


def normalize_advantages(advantages: Float[Array, "*batch"]) -> Float[Array, "*batch"]:
    """Zero mean, unit standard deviation over all that is given: a minibatch (SB3), or a whole rollout."""
    return (advantages - advantages.mean()) / (advantages.std() + 1e-8)
