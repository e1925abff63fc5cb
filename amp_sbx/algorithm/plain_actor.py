"""A model's actor as plain arrays, for programs without JAX.

`AMPPPO.get_parameters()["actor"]` alone is not the policy: a symmetric one averages two passes, or
has layers in a basis of its own, and every action is clipped. A `PlainActor` is all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces
from sbx.ppo.policies import Actor

from amp_sbx.algorithm.equivariant import HALF, EquivariantActor, basis
from amp_sbx.algorithm.policy_kwargs import describe
from amp_sbx.algorithm.symmetry import SymmetricActor
from amp_sbx.common.errors import ConfigError
from amp_sbx.common.mirror import Mirror

Layer = tuple[np.ndarray, np.ndarray]
"""Kernel (in, out) and bias (out,), float32."""


@dataclass(frozen=True, eq=False)
class PlainActor:
    """Dense layers, an activation between them, and what is done to their output.

    `predict(x, deterministic=True)` is `clip(f(x), low, high)` with `f` the layers. With a `mirror`
    it is `clip((f(x) + mirror.actions(f(mirror.observations(x)))) / 2, low, high)`.

    Attributes:
        layers: kernel (in, out) and bias (out,) of each layer.
        activation: name of the function between two layers, such as "elu".
        mirror: reflection to average over; None for no average.
        low: (action,) lower bounds.
        high: (action,) upper bounds.
    """

    layers: tuple[Layer, ...]
    activation: str
    mirror: Mirror | None
    low: np.ndarray
    high: np.ndarray


def plain_actor(model: Any) -> PlainActor:
    """The actor of an `AMPPPO`.

    Layers of an equivariant policy are folded into dense ones, which compute the same.

    Raises:
        ConfigError: the actor is no plain network over a vector, or its activation has no name.
    """
    if not isinstance(model.action_space, spaces.Box):
        raise ConfigError(f"only a policy of Box actions is exported; got {model.action_space}.")
    if len(model.observation_space.shape) != 1:
        raise ConfigError(
            f"only a policy of observation vectors is exported; got {model.observation_space}."
        )
    params = model.policy.actor_state.params["params"]
    network, mirror = model.policy.actor, None
    if isinstance(model.policy.actor_state.apply_fn, SymmetricActor):
        mirror = model.policy.actor_state.apply_fn.mirror
    if isinstance(network, EquivariantActor):
        layers = _folded(params, network.mirror, len(network.net_arch))
    elif type(network) is Actor and network.features_extractor is None:
        names = [f"Dense_{i}" for i in range(len(network.net_arch) + 1)]
        layers = [(params[name]["kernel"], params[name]["bias"]) for name in names]
    else:
        raise ConfigError(f"only MlpPolicy's own actor is exported; got {type(network).__name__}.")
    activation = describe({"activation_fn": network.activation_fn})["activation_fn"]
    low, high = model.action_space.low, model.action_space.high
    single = tuple((np.array(k, np.float32), np.array(b, np.float32)) for k, b in layers)
    return PlainActor(single, activation, mirror, low, high)


def _folded(params: Mapping[str, Any], mirror: Mirror, num_hidden: int) -> list[Layer]:
    """Dense layers that compute what the layers of an `EquivariantActor` do.

    A hidden layer's output is (u, v), on which the activation acts. The even and odd parts are
    `HALF * (u + v)` and `HALF * (u - v)`, and the same sums lead back.
    """
    into = np.concatenate(basis(mirror.obs_ids, mirror.obs_signs), axis=1).astype(np.float64)
    parts = [part.shape[1] for part in basis(mirror.obs_ids, mirror.obs_signs)]
    layers = []
    for i in range(num_hidden):
        own = params["EquivariantMLP_0"][f"EquivariantDense_{i}"]
        half = own["bias"].shape[0]
        kernel, bias = _whole(own, parts, [half, half])
        layers.append((into @ kernel @ _pairs(half), bias @ _pairs(half)))
        into, parts = _pairs(half), [half, half]
    bases = basis(mirror.action_ids, mirror.action_signs)
    kernel, bias = _whole(params["EquivariantDense_0"], parts, [part.shape[1] for part in bases])
    out = np.concatenate(bases, axis=1).astype(np.float64).T
    return [*layers, (into @ kernel @ out, bias @ out)]


def _whole(own: Mapping[str, Any], before: list[int], after: list[int]) -> Layer:
    """Kernel and bias of an `EquivariantDense` over even and odd columns side by side."""
    kernel, bias = np.zeros((sum(before), sum(after))), np.zeros(sum(after))
    if "even" in own:
        kernel[: before[0], : after[0]] = own["even"]
    if "odd" in own:
        kernel[before[0] :, after[0] :] = own["odd"]
    if "bias" in own:
        bias[: after[0]] = own["bias"]
    return kernel, bias


def _pairs(half: int) -> np.ndarray:
    """The change between (u, v) and (even, odd), which is its own inverse."""
    unit = np.eye(half)
    return float(HALF) * np.block([[unit, unit], [unit, -unit]])
