"""Points where the processes of one training wait for each other.

The collectives of JAX's CPU runtime give up after 30 seconds, and a process can be later than that:
it compiles, evaluates or writes a checkpoint. So all meet here first.
"""

import hashlib
from typing import Any

import jax
import numpy as np
from jax._src import distributed  # the public API has no barrier without a collective
from jax.experimental import multihost_utils

from amp_sbx.common.errors import ConfigError, LostProcessError


def meet() -> None:
    """Wait for all processes. Each calls this equally often.

    Raises:
        LostProcessError: a process ended or does not answer.
    """
    count = jax.process_count()
    if count == 1:
        return
    client: Any = distributed.global_state.client
    try:
        # Returns when every process that is alive has called it.
        alive = client.get_live_nodes(list(range(count)))
    except jax.errors.JaxRuntimeError as error:
        raise LostProcessError(f"process 0 ended or cannot be reached: {error}") from error
    if lost := sorted(set(range(count)) - set(alive)):
        raise LostProcessError(
            f"process {', '.join(map(str, lost))} of {count} ended or cannot be reached."
        )


def gathered(tree: Any) -> Any:
    """What all processes have, on the host of each; they call this together.

    Arrays of one process get a leading process axis. Those that are split over the processes'
    devices are put together.
    """
    meet()
    return multihost_utils.process_allgather(tree, tiled=is_split(tree))


def is_split(tree: Any) -> bool:
    """Whether other processes have parts of the tree's arrays."""
    return any(
        isinstance(leaf, jax.Array) and not leaf.is_fully_addressable
        for leaf in jax.tree.leaves(tree)
    )


def check_same_everywhere(tree: Any) -> None:
    """Check that all processes start with equal arrays.

    Raises:
        ConfigError: they do not.
    """
    if jax.process_count() == 1:
        return
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(tree):
        digest.update(np.asarray(leaf).tobytes())
    mine = np.frombuffer(digest.digest()[:4], np.uint32)
    if (gathered(mine) != mine).any():
        raise ConfigError(
            "the processes do not start with the same parameters; start all of them with the same "
            "settings, seed, files and package versions."
        )
