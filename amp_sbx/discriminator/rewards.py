"""From a discriminator's score to the style reward of one transition."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

MIN_FAKE = 1e-4  # least probability of being fake that log_sigmoid counts with: it pays at most 9.2


def probability_of_real(
    loss: str, scores: Float[Array, "*batch"], target_real: float, target_fake: float
) -> Float[Array, "*batch"]:
    """The score on the scale on which 0 is fake and 1 is real: of `lsgan` by its targets, of `bce` by the logistic function."""
    return (
        jax.nn.sigmoid(scores)
        if loss == "bce"
        else (scores - target_fake) / (target_real - target_fake)
    )


def clip_reward(
    scores: Float[Array, "*batch"], real: Float[Array, "*batch"]
) -> Float[Array, "*batch"]:
    """`clip(real, 0, 1)`: the score read as a probability of being real (seed v0.6.0).

    A score of 0 pays 0, so merely staying alive earns no style.
    """
    return jnp.clip(real, 0.0, 1.0)


def quadratic_reward(
    scores: Float[Array, "*batch"], real: Float[Array, "*batch"]
) -> Float[Array, "*batch"]:
    """`max(0, 1 - (s - 1)^2 / 4)` of the score s on the scale -1 ... 1 (Peng et al. 2021, arXiv:2104.02180, eq. 7).

    A participation trophy where targets are 0 and 1 and the score is put in as it is: what is surely fake was paid 0.75 (seed
    v0.4.0). On its own scale, as here, surely fake pays 0; undecided still pays 0.75.
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
    """`log(1 + exp(score))`: positive, and without a bound; what a critic's score, which has no scale, can pay."""
    return jax.nn.softplus(scores)


# (score, the score as a probability of being real) -> reward. A new mapping is one entry here, and one below.
STYLE_REWARDS: dict[str, Callable[[Array, Array], Array]] = {
    "clip": clip_reward,
    "quadratic": quadratic_reward,
    "log_sigmoid": log_sigmoid_reward,
    "softplus": softplus_reward,
}
# Which rewards fit the scores that a loss makes: a critic's have no scale, least squares' are no logits.
REWARDS_OF_LOSS = {
    "lsgan": ("clip", "quadratic"),
    "bce": ("clip", "log_sigmoid", "softplus"),
    "wgan": ("softplus",),
}
