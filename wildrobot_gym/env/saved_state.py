"""Trees of arrays as flat dicts, for checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from wildrobot_gym.errors import ConfigError

MISFIT = (
    "The saved environment state does not fit: another robot, config, physics engine or number of"
    " environments."
)


def pack(tree: Any, name: str) -> dict[str, np.ndarray]:
    """The leaves of `tree` as arrays by name: `name_0`, `name_1` and so on."""
    leaves = jax.tree_util.tree_leaves(tree)
    return {f"{name}_{i}": np.asarray(leaf) for i, leaf in enumerate(leaves)}


def unpack(arrays: Mapping[str, np.ndarray], like: Any, name: str) -> Any:
    """The tree of packed `arrays`; `like` is one of this environment.

    Raises:
        ConfigError: the arrays are from an environment of other settings.
    """
    leaves, tree = jax.tree_util.tree_flatten(like)
    given = [arrays.get(f"{name}_{i}") for i in range(len(leaves))]
    if any(g is None or g.shape != np.shape(leaf) for g, leaf in zip(given, leaves, strict=True)):
        raise ConfigError(MISFIT)
    return jax.tree_util.tree_unflatten(tree, [jnp.array(g) for g in given])
