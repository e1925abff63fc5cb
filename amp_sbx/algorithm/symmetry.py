"""A policy that is symmetric by construction, for environments whose left and right are alike.

Its mean is the average of what the network answers to the observation and, mirrored back, to the observation's mirror image
(the symmetric networks of Abdolhosseini et al. 2019, "On learning symmetric locomotion", their method NET). Whatever it
learns on one side it has learned on the other. Mirrored samples in the minibatches and a mirror loss, which were tried
before, only draw a policy towards symmetry: as its spread shrinks, the rest of the asymmetry rules the loss.
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
    """An actor's apply function that answers a mirror image with the mirror image of its answer. Hashable, for jit."""

    apply_fn: Callable
    mirror: Mirror

    def __call__(self, params: dict, observations: Float[Array, "batch obs"]) -> Any:
        """The distribution of actions, as of the network itself."""
        both = self.apply_fn(
            params, jnp.concatenate([observations, self.mirror.observations(observations)])
        )
        here, there = jnp.split(both.mode(), 2)
        std = both.stddev()[0]  # of the policy, not of a state
        return tfp.distributions.MultivariateNormalDiag(
            loc=0.5 * (here + self.mirror.actions(there)),
            scale_diag=jnp.sqrt(std * std[np.array(self.mirror.action_ids)]),
        )
