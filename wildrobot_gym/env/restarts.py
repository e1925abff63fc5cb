"""Restarts of the few environments of a batch whose episodes have ended, inside JAX."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_batching import custom_vmap
from jaxtyping import Array, Bool

SMALLEST_CHUNK = 16
CHUNKS = 16  # in which all environments of a batch restart


def restarting(restart: Callable[[Any], Any]) -> Callable[[Bool[Array, ""], Any], Any]:
    """`restart` where a flag is set, so that a batch pays for those environments alone.

    Under `vmap`, a choice between two branches computes both for every environment. A restart
    costs as much as a physics step, and few episodes end in a control step.

    Args:
        restart: From one environment's state to a new episode's state.

    Returns:
        `restart_if(ended, state)`, for one environment or under `vmap`.
    """

    def restart_if(ended: Bool[Array, ""], state: Any) -> Any:
        leaves, structure = jax.tree.flatten(state)
        unflatten = partial(jax.tree.unflatten, structure)

        @custom_vmap  # of a list, because it fills trees with flags, which typed fields refuse
        def choose(ended: Array, leaves: list[Array]) -> list[Array]:
            chosen = jax.lax.cond(ended, restart, lambda same: same, unflatten(leaves))
            return jax.tree.leaves(chosen)

        @choose.def_vmap
        def _(axis_size: int, in_batched: Any, ended: Array, leaves: list[Array]) -> Any:
            def batch(batched: bool, leaf: Array) -> Array:
                return leaf if batched else jnp.broadcast_to(leaf, (axis_size, *leaf.shape))

            ended, leaves = jax.tree.map(batch, tuple(in_batched), (ended, leaves))
            new = jax.tree.leaves(restart_where(restart, ended, unflatten(leaves)))
            return new, [True] * len(new)

        return unflatten(choose(ended, leaves))

    return restart_if


def restart_where(
    restart: Callable[..., Any], ended: Bool[Array, "env"], state: Any, *arguments: Any
) -> Any:
    """`restart` where `ended`, a chunk of environments at a time.

    Args:
        restart: From one environment's state, and its `arguments`, to a new episode's state.
        ended: (env,) environments that restart.
        state: States with a leading environment axis.
        *arguments: Trees of arrays with a leading environment axis.
    """
    num_envs = ended.shape[0]
    size = chunk_size(num_envs)

    def chunk(carry: tuple[Array, Any]) -> tuple[Array, Any]:
        waiting, state = carry
        (ids,) = jnp.nonzero(waiting, size=size, fill_value=num_envs)
        # Ids past the end fill the chunk: they read the last environment and write nothing.
        some = jax.tree.map(lambda x: x.at[ids].get(mode="clip"), (state, *arguments))
        new = jax.vmap(restart)(*some)
        state = jax.tree.map(lambda x, y: x.at[ids].set(y, mode="drop"), state, new)
        return waiting.at[ids].set(False, mode="drop"), state

    return jax.lax.while_loop(lambda carry: carry[0].any(), chunk, (ended, state))[1]


def chunk_size(num_envs: int) -> int:
    """How many environments of a batch restart together."""
    return min(num_envs, max(SMALLEST_CHUNK, -(-num_envs // CHUNKS)))
