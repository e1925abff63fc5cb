"""From a discriminator's score to the style reward of one transition."""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float


def clip_reward(scores: Float[Array, "*batch"]) -> Float[Array, "*batch"]:
    """`clip(D, 0, 1)`: with LSGAN's targets the score is read as a probability of being real (seed v0.6.0).

    A score of 0 pays 0, so merely staying alive earns no style.
    """
    return jnp.clip(scores, 0.0, 1.0)


# score -> reward. A new mapping is one entry here.
STYLE_REWARDS: dict[str, Callable[[Array], Array]] = {"clip": clip_reward}
