"""The AMP discriminator: an MLP that scores AMP observations (Peng et al. 2021, 2104.02180)."""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from amp_sbx.common.activations import elu

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "elu": elu,
    "gelu": nn.gelu,
    "leaky_relu": nn.leaky_relu,
    "relu": nn.relu,
    "sigmoid": nn.sigmoid,
    "silu": nn.silu,
    "softplus": nn.softplus,
    "tanh": nn.tanh,
}
NORMALIZATIONS = ("layer", "spectral", "none")


class Discriminator(nn.Module):
    """Scores AMP observations: high for the reference's motion, low for the policy's.

    Every hidden layer is `Dense -> normalization -> activation`. "layer" is flax's `LayerNorm`.
    "spectral" divides a kernel by its largest singular value (Miyato et al. 2018,
    arXiv:1802.05957). Power iteration estimates it; its vectors are in the `batch_stats`
    collection. The output layer is not normalized, so that scores can span both targets.

    Attributes:
        hidden_dims: width of each hidden layer.
        normalization: one of `NORMALIZATIONS`.
        activation: a key of `ACTIVATIONS`.
    """

    hidden_dims: tuple[int, ...]
    normalization: str
    activation: str

    @nn.compact
    def __call__(
        self, features: Float[Array, "batch feature"], update_stats: bool = False
    ) -> Float[Array, " batch"]:
        """Raw scores.

        Args:
            features: normalized AMP observations.
            update_stats: store the power iteration's progress. True only in the discriminator's
                training step, so that computing a reward does not change the next one.
        """
        x = features
        for dim in self.hidden_dims:
            # The output's small scale starts all scores near 0.
            dense = nn.Dense(dim, kernel_init=nn.initializers.orthogonal(2.0**0.5))
            spectral = self.normalization == "spectral"
            x = nn.SpectralNorm(dense)(x, update_stats=update_stats) if spectral else dense(x)
            if self.normalization == "layer":
                x = nn.LayerNorm()(x)
            x = ACTIVATIONS[self.activation](x)
        return nn.Dense(1, kernel_init=nn.initializers.orthogonal(0.01))(x).squeeze(-1)


def init_discriminator(model: Discriminator, feature_dim: int, key: Array) -> tuple[dict, dict]:
    """New `(params, batch_stats)`; `batch_stats` is empty without spectral normalization."""
    variables = model.init(key, jnp.zeros((1, feature_dim)))
    return variables["params"], variables.get("batch_stats", {})


def score_in_chunks(
    score: Callable[[Float[Array, "batch feature"]], Float[Array, " batch"]],
    features: Float[Array, "samples feature"],
    chunk: int = 8192,
) -> Float[Array, " samples"]:
    """`score(features)`, computed `chunk` samples at a time to limit memory."""
    if features.shape[0] <= chunk:
        return score(features)
    return jax.lax.map(lambda sample: score(sample[None])[0], features, batch_size=chunk)
