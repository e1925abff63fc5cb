"""Conversion between pytrees and flat dicts of arrays, as a checkpoint stores them."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax.serialization import from_state_dict, to_state_dict

from amp_sbx.common.errors import CheckpointError

Arrays = dict[str, np.ndarray]


def flatten(tree: Any, prefix: str = "") -> Arrays:
    """A flat `{"a/b/c": array}` of a pytree that flax can serialize."""
    return _flatten(to_state_dict(tree), prefix)


def _flatten(tree: Any, prefix: str) -> Arrays:
    if not isinstance(tree, Mapping):
        return {prefix: np.array(tree)}
    flat: Arrays = {}
    for key, value in tree.items():
        flat |= _flatten(value, f"{prefix}/{key}" if prefix else str(key))
    return flat


def unflatten_into(target: Any, arrays: Arrays, prefix: str) -> Any:
    """`target` with every leaf replaced by `arrays[prefix/...]`.

    Raises:
        CheckpointError: an array is missing, has another shape, or is not finite.
    """

    def fill(tree: Any, path: str) -> Any:
        if isinstance(tree, Mapping):
            return {key: fill(value, f"{path}/{key}") for key, value in tree.items()}
        if path not in arrays:
            raise CheckpointError(
                f"the checkpoint has no array {path!r}; it was made with other networks or "
                "settings. Load it with the settings it was saved with."
            )
        expected = np.shape(tree)
        if arrays[path].shape != expected:
            raise CheckpointError(
                f"array {path!r} has shape {arrays[path].shape}; this model needs {expected}."
            )
        if not np.isfinite(arrays[path]).all():
            raise CheckpointError(f"array {path!r} has a NaN or infinity. Use another copy.")
        # A copy: `asarray` may share the caller's memory.
        return jnp.array(arrays[path], dtype=jnp.result_type(tree))

    return from_state_dict(target, fill(to_state_dict(target), prefix))
