"""Fixed feature normalisation, computed once from the reference (seed v0.6.0).

Running statistics would drift towards the policy's motion and make the reference look out of distribution.
"""

import numpy as np
from flax import struct
from jax import numpy as jnp
from jaxtyping import Array, Float

VARIANCE_EPSILON = 1e-8  # seed v0.6.0


@struct.dataclass
class Normalizer:
    """`clip((x - mean) / std, -clip, clip)` per channel."""

    mean: Float[Array, " feature"]
    std: Float[Array, " feature"]
    clip: float = struct.field(pytree_node=False, default=10.0)

    def __call__(self, features: Float[Array, "*batch feature"]) -> Float[Array, "*batch feature"]:
        """Normalised features. The clip keeps one exploding simulation step from dominating the discriminator."""
        return jnp.clip((features - self.mean) / self.std, -self.clip, self.clip)


def fit_normalizer(
    features: np.ndarray,
    weights: np.ndarray | None = None,
    min_std: float = 1e-2,
    clip: float = 10.0,
) -> Normalizer:
    """Statistics of the reference.

    `std = max(sqrt(var + 1e-8), min_std * max(1, |mean|))`. The floor is there for channels that the reference hardly
    moves (an exactly constant height, angular velocities of a planar gait): without it a deviation of a millimetre
    would count as hundreds of standard deviations and give every policy sample away. It presumes features of order
    one (SI units): 1e-2 is 1 cm, 0.6 degrees, 1 cm/s.

    Args:
        features: (num_samples, feature_dim), finite.
        weights: (num_samples,), non-negative, or None for equal ones; the statistics are those of the weighted set.
        min_std: the floor above.
        clip: bound of the normalised feature in standard deviations.
    """
    data = np.asarray(features, dtype=np.float64)
    mean = np.average(data, axis=0, weights=weights)
    variance = np.average((data - mean) ** 2, axis=0, weights=weights)
    std = np.maximum(np.sqrt(variance + VARIANCE_EPSILON), min_std * np.maximum(1.0, np.abs(mean)))
    return Normalizer(
        mean=jnp.asarray(mean, jnp.float32), std=jnp.asarray(std, jnp.float32), clip=clip
    )
