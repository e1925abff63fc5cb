"""Ring buffer of past policy samples, pure and of fixed shape, so that it lives inside `jit` (seed v0.6.0).

The discriminator sees old policies beside the present one and does not forget what it learnt to reject.
"""

import jax
import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Bool, Float, Int


@struct.dataclass
class ReplayBuffer:
    """`data[:size]` is filled; the next row is written at `position`."""

    data: Float[Array, "capacity feature"]
    position: Int[Array, ""]
    size: Int[Array, ""]


def init(capacity: int, feature_dim: int) -> ReplayBuffer:
    """An empty buffer. Capacity 0 is allowed and stays empty for ever."""
    return ReplayBuffer(
        data=jnp.zeros((capacity, feature_dim), jnp.float32),
        position=jnp.zeros((), jnp.int32),
        size=jnp.zeros((), jnp.int32),
    )


def add(
    buffer: ReplayBuffer,
    samples: Float[Array, "batch feature"],
    enabled: Bool[Array, ""] | bool = True,
) -> ReplayBuffer:
    """Write `samples` in order, overwriting the oldest rows.

    Of a batch larger than the capacity the last `capacity` rows remain. With `enabled` false nothing changes; this is
    not a select over the whole buffer, which would cost a copy of it.
    """
    capacity = buffer.data.shape[0]
    if capacity == 0:
        return buffer
    skipped = max(0, samples.shape[0] - capacity)
    kept = samples[skipped:]
    rows = (buffer.position + skipped + jnp.arange(kept.shape[0])) % capacity
    rows = jnp.where(enabled, rows, capacity)  # out of range: dropped by the scatter
    written = jnp.where(enabled, samples.shape[0], 0)
    return ReplayBuffer(
        data=buffer.data.at[rows].set(kept, mode="drop"),
        position=(buffer.position + written) % capacity,
        size=jnp.minimum(buffer.size + written, capacity),
    )


def sample(buffer: ReplayBuffer, key: Array, batch_size: int) -> Float[Array, "batch feature"]:
    """`batch_size` rows drawn uniformly with replacement. Meaningless (zeros) while the buffer is empty."""
    rows = jax.random.randint(key, (batch_size,), 0, jnp.maximum(buffer.size, 1))
    return buffer.data[rows]
