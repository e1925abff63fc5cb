"""A policy that is symmetric by construction, for environments with a left and a right.

Its mean averages the network's output for an observation and for its mirror image, the latter
mirrored back. This is the method NET of Abdolhosseini et al. 2019, "On learning symmetric
locomotion". What the policy learns on one side, it can do on the other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
import tensorflow_probability.substrates.jax as tfp
from jaxtyping import Array, Float

from amp_sbx.common.mirror import Mirror


@dataclass(frozen=True)
class SymmetricActor:
    """An actor's apply function whose output for a mirror image is the mirrored output.

    It is hashable, for jit.

    Attributes:
        apply_fn: the network's apply function.
        mirror: the reflection.
    """

    apply_fn: Callable
    mirror: Mirror

    def __call__(self, params: dict, observations: Float[Array, "batch obs"]) -> Any:
        """The distribution of actions."""
        both = self.apply_fn(
            params, jnp.concatenate([observations, self.mirror.observations(observations)])
        )
        here, there = jnp.split(both.mode(), 2)
        std = both.stddev()[0]  # the same in every state
        return tfp.distributions.MultivariateNormalDiag(
            loc=0.5 * (here + self.mirror.actions(there)),
            scale_diag=jnp.sqrt(std * std[np.array(self.mirror.action_ids)]),
        )
