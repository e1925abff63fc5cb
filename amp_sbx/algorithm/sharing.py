"""Lets models of the same networks and optimizer share compiled functions.

`jax.jit` compiles again for functions and optimizers that are not equal. SBX makes new ones for
each model, so that a second model of the same settings would compile everything again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any

import numpy as np
import optax
from flax.training.train_state import TrainState


@dataclass(frozen=True)
class _Network:
    """A network that equals another one of the same class and settings."""

    kind: type
    settings: tuple[tuple[str, Any], ...]
    module: Any = field(compare=False)

    @classmethod
    def of(cls, module: Any) -> "_Network":
        # Flax compares arrays among the settings in a way that fails.
        settings = tuple(
            (item.name, _hashable(getattr(module, item.name)))
            for item in fields(module)
            if item.name not in ("parent", "name")
        )
        return cls(type(module), settings, module.clone())


def _hashable(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, value.tobytes()
    if isinstance(value, list):
        return tuple(map(_hashable, value))
    return value


@lru_cache(maxsize=64)
def _apply_of(network: _Network) -> Callable:
    apply: Callable = network.module.apply
    return apply


@lru_cache(maxsize=64)
def _optimizer_of(
    optimizer_class: Callable, kwargs: tuple[tuple[str, Any], ...], max_grad_norm: float
) -> optax.GradientTransformation:
    # The learning rate is an array in the optimizer's state; this value is never used.
    optimizer = optax.inject_hyperparams(optimizer_class)(learning_rate=1.0, **dict(kwargs))
    return optax.chain(optax.clip_by_global_norm(max_grad_norm), optimizer)


def shared_state(
    state: TrainState,
    module: Any,
    optimizer_class: Callable,
    optimizer_kwargs: dict[str, Any],
    max_grad_norm: float,
) -> TrainState:
    """`state` with the apply function and the optimizer of the first equal model.

    Args:
        state: a state that SBX made.
        module: the network; equal networks share their apply function.
        optimizer_class: the optimizer's constructor.
        optimizer_kwargs: its arguments besides the learning rate.
        max_grad_norm: clip of the global gradient norm.
    """
    try:
        return state.replace(
            apply_fn=_apply_of(_Network.of(module)),
            tx=_optimizer_of(
                optimizer_class, tuple(sorted(optimizer_kwargs.items())), max_grad_norm
            ),
        )
    except TypeError:  # a setting that cannot be hashed: not shared
        return state
