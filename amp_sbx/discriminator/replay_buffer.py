"""Ring buffer of past policy samples, as pure functions of fixed shape for `jit`.

The discriminator also sees past policies, so it does not forget what it learned to reject.
"""

import jax
import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Bool, Float, Int


@struct.dataclass
class ReplayBuffer:
    """Past samples: `data[:size]` is filled, and the next sample goes to `position`."""

    data: Float[Array, "capacity feature"]
    position: Int[Array, ""]
    size: Int[Array, ""]


def init(capacity: int, feature_dim: int) -> ReplayBuffer:
    """An empty buffer. One of capacity 0 stays empty."""
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
    """Write samples in order over the oldest ones.

    Args:
        buffer: the buffer.
        samples: new samples. Of more than the capacity, the last ones remain.
        enabled: if false, nothing changes. The buffer is not copied for this.
    """
    capacity = buffer.data.shape[0]
    if capacity == 0:
        return buffer
    skipped = max(0, samples.shape[0] - capacity)
    kept = samples[skipped:]
    places = (buffer.position + skipped + jnp.arange(kept.shape[0])) % capacity
    places = jnp.where(enabled, places, capacity)  # out of range: dropped by the scatter
    written = jnp.where(enabled, samples.shape[0], 0)
    return ReplayBuffer(
        data=buffer.data.at[places].set(kept, mode="drop"),
        position=(buffer.position + written) % capacity,
        size=jnp.minimum(buffer.size + written, capacity),
    )


def sample(buffer: ReplayBuffer, key: Array, batch_size: int) -> Float[Array, "batch feature"]:
    """Draw samples uniformly with replacement; zeros while the buffer is empty."""
    drawn = jax.random.randint(key, (batch_size,), 0, jnp.maximum(buffer.size, 1))
    return buffer.data[drawn]
