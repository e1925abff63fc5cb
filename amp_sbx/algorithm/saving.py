"""Writes an `AMPPPO` to a checkpoint."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from amp_sbx.algorithm.arrays import Arrays, flatten
from amp_sbx.algorithm.description import describe_model
from amp_sbx.common import archive
from amp_sbx.common.errors import CheckpointError

REPLAY_DATA = "amp/replay/data"


def random_keys(model: Any) -> Arrays:
    """The model's random keys, as a checkpoint stores them."""
    keys = {"model": model.key, "policy": model.policy.key, "noise": model.policy.noise_key}
    return {f"keys/{name}": np.asarray(key) for name, key in keys.items()}


def save_model(
    model: Any,
    path: archive.PathOrStream,
    extra: Mapping[str, Any],
    exclude: frozenset[str] = frozenset(),
) -> None:
    """Save a model; see `AMPPPO.save`. `extra` is stored as it is.

    Raises:
        CheckpointError: the model has no JSON form, or the file cannot be written.
    """
    meta = describe_model(model, extra)
    arrays = flatten({"actor": model.policy.actor_state, "critic": model.policy.vf_state})
    if model.style_critic is not None:
        arrays |= flatten(model.style_critic, "style_critic")
    arrays |= random_keys(model)
    if model.learner is not None:
        arrays |= flatten(model.learner.state, "amp")
        keep = 0 if "replay_buffer" in exclude else int(arrays["amp/replay/size"])
        # The empty part is all zeros; without it, the files of short runs are small.
        arrays[REPLAY_DATA] = arrays[REPLAY_DATA][:keep]
        if keep == 0:
            arrays["amp/replay/size"] = arrays["amp/replay/position"] = np.zeros((), np.int32)
    try:
        archive.write(path, meta, arrays)
    except (TypeError, ValueError) as error:
        raise CheckpointError(
            f"the model's settings or `extra` are not plain JSON: {error}"
        ) from error
