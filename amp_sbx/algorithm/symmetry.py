"""A policy that is symmetric by construction, for environments with a left and a right.

"mean" takes two passes through a plain network: one for the observation, and one for its mirror
image. It averages the first output and the mirror image of the second. This is the method NET of
Abdolhosseini et al. 2019, "On learning symmetric locomotion".

"equivariant" has networks whose layers commute with the reflection (see
`amp_sbx.algorithm.equivariant`). What either policy learns on one side, it can do on the other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
import tensorflow_probability.substrates.jax as tfp
from jaxtyping import Array, Float

from amp_sbx.common.errors import ConfigError
from amp_sbx.common.mirror import Mirror

WAYS = ("none", "mean", "equivariant")
DEFAULT_WAY = "equivariant"  # what `symmetric_policy: true` asks for


def parse_way(value: Any) -> str:
    """`symmetric_policy` as one of `WAYS`. True is `DEFAULT_WAY`, False is "none".

    Raises:
        ConfigError: it is none of these.
    """
    if isinstance(value, bool):
        return DEFAULT_WAY if value else "none"
    if value not in WAYS:
        raise ConfigError(
            f"symmetric_policy is {value!r}; allowed: {', '.join(WAYS)}, or true "
            f"({DEFAULT_WAY}) and false (none)."
        )
    return str(value)


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
