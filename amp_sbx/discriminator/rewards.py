"""Style rewards from discriminator scores."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

MIN_FAKE = 1e-4
"""Lower bound of 1 - real in `log_sigmoid_reward`, which then pays at most 9.2."""


def probability_of_real(
    loss: str, scores: Float[Array, "*batch"], target_real: float, target_fake: float
) -> Float[Array, "*batch"]:
    """Scores on a scale where 0 is fake and 1 is real.

    For "lsgan" it follows from the targets, for "bce" from the logistic function.
    """
    return (
        jax.nn.sigmoid(scores)
        if loss == "bce"
        else (scores - target_fake) / (target_real - target_fake)
    )


def clip_reward(
    scores: Float[Array, "*batch"], real: Float[Array, "*batch"]
) -> Float[Array, "*batch"]:
    """`clip(real, 0, 1)`: the probability of being real.

    A score of 0 pays 0, so staying alive alone earns no style reward.
    """
    return jnp.clip(real, 0.0, 1.0)


def quadratic_reward(
    scores: Float[Array, "*batch"], real: Float[Array, "*batch"]
) -> Float[Array, "*batch"]:
    """`max(0, 1 - (s - 1)^2 / 4)` of the score s on a scale from -1 to 1.

    Peng et al. 2021, arXiv:2104.02180, eq. 7. A sample that is surely fake earns 0, but an
    undecided one earns 0.75.
    """
    return jnp.maximum(0.0, 1.0 - (real - 1.0) ** 2)


def log_sigmoid_reward(
    scores: Float[Array, "*batch"], real: Float[Array, "*batch"]
) -> Float[Array, "*batch"]:
    """`-log(1 - real)` (Ho & Ermon 2016, arXiv:1606.03476), at most 9.2."""
    return -jnp.log(jnp.maximum(1.0 - real, MIN_FAKE))


def softplus_reward(
    scores: Float[Array, "*batch"], real: Float[Array, "*batch"]
) -> Float[Array, "*batch"]:
    """`log(1 + exp(score))`: positive and unbounded, for critic scores, which have no scale."""
    return jax.nn.softplus(scores)


# (score, probability of being real) -> reward. A new reward needs an entry here and one below.
STYLE_REWARDS: dict[str, Callable[[Array, Array], Array]] = {
    "clip": clip_reward,
    "quadratic": quadratic_reward,
    "log_sigmoid": log_sigmoid_reward,
    "softplus": softplus_reward,
}
# Rewards that fit a loss's scores: a critic's have no scale, and lsgan's are no logits.
REWARDS_OF_LOSS = {
    "lsgan": ("clip", "quadratic"),
    "bce": ("clip", "log_sigmoid", "softplus"),
    "wgan": ("softplus",),
}
