"""Reflections that an environment declares as `mirror`.

It is a mapping with `obs_ids`, `obs_signs`, `action_ids`, `action_signs`, for AMP `amp_ids` and
`amp_signs`, and for `critic_obs` `critic_ids` and `critic_signs`. The image of a vector `x` is
`signs * x[ids]`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from gymnasium import spaces
from jaxtyping import Array, Float
from stable_baselines3.common.vec_env import VecEnv, unwrap_vec_normalize

from amp_sbx.common.errors import ConfigError


@dataclass(frozen=True)
class Mirror:
    """A reflection of observations and actions. It is hashable, for jit.

    Attributes:
        obs_ids: source of each column of an observation's image.
        obs_signs: sign of each column, 1 or -1.
        action_ids: source of each column of an action's image.
        action_signs: sign of each column, 1 or -1.
    """

    obs_ids: tuple[int, ...]
    obs_signs: tuple[float, ...]
    action_ids: tuple[int, ...]
    action_signs: tuple[float, ...]

    def observations(self, x: Float[Array, "*b obs"]) -> Float[Array, "*b obs"]:
        """Mirror images of observations."""
        return x[..., np.array(self.obs_ids)] * jnp.array(self.obs_signs)

    def actions(self, x: Float[Array, "*b action"]) -> Float[Array, "*b action"]:
        """Mirror images of actions."""
        return x[..., np.array(self.action_ids)] * jnp.array(self.action_signs)

    @classmethod
    def of(cls, vec_env: VecEnv) -> "Mirror":
        """The reflection that the environments declare as `mirror`.

        Raises:
            ConfigError: they declare none, it is no reflection of their spaces, a space is no
                `Box`, or `VecNormalize` scales the observations.
        """
        if observations_normalized(vec_env):
            raise ConfigError(
                "symmetric_policy mirrors raw observations, but VecNormalize scales left and right "
                "differently; make it with norm_obs=False, or switch symmetric_policy off."
            )
        for space in (vec_env.observation_space, vec_env.action_space):
            if not isinstance(space, spaces.Box):
                raise ConfigError(
                    f"symmetric_policy needs Box observations and actions; got {space}. "
                    "Switch symmetric_policy off."
                )
        declared = declared_mirror(vec_env)
        obs, action = (_read(declared, name, "symmetric_policy") for name in ("obs", "action"))
        mirror = cls(*obs, *action)
        mirror.check(vec_env.observation_space.shape, vec_env.action_space.shape)
        return mirror

    @classmethod
    def of_critic(cls, vec_env: VecEnv, critic_dim: int) -> "Mirror":
        """The declared reflection with what the critic sees in place of the observations.

        Raises:
            ConfigError: there is none, or it is no reflection of `critic_dim` columns.
        """
        declared = declared_mirror(vec_env)
        critic, action = (_read(declared, x, "symmetric_policy") for x in ("critic", "action"))
        mirror = cls(*critic, *action)
        mirror.check_critic(critic_dim)
        return mirror

    def check(
        self, obs_shape: tuple[int, ...] | None, action_shape: tuple[int, ...] | None
    ) -> None:
        """Raise `ConfigError` if this is no reflection of vectors of these shapes."""
        _check_reflection("obs", obs_shape, self.obs_ids, self.obs_signs)
        _check_reflection("action", action_shape, self.action_ids, self.action_signs)

    def check_critic(self, critic_dim: int) -> None:
        """Raise `ConfigError` if this is no reflection of `critic_dim` columns of `critic_obs`."""
        _check_reflection("critic", (critic_dim,), self.obs_ids, self.obs_signs)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Mirror":
        """From `dataclasses.asdict` of a mirror, also after JSON made lists of its tuples."""
        numbers: dict[str, Any] = {
            name: tuple(map(int if name.endswith("ids") else float, entries))
            for name, entries in value.items()
        }
        return cls(**numbers)


def observations_normalized(vec_env: VecEnv) -> bool:
    """Whether SB3's `VecNormalize` scales the observations that the policy sees."""
    normalize = unwrap_vec_normalize(vec_env)
    return normalize is not None and normalize.norm_obs


def declared_mirror(vec_env: VecEnv) -> Any:
    """The mapping that the environments declare as `mirror`, or None."""
    return vec_env.get_attr("mirror", indices=[0])[0] if vec_env.has_attr("mirror") else None


def feature_reflection(declared: Any, feature_dim: int) -> tuple[np.ndarray, np.ndarray]:
    """The reflection of AMP observations in a declared `mirror`.

    Returns:
        `(ids, signs)`, (feature_dim,) each.

    Raises:
        ConfigError: there is none, or it is no reflection of `feature_dim` columns.
    """
    ids, signs = _read(declared, "amp", "amp.symmetry")
    _check_reflection("amp", (feature_dim,), ids, signs)
    return np.array(ids), np.array(signs, np.float32)


def _read(declared: Any, name: str, setting: str) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The reflection of one space in a declared mirror."""
    if not isinstance(declared, Mapping) or not {f"{name}_ids", f"{name}_signs"} <= set(declared):
        raise ConfigError(
            f"{setting} is on, but the environment declares no `mirror` with {name}_ids and "
            f"{name}_signs. Declare it (AMPCallback takes it as mirror=), or switch {setting} off."
        )
    return tuple(int(i) for i in declared[f"{name}_ids"]), tuple(
        float(s) for s in declared[f"{name}_signs"]
    )


def _check_reflection(
    name: str, shape: tuple[int, ...] | None, ids: tuple[int, ...], signs: tuple[float, ...]
) -> None:
    order = np.array(ids)
    whole = shape == (len(ids),) == (len(signs),) and sorted(ids) == list(range(len(ids)))
    if not whole or (order[order] != np.arange(len(ids))).any() or not set(signs) <= {-1.0, 1.0}:
        raise ConfigError(
            f"the environment's `mirror` is no reflection of its {name} space of shape {shape}: "
            f"got {name}_ids {ids} with signs {signs}. Allowed: every index once, signs 1 "
            "or -1, and the image of an image is the original."
        )
