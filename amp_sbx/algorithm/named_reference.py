"""Reference motion by name or path, as files of settings give it."""

import os
from collections.abc import Mapping
from typing import Any

from stable_baselines3.common.vec_env import VecEnv

from amp_sbx.common.errors import FeatureError
from amp_sbx.common.vec_attributes import sub_envs
from amp_sbx.common.vec_env import GymnasiumVecEnv
from amp_sbx.reference.features import ReferenceFeatures

METHOD = "reference_features"
"""Method of an environment that looks a name up: `reference_features(name)`."""


def is_named(reference: Any) -> bool:
    """Whether a reference is a name, a path, or a mapping of `METHOD`'s arguments."""
    return isinstance(reference, (str, os.PathLike, Mapping))


def resolve_reference(reference: Any, env: VecEnv | None) -> ReferenceFeatures | None:
    """The reference behind what `AMPPPO(reference=...)` accepts.

    Args:
        reference: as `ReferenceFeatures.coerce` takes it, or a name or path. The environment looks
            names up; without its help, it is the path of an .npz file. A mapping holds the
            arguments of the environment's method.
        env: the environments, if known.

    Raises:
        FeatureError: there is no such reference, or it is no reference.
    """
    if not is_named(reference):
        return ReferenceFeatures.coerce(reference)
    arguments = reference if isinstance(reference, Mapping) else {"name": os.fspath(reference)}
    if env is None or not env.has_attr(METHOD):
        if arguments.keys() != {"name"}:
            raise FeatureError(
                f"reference is {reference!r}, but no environment looks it up by {METHOD}; give a "
                "path or the features."
            )
        return ReferenceFeatures.from_file(arguments["name"])
    inner = env.unwrapped
    together = isinstance(inner, GymnasiumVecEnv) and sub_envs(inner.vector_env) is None
    # Environments that are stepped together have one answer; of separate ones, the first is asked.
    found = env.env_method(METHOD, indices=None if together else [0], **arguments)[0]
    if not isinstance(found, Mapping) or not found.keys() <= set(ReferenceFeatures.__annotations__):
        raise FeatureError(
            f"{METHOD} of the environment gave a {type(found).__name__}; it must return a mapping "
            f"with keys of {', '.join(ReferenceFeatures.__annotations__)}."
        )
    return ReferenceFeatures(**found)
