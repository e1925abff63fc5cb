"""Fixed normalization of AMP observations, computed once from the reference.

Running statistics would drift towards the policy's motion, away from the reference.
"""

import numpy as np
from flax import struct
from jax import numpy as jnp
from jaxtyping import Array, Float

VARIANCE_EPSILON = 1e-8


@struct.dataclass
class Normalizer:
    """`clip((x - mean) / std, -clip, clip)` for each column."""

    mean: Float[Array, " feature"]
    std: Float[Array, " feature"]
    clip: float = struct.field(pytree_node=False, default=10.0)

    def __call__(self, features: Float[Array, "*batch feature"]) -> Float[Array, "*batch feature"]:
        """Normalized AMP observations. The clip limits the effect of a diverging simulation."""
        return jnp.clip((features - self.mean) / self.std, -self.clip, self.clip)


def fit_normalizer(
    features: np.ndarray,
    weights: np.ndarray | None = None,
    min_std: float = 1e-2,
    clip: float = 10.0,
) -> Normalizer:
    """Compute the statistics of a reference.

    `std = max(sqrt(var + 1e-8), min_std * max(1, |mean|))`. The lower bound is for columns that the
    reference hardly moves, such as a constant height. Without it, a millimeter would count as
    hundreds of standard deviations and give every policy sample away. It assumes SI units: 1e-2 is
    1 cm, 0.6 degrees or 1 cm/s.

    Args:
        features: (num_samples, feature_dim) finite samples.
        weights: (num_samples,) non-negative weights; None for equal ones.
        min_std: lower bound of the standard deviation.
        clip: bound of normalized values, in standard deviations.
    """
    data = np.asarray(features, dtype=np.float64)
    mean = np.average(data, axis=0, weights=weights)
    variance = np.average((data - mean) ** 2, axis=0, weights=weights)
    std = np.maximum(np.sqrt(variance + VARIANCE_EPSILON), min_std * np.maximum(1.0, np.abs(mean)))
    return Normalizer(
        mean=jnp.asarray(mean, jnp.float32), std=jnp.asarray(std, jnp.float32), clip=clip
    )
