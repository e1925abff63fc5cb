"""The state of a vector environment as arrays, for checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from wildrobot_gym.errors import ConfigError


def pack(
    task_state: Any, physics: Mapping[str, np.ndarray], last: tuple[Any, Any], finished: np.ndarray
) -> dict[str, np.ndarray]:
    """All that an environment needs to continue, as arrays by name.

    Args:
        task_state: A tree of arrays.
        physics: The engine's own state.
        last: Present observations and AMP windows.
        finished: (num_envs,) environments that wait for their reset.
    """
    leaves = jax.tree_util.tree_leaves(task_state)
    task = {f"task_{i}": np.asarray(leaf) for i, leaf in enumerate(leaves)}
    engine = {f"physics_{name}": array for name, array in physics.items()}
    seen = {"obs": np.asarray(last[0]), "amp_obs": np.asarray(last[1])}
    return {**task, **engine, **seen, "finished": finished.copy()}


def unpack_task(arrays: Mapping[str, np.ndarray], like: Any) -> Any:
    """The task state of packed `arrays`; `like` is one of this environment.

    Raises:
        ConfigError: the arrays are from an environment of other settings.
    """
    leaves, tree = jax.tree_util.tree_flatten(like)
    given = [arrays.get(f"task_{i}") for i in range(len(leaves))]
    fits = all(
        g is not None and g.shape == leaf.shape for g, leaf in zip(given, leaves, strict=True)
    )
    if not fits or not {"obs", "amp_obs", "finished"} <= set(arrays):
        raise ConfigError(
            "The saved environment state does not fit: another robot, config or number of"
            " environments."
        )
    return jax.tree_util.tree_unflatten(tree, [jnp.asarray(g) for g in given])


def unpack_physics(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The engine's own state of packed `arrays`."""
    prefix = "physics_"
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
