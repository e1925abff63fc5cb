"""The learned arrays of an `AMPPPO` by part: reading and replacing them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from amp_sbx.algorithm.arrays import Arrays, flatten, unflatten_into
from amp_sbx.algorithm.compatibility import check_networks
from amp_sbx.algorithm.description import Description
from amp_sbx.common import archive
from amp_sbx.common.errors import CheckpointError
from amp_sbx.discriminator import replay_buffer
from amp_sbx.discriminator.learner import AMPLearner

_DISCRIMINATOR_STATE = ("params", "batch_stats", "normalizer")
_PREFIXES = {f"{part}/params/": f"{part}/" for part in ("actor", "critic", "style_critic")} | {
    f"amp/{name}": f"discriminator/{name}" for name in _DISCRIMINATOR_STATE
}
"""Prefixes of a checkpoint's arrays, and of the same arrays in `get_parameters`."""


def get_arrays(model: Any) -> dict[str, Arrays]:
    """See `AMPPPO.get_parameters`."""
    return {part: flatten(tree) for part, tree in _parts(model).items()}


def set_arrays(model: Any, source: Any, exact_match: bool) -> None:
    """See `AMPPPO.set_parameters`."""
    targets, flat = _parts(model), _flat(model, source)
    given = {name.split("/", 1)[0] for name in flat}
    if exact_match and given != set(targets):
        raise CheckpointError(
            f"parameters are given for {sorted(given)}; this model has {sorted(targets)}. "
            "Pass exact_match=False to set the common ones."
        )
    chosen = {part: target for part, target in targets.items() if part in given}
    known = {f"{part}/{name}" for part, target in chosen.items() for name in flatten(target)}
    unknown = sorted(name for name in flat if name not in known and name.split("/", 1)[0] in chosen)
    if unknown:
        raise CheckpointError(
            f"this model has no array {', '.join(unknown[:3])}; they belong to other networks."
        )
    new = {part: unflatten_into(target, flat, part) for part, target in chosen.items()}
    if "discriminator" in new:  # first, because it may be refused
        _set_discriminator(model.learner, new["discriminator"])
    policy = model.policy
    policy.actor_state = policy.actor_state.replace(params=new.get("actor", targets["actor"]))
    policy.vf_state = policy.vf_state.replace(params=new.get("critic", targets["critic"]))
    if "style_critic" in new:
        model.style_critic = model.style_critic.replace(params=new["style_critic"])


def _flat(model: Any, source: Any) -> Arrays:
    """The arrays of a dict of parts, or of a checkpoint whose networks fit the model."""
    if isinstance(source, Mapping):
        return {
            f"{part}/{name}": array
            for part, arrays in source.items()
            for name, array in arrays.items()
        }
    meta, stored = archive.read(source)
    check_networks(model, Description.from_meta(meta, source), source)
    return {
        new + name[len(old) :]: array
        for name, array in stored.items()
        for old, new in _PREFIXES.items()
        if name.startswith(old)
    }


def _set_discriminator(learner: AMPLearner, new: dict[str, Any]) -> None:
    old, changed = learner.state.normalizer, new["normalizer"]
    if not (np.array_equal(old.mean, changed.mean) and np.array_equal(old.std, changed.std)):
        # The replayed samples were normalized differently.
        new = new | {"replay": replay_buffer.init(*learner.state.replay.data.shape)}
    learner.restore(replace(learner.state, **new))


def _parts(model: Any) -> dict[str, Any]:
    """The learned pytrees. A discriminator's scores depend on its normalizer, so it is included."""
    parts = {"actor": model.policy.actor_state.params, "critic": model.policy.vf_state.params}
    if model.style_critic is not None:
        parts["style_critic"] = model.style_critic.params
    if model.learner is not None:
        parts["discriminator"] = {
            name: getattr(model.learner.state, name) for name in _DISCRIMINATOR_STATE
        }
    return parts
