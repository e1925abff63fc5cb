"""Losses of the discriminator, as pure functions of scores."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

Scalar = Float[Array, ""]
ScoreFn = Callable[[Float[Array, "batch feature"]], Float[Array, " batch"]]


def lsgan_loss(
    scores_real: Float[Array, " real"],
    scores_policy: Float[Array, " policy"],
    target_real: float,
    target_fake: float,
) -> Scalar:
    """Least-squares GAN loss, `0.5 (mean((D_real - a)^2) + mean((D_fake - b)^2))`.

    Mao et al. 2017, arXiv:1611.04076, eq. 2. For targets a = 1 and b = 0, its minimizer is
    `D*(x) = p_real(x) / (p_real(x) + p_fake(x))`.
    """
    return 0.5 * (
        jnp.mean((scores_real - target_real) ** 2) + jnp.mean((scores_policy - target_fake) ** 2)
    )


def bce_loss(
    scores_real: Float[Array, " real"],
    scores_policy: Float[Array, " policy"],
    target_real: float,
    target_fake: float,
) -> Scalar:
    """Cross-entropy of logits, half of it for each side. Targets are probabilities.

    Goodfellow et al. 2014, arXiv:1406.2661, eq. 1. For targets 1 and 0, its minimizer is
    `D*(x) = log(p_real(x) / p_fake(x))`.
    """
    real = optax.sigmoid_binary_cross_entropy(scores_real, jnp.full_like(scores_real, target_real))
    fake = optax.sigmoid_binary_cross_entropy(
        scores_policy, jnp.full_like(scores_policy, target_fake)
    )
    return 0.5 * (jnp.mean(real) + jnp.mean(fake))


def wgan_loss(
    scores_real: Float[Array, " real"],
    scores_policy: Float[Array, " policy"],
    target_real: float,
    target_fake: float,
) -> Scalar:
    """Wasserstein loss, `mean(D_fake) - mean(D_real)` (Arjovsky et al. 2017, arXiv:1701.07875).

    It has no targets, and needs a gradient penalty that bounds the critic's slope.
    """
    return jnp.mean(scores_policy) - jnp.mean(scores_real)


# (scores_real, scores_policy, target_real, target_fake) -> loss. A new loss needs an entry here.
DISCRIMINATOR_LOSSES: dict[str, Callable[[Array, Array, float, float], Array]] = {
    "lsgan": lsgan_loss,
    "bce": bce_loss,
    "wgan": wgan_loss,
}
# Gradient penalties by name, and the field of `AMPConfig` with the coefficient.
GRADIENT_PENALTIES: dict[str, str | None] = {"r1": "r1_gamma", "wgan_gp": "gp_lambda", "none": None}


def scores_and_r1(
    score: ScoreFn, features: Float[Array, "batch feature"]
) -> tuple[Float[Array, " batch"], Scalar]:
    """Scores of real samples and their R1 penalty, `mean_i ||grad_x D(x_i)||^2`, in one pass.

    Mescheder et al. 2018, arXiv:1801.04406, eq. 9. The caller applies the factor gamma / 2.
    """
    scores, pullback = jax.vjp(score, features)
    (gradient,) = pullback(jnp.ones_like(scores))
    return scores, jnp.mean(jnp.sum(gradient**2, axis=-1))


def wgan_gp(
    score: ScoreFn,
    real: Float[Array, "batch feature"],
    policy: Float[Array, "batch feature"],
    key: Array,
) -> Scalar:
    """`mean_i (||grad_x D(x_i)|| - 1)^2` at random points between real and policy samples.

    Gulrajani et al. 2017, arXiv:1704.00028, eq. 3. The caller applies the factor lambda.
    """
    fraction = jax.random.uniform(key, (real.shape[0], 1))
    _, pullback = jax.vjp(score, fraction * real + (1.0 - fraction) * policy)
    (gradient,) = pullback(jnp.ones(real.shape[0]))
    # The gradient of the norm is not finite at 0, where a new network can be.
    return jnp.mean((jnp.sqrt(jnp.sum(gradient**2, axis=-1) + 1e-12) - 1.0) ** 2)
