"""Drawing real samples for the discriminator, inside jit: by weight, and never all of one motion."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jaxtyping import Array, Float, Int

from amp_sbx.discriminator.normalizer import Normalizer
from amp_sbx.reference.features import ReferenceFeatures

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
    one motion are neighbours. `low` and `high` bound each feature of all rows, held out or not; `held_out` samples rows that
    are never learned, to judge by. `reflection`, column ids and signs, is for policy samples: the reference holds its images
    already.
    """

    features: Float[Array, "samples feature"]
    cdf: Float[Array, " samples"] | None
    motions: Motions | None
    low: Float[Array, " feature"]
    high: Float[Array, " feature"]
    held_out: "ReferenceSampler | None" = None
    reflection: tuple[Int[Array, " feature"], Float[Array, " feature"]] | None = None

    def reflect_half(
        self, key: Array, rows: Float[Array, "rows feature"]
    ) -> Float[Array, "rows feature"]:
        """Each raw row or, as often as not, its mirror image; as they are without a reflection."""
        if self.reflection is None:
            return rows
        ids, signs = self.reflection
        return jnp.where(
            jax.random.bernoulli(key, 0.5, (rows.shape[0], 1)), signs * rows[:, ids], rows
        )

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


def make_sampler(
    reference: ReferenceFeatures,
    normalizer: Normalizer,
    held_out: ReferenceFeatures | None = None,
    reflection: tuple[np.ndarray, np.ndarray] | None = None,
) -> ReferenceSampler:
    """A sampler of the reference's rows, none of weight 0 (`reference.drawn_rows`)."""
    image = None if reflection is None else (jnp.asarray(reflection[0]), jnp.asarray(reflection[1]))
    features, weights, ids = reference.features, reference.weights, reference.motion_ids
    held = None if held_out is None else make_sampler(held_out, normalizer)
    rows = normalizer(jnp.asarray(features))
    low, high = rows.min(axis=0), rows.max(axis=0)
    if held is not None:
        low, high = jnp.minimum(low, held.low), jnp.maximum(high, held.high)
    if weights is None and ids is None:
        return ReferenceSampler(rows, None, None, low, high, held, image)
    order = np.arange(len(features)) if ids is None else np.argsort(ids, kind="stable")
    weights = np.ones(len(features)) if weights is None else weights[order].astype(np.float64)
    cumulative = np.cumsum(weights)
    cumulative /= cumulative[-1]
    motions = None
    if ids is not None:
        _, first, count = np.unique(ids[order], return_index=True, return_counts=True)
        last = first + count - 1
        begin, end = np.concatenate([[0.0], cumulative])[first], cumulative[last]
        parts = first, last, begin.astype(np.float32), end.astype(np.float32)
        motions = Motions(*(jnp.asarray(x) for x in parts))
    return ReferenceSampler(
        rows[order], jnp.asarray(cumulative, jnp.float32), motions, low, high, held, image
    )
