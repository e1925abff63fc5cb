"""Mirror images of transitions, for environments whose left and right are alike.

A mirrored transition keeps its advantage and return, so mirroring half of every minibatch teaches both sides at once
(Mittal et al. 2024, "Symmetry considerations for learning task symmetric robot policies", arXiv:2403.04359). That paper
keeps the original's log probability too, which holds for a symmetric policy only. Here an image gets its own, and the
policy is held near symmetry by a loss, the KL divergence between it and its mirror image (the mirror loss of Yu et al. 2018,
arXiv:1801.08093, in units of the policy's own spread): mirroring alone can drift away from symmetry instead of towards it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from stable_baselines3.common.vec_env import VecEnv

from amp_sbx.errors import ConfigError


@dataclass(frozen=True)
class Mirror:
    """A reflection of observations and actions: the image of a vector `x` is `signs * x[ids]`. Hashable, for jit."""

    obs_ids: tuple[int, ...]
    obs_signs: tuple[float, ...]
    action_ids: tuple[int, ...]
    action_signs: tuple[float, ...]

    def observations(self, x: Float[Array, "*b obs"]) -> Float[Array, "*b obs"]:
        return x[..., np.array(self.obs_ids)] * jnp.array(self.obs_signs)

    def actions(self, x: Float[Array, "*b action"]) -> Float[Array, "*b action"]:
        return x[..., np.array(self.action_ids)] * jnp.array(self.action_signs)

    @classmethod
    def of(cls, vec_env: VecEnv) -> "Mirror":
        """The reflection that the environments declare as `mirror`, a mapping of this class's fields to lists.

        Raises:
            ConfigError: they declare none, or one that is no reflection of their spaces.
        """
        declared: Any = vec_env.get_attr("mirror", indices=[0])[0] if vec_env.has_attr("mirror") else None
        if not isinstance(declared, Mapping):
            raise ConfigError(
                "symmetry_augmentation is on, but the environment declares no `mirror` (a mapping with obs_ids,"
                " obs_signs, action_ids, action_signs). Declare it, or switch the augmentation off."
            )
        mirror = cls(
            tuple(int(i) for i in declared["obs_ids"]),
            tuple(float(s) for s in declared["obs_signs"]),
            tuple(int(i) for i in declared["action_ids"]),
            tuple(float(s) for s in declared["action_signs"]),
        )
        sizes = {"obs": vec_env.observation_space.shape, "action": vec_env.action_space.shape}
        for name, (ids, signs) in {
            "obs": (mirror.obs_ids, mirror.obs_signs),
            "action": (mirror.action_ids, mirror.action_signs),
        }.items():
            order = np.array(ids)
            whole = sizes[name] == (len(ids),) == (len(signs),) and sorted(ids) == list(range(len(ids)))
            if not whole or (order[order] != np.arange(len(ids))).any() or not set(signs) <= {-1.0, 1.0}:
                raise ConfigError(
                    f"The environment's `mirror` is no reflection of its {name} space of shape {sizes[name]}: got"
                    f" {name}_ids {ids} with signs {signs}; every index once, applied twice the identity, signs +-1."
                )
        return mirror
