"""Attributes and methods of Gymnasium vector environments, through vector wrappers.

Gymnasium's vector wrappers hide the attributes of what they wrap. These functions look at the
wrappers from the outside in, then at the vector environment, then at its sub-environments.
"""

from typing import Any

import gymnasium as gym
from gymnasium.vector import VectorEnv, VectorWrapper


def owner_of(vector_env: VectorEnv, name: str) -> Any:
    """The outermost wrapper with attribute `name`, or else the vector environment itself."""
    while isinstance(vector_env, VectorWrapper) and not hasattr(vector_env, name):
        vector_env = vector_env.env
    return vector_env


def wrapper_with(vector_env: VectorEnv, name: str) -> VectorWrapper | None:
    """The outermost wrapper with `name`, unless every vector environment has that attribute."""
    owner = owner_of(vector_env, name)
    return owner if isinstance(owner, VectorWrapper) and not hasattr(VectorEnv, name) else None


def sub_envs(vector_env: VectorEnv) -> list[gym.Env] | None:
    """The sub-environments, or None if they cannot be reached from this process."""
    return getattr(owner_of(vector_env, "envs"), "envs", None)


def has_attribute(vector_env: VectorEnv, name: str) -> bool:
    """Whether the vector environment, or every sub-environment, has an attribute."""
    if hasattr(owner_of(vector_env, name), name):
        return True
    # Not `get_attr`: a failing one ends the workers of an AsyncVectorEnv.
    call = getattr(owner_of(vector_env, "call"), "call", None)
    return call is not None and all(call("has_wrapper_attr", name))


def get_attributes(vector_env: VectorEnv, name: str) -> list[Any]:
    """The vector environment's attribute, repeated, or else those of the sub-environments."""
    if hasattr(owner := owner_of(vector_env, name), name):
        return [getattr(owner, name)] * vector_env.num_envs
    return list(owner_of(vector_env, "get_attr").get_attr(name))
