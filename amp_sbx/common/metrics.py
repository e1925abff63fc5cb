"""Metrics of the discriminator and of the PPO update, computable inside `jit`."""

import jax.numpy as jnp
from jaxtyping import Array, Float

Scalar = Float[Array, ""]


def accuracy(
    scores_real: Float[Array, " real"],
    scores_policy: Float[Array, " policy"],
    threshold: float = 0.5,
) -> Scalar:
    """Mean of the fractions of real scores above and of policy scores not above `threshold`."""
    return 0.5 * (jnp.mean(scores_real > threshold) + jnp.mean(scores_policy <= threshold))


def auc(scores_real: Float[Array, " real"], scores_policy: Float[Array, " policy"]) -> Scalar:
    """Area under the ROC curve, `P(real > fake) + P(real = fake) / 2` (Mann-Whitney U).

    Unlike the accuracy, it does not depend on a threshold. At 0.5, the scores do not separate real
    from policy samples.
    """
    ordered = jnp.sort(scores_policy)
    below = jnp.searchsorted(ordered, scores_real, side="left")
    below_or_equal = jnp.searchsorted(ordered, scores_real, side="right")
    return jnp.mean((below + below_or_equal) / 2.0) / scores_policy.shape[0]


def discriminator_metrics(
    scores_real: Float[Array, " real"], scores_policy: Float[Array, " policy"], threshold: float
) -> dict[str, Scalar]:
    """The `amp/*` metrics that depend on scores only."""
    return {
        "disc_acc": accuracy(scores_real, scores_policy, threshold),
        "disc_auc": auc(scores_real, scores_policy),
        "disc_real_mean": scores_real.mean(),
        "disc_fake_mean": scores_policy.mean(),
        "disc_real_std": scores_real.std(),
        "disc_fake_std": scores_policy.std(),
        "logit_min": jnp.minimum(scores_real.min(), scores_policy.min()),
        "logit_max": jnp.maximum(scores_real.max(), scores_policy.max()),
    }


def approx_kl(log_ratio: Float[Array, " batch"]) -> Scalar:
    """Low-variance estimate of KL(old || new), `mean((r - 1) - log r)`.

    See Schulman, http://joschu.net/blog/kl-approx.html.
    """
    return jnp.mean(jnp.expm1(log_ratio) - log_ratio)


def explained_variance(values: Float[Array, "*shape"], returns: Float[Array, "*shape"]) -> Scalar:
    """`1 - Var[returns - values] / Var[returns]`.

    1 is perfect, 0 is as good as the mean, and NaN means constant returns.
    """
    variance = jnp.var(returns)
    return jnp.where(variance == 0, jnp.nan, 1.0 - jnp.var(returns - values) / variance)
