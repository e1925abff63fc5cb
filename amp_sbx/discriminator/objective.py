"""The discriminator's training objective: GAN loss plus gradient penalty."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from amp_sbx.common.metrics import discriminator_metrics
from amp_sbx.discriminator.config import AMPConfig
from amp_sbx.discriminator.losses import DISCRIMINATOR_LOSSES, scores_and_r1, wgan_gp
from amp_sbx.discriminator.state import apply_network


def discriminator_loss(
    config: AMPConfig,
    params: dict,
    batch_stats: dict,
    real: Float[Array, "batch feature"],
    policy: Float[Array, "batch feature"],
    key: Array,
    mask: Float[Array, " feature"] | None = None,
    penalty_coefficient: Array | float | None = None,
) -> tuple[Array, tuple[dict, dict[str, Array]]]:
    """Loss of one batch of normalized AMP observations.

    Args:
        config: AMP settings.
        params: network parameters.
        batch_stats: state of spectral normalization.
        real: reference samples.
        policy: policy samples.
        key: random key; `wgan_gp` draws points between the two.
        mask: see `AMPState`. The penalized function includes it, so hidden columns have no slope.
        penalty_coefficient: replaces the configured `r1_gamma` or `gp_lambda`.

    Returns:
        `(loss, (new_batch_stats, metrics))`. Spectral normalization advances by one power
        iteration.
    """

    def score(samples: Array) -> Array:
        return jnp.asarray(apply_network(config, params, batch_stats, mask, samples))

    coefficient: Array | float = 0.0
    if config.gradient_penalty == "r1":
        scores_real, penalty = scores_and_r1(score, real)
        coefficient = 0.5 * (
            config.r1_gamma if penalty_coefficient is None else penalty_coefficient
        )
    else:
        scores_real, penalty = score(real), jnp.float32(0.0)
    if config.gradient_penalty == "wgan_gp":
        penalty = wgan_gp(score, real, policy, key)
        coefficient = config.gp_lambda if penalty_coefficient is None else penalty_coefficient
    scores_policy, mutated = apply_network(
        config, params, batch_stats, mask, policy, update_stats=True, mutable=["batch_stats"]
    )
    gan_loss = DISCRIMINATOR_LOSSES[config.loss](
        scores_real, scores_policy, config.smoothed_target, config.target_fake
    )
    loss = gan_loss + coefficient * penalty
    metrics = discriminator_metrics(scores_real, scores_policy, config.threshold)
    metrics |= {"disc_loss": loss, "grad_penalty": penalty}
    return loss, (mutated.get("batch_stats", {}), metrics)
