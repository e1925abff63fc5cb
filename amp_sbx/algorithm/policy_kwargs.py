"""`policy_kwargs` with names instead of functions, for YAML files and checkpoints."""

import json
from collections.abc import Callable
from typing import Any

import optax
from flax import linen as nn

from amp_sbx.common.errors import ConfigError
from amp_sbx.discriminator.network import ACTIVATIONS

OPTIMIZERS: dict[str, Callable] = {
    "adam": optax.adam,
    "adamw": optax.adamw,
    "lion": optax.lion,
    "rmsprop": optax.rmsprop,
    "sgd": optax.sgd,
}
_REGISTRIES: dict[str, dict[str, Callable]] = {
    "activation_fn": ACTIVATIONS | {"celu": nn.celu, "softsign": nn.soft_sign, "swish": nn.swish},
    "optimizer_class": OPTIMIZERS,
}
# rl-zoo evaluates names of torch.nn classes in its files.
_TORCH_ALIASES = {"leakyrelu": "leaky_relu"}


def resolve(policy_kwargs: dict[str, Any] | None) -> dict[str, Any]:
    """Replace every name by its function.

    Args:
        policy_kwargs: `activation_fn` may be a name ("elu"), a JAX function or a `torch.nn` class.
            `optimizer_class` may be a name of `OPTIMIZERS` or an optax constructor.

    Raises:
        ConfigError: a name is unknown.
    """
    resolved = dict(policy_kwargs or {})
    for key, registry in _REGISTRIES.items():
        value = resolved.get(key)
        if isinstance(value, type) and value.__module__.startswith("torch."):
            value = _TORCH_ALIASES.get(value.__name__.lower(), value.__name__.lower())
        if value is nn.elu:  # the same values, and a cheaper derivative
            value = "elu"
        if isinstance(value, str):
            if value not in registry:
                raise ConfigError(
                    f"policy_kwargs[{key!r}] is {value!r}; allowed: {', '.join(sorted(registry))}."
                )
            resolved[key] = registry[value]
    return resolved


def describe(policy_kwargs: dict[str, Any]) -> dict[str, Any]:
    """The JSON form of resolved `policy_kwargs`, for `resolve`.

    Raises:
        ConfigError: a value has no name and is not JSON, such as a custom function.
    """
    described = dict(policy_kwargs)
    for key, registry in _REGISTRIES.items():
        value = described.get(key)
        if callable(value):
            names = [name for name, function in registry.items() if function is value]
            if not names:
                raise ConfigError(
                    f"policy_kwargs[{key!r}] is {value!r}, which has no name; "
                    f"use one of {sorted(registry)}."
                )
            described[key] = names[0]
    for key, value in described.items():
        try:
            json.dumps(value)
        except TypeError:
            raise ConfigError(
                f"policy_kwargs[{key!r}] is {value!r}, which JSON cannot hold; use plain values."
            ) from None
    return described
