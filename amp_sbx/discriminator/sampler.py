"""Draws reference samples inside jit: by weight, and from several motions."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jaxtyping import Array, Float, Int

from amp_sbx.discriminator.normalizer import Normalizer
from amp_sbx.reference.features import ReferenceFeatures

MIN_MOTIONS = 3
"""Motions in every minibatch, or all if there are fewer."""


@struct.dataclass
class Motions:
    """Each motion's part of the sampler: its first and last sample, and its part of `cdf`."""

    first: Int[Array, " motion"]
    last: Int[Array, " motion"]
    low: Float[Array, " motion"]
    high: Float[Array, " motion"]


@struct.dataclass
class ReferenceSampler:
    """The normalized reference on the device.

    Attributes:
        features: normalized samples, ordered by motion.
        cdf: cumulative weights; None for uniform weights.
        motions: parts of the motions, if they are known.
        low: lowest value of each column, held-out samples included.
        high: highest value of each column, held-out samples included.
        held_out: sampler of the held-out samples, if any.
        reflection: column ids and signs that mirror policy samples. The reference already holds
            its mirror images.
    """

    features: Float[Array, "samples feature"]
    cdf: Float[Array, " samples"] | None
    motions: Motions | None
    low: Float[Array, " feature"]
    high: Float[Array, " feature"]
    held_out: "ReferenceSampler | None" = None
    reflection: tuple[Int[Array, " feature"], Float[Array, " feature"]] | None = None

    def reflect_half(
        self, key: Array, amp_obs: Float[Array, "samples feature"]
    ) -> Float[Array, "samples feature"]:
        """Raw AMP observations, half of them mirrored if there is a reflection."""
        if self.reflection is None:
            return amp_obs
        ids, signs = self.reflection
        return jnp.where(
            jax.random.bernoulli(key, 0.5, (amp_obs.shape[0], 1)), signs * amp_obs[:, ids], amp_obs
        )

    def sample(self, key: Array, batch_size: int) -> Float[Array, "batch feature"]:
        """Draw samples by weight.

        With `motions`, the first few come from different motions, drawn by the motions' weights.
        """
        num_samples = self.features.shape[0]
        if self.cdf is None:
            return self.features[jax.random.randint(key, (batch_size,), 0, num_samples)]
        sample_key, motion_key = jax.random.split(key)
        draws = jax.random.uniform(sample_key, (batch_size,))
        drawn = jnp.searchsorted(self.cdf, draws, side="right")
        if self.motions is not None:
            m, count = self.motions, min(MIN_MOTIONS, self.motions.low.shape[0], batch_size)
            # Gumbel top-k: the largest of log weight + Gumbel noise, a draw without replacement.
            noise = jax.random.gumbel(motion_key, m.low.shape)
            _, chosen = jax.lax.top_k(jnp.log(m.high - m.low) + noise, count)
            within = m.low[chosen] + draws[:count] * (m.high - m.low)[chosen]
            found = jnp.searchsorted(self.cdf, within, side="right")
            drawn = drawn.at[:count].set(jnp.clip(found, m.first[chosen], m.last[chosen]))
        return self.features[jnp.minimum(drawn, num_samples - 1)]


def make_sampler(
    reference: ReferenceFeatures,
    normalizer: Normalizer,
    held_out: ReferenceFeatures | None = None,
    reflection: tuple[np.ndarray, np.ndarray] | None = None,
) -> ReferenceSampler:
    """Build a sampler.

    Args:
        reference: samples to learn from, none of weight 0.
        normalizer: normalizer of the samples.
        held_out: samples to judge by, if any.
        reflection: column ids and signs for policy samples, if any.
    """
    image = None if reflection is None else (jnp.asarray(reflection[0]), jnp.asarray(reflection[1]))
    features, weights, ids = reference.features, reference.weights, reference.motion_ids
    held = None if held_out is None else make_sampler(held_out, normalizer)
    samples = normalizer(jnp.asarray(features))
    low, high = samples.min(axis=0), samples.max(axis=0)
    if held is not None:
        low, high = jnp.minimum(low, held.low), jnp.maximum(high, held.high)
    if weights is None and ids is None:
        return ReferenceSampler(samples, None, None, low, high, held, image)
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
        samples[order], jnp.asarray(cumulative, jnp.float32), motions, low, high, held, image
    )
