"""Drawing real samples for the discriminator, inside jit: by weight, and never all of one motion."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jaxtyping import Array, Float, Int

from amp_sbx.normalizer import Normalizer
from amp_sbx.reference import ReferenceFeatures

MIN_MOTIONS = 3  # motions in every minibatch, or all there are (the data-first plan, 1.1.0)


@struct.dataclass
class Motions:
    """Where each motion's rows lie in the sampler: its first and last row, its part of `cdf`."""

    first: Int[Array, " motion"]
    last: Int[Array, " motion"]
    low: Float[Array, " motion"]
    high: Float[Array, " motion"]


@struct.dataclass
class ReferenceSampler:
    """Normalised reference on the device.

    `cdf` is the cumulative weight of the rows, None for uniform. `motions`, where known, keeps a minibatch diverse: rows of
    one motion are neighbours.
    """

    features: Float[Array, "samples feature"]
    cdf: Float[Array, " samples"] | None
    motions: Motions | None = None

    def sample(self, key: Array, batch_size: int) -> Float[Array, "batch feature"]:
        """Rows by weight; with `motions` the first few are of as many different motions, drawn by the motions' weights."""
        num_samples = self.features.shape[0]
        if self.cdf is None:
            return self.features[jax.random.randint(key, (batch_size,), 0, num_samples)]
        row_key, motion_key = jax.random.split(key)
        draws = jax.random.uniform(row_key, (batch_size,))
        rows = jnp.searchsorted(self.cdf, draws, side="right")
        if self.motions is not None:
            m, count = self.motions, min(MIN_MOTIONS, self.motions.low.shape[0], batch_size)
            # The largest of log weight + Gumbel noise are a draw without replacement (Gumbel top-k).
            noise = jax.random.gumbel(motion_key, m.low.shape)
            _, chosen = jax.lax.top_k(jnp.log(m.high - m.low) + noise, count)
            within = m.low[chosen] + draws[:count] * (m.high - m.low)[chosen]
            found = jnp.searchsorted(self.cdf, within, side="right")
            rows = rows.at[:count].set(jnp.clip(found, m.first[chosen], m.last[chosen]))
        return self.features[jnp.minimum(rows, num_samples - 1)]


def make_sampler(reference: ReferenceFeatures, normalizer: Normalizer) -> ReferenceSampler:
    """A sampler of the reference's rows. Motions whose rows all have weight 0 are never drawn."""
    features, weights, ids = reference.features, reference.weights, reference.motion_ids
    if weights is None and ids is None:
        return ReferenceSampler(normalizer(jnp.asarray(features)), None)
    order = np.arange(len(features)) if ids is None else np.argsort(ids, kind="stable")
    weights = np.ones(len(features)) if weights is None else weights[order].astype(np.float64)
    cumulative = np.cumsum(weights)
    cumulative /= cumulative[-1]
    motions = None
    if ids is not None:
        _, first, count = np.unique(ids[order], return_index=True, return_counts=True)
        last = first + count - 1
        low, high = np.concatenate([[0.0], cumulative])[first], cumulative[last]
        bounds = first, last, low.astype(np.float32), high.astype(np.float32)
        motions = Motions(*(jnp.asarray(x[high > low]) for x in bounds))
    return ReferenceSampler(normalizer(jnp.asarray(features[order])), jnp.asarray(cumulative, jnp.float32), motions)
