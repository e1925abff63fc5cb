"""Behaviour cloning: a policy's first weights from demonstrations, so that learning begins near the motion to imitate.

From scratch PPO finds the easiest gait first, a shuffle, and then keeps to it; a policy that begins by attempting the
reference's steps improves those. Only the actor's mean is fitted; its spread and the critic stay as they were made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax.training.train_state import TrainState
from jaxtyping import Array, Float

from amp_sbx.common.checks import check_integer, check_number, reject_unknown
from amp_sbx.common.errors import FeatureError, NonFiniteError


@dataclass(frozen=True)
class CloningConfig:
    """Settings of behaviour cloning.

    Attributes:
        steps: gradient steps (Adam, cosine decay to 0).
        batch_size: demonstrated steps in each.
        learning_rate: Adam's first rate.
        noise: standard deviation of Gaussian noise on the demonstrated observations, in the observation's own units.
            The action stays, so beside the demonstrated path the policy steers back to it.
    """

    steps: int = 4000
    batch_size: int = 512
    learning_rate: float = 1e-3
    noise: float = 0.08

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size"):
            check_integer(f"warm_start.{name}", getattr(self, name), 1)
        check_number("warm_start.learning_rate", self.learning_rate, 0.0, open_low=True)
        check_number("warm_start.noise", self.noise, 0.0)

    @classmethod
    def coerce(cls, value: "CloningConfig | Mapping[str, Any] | None") -> "CloningConfig":
        """A config as it is, None as the defaults, a mapping of fields; an unknown key raises `ConfigError`."""
        if isinstance(value, CloningConfig):
            return value
        values = dict(value or {})
        reject_unknown("warm_start", values, [item.name for item in fields(cls)])
        return cls(**values)


def clone(
    config: CloningConfig,
    actor: TrainState,
    observations: Float[np.ndarray, "step *obs"],
    actions: Float[np.ndarray, "step action"],
    key: Array,
) -> tuple[TrainState, float]:
    """`actor` with its mean fitted to the demonstrations, and the root-mean-square error it ends with (noise included).

    Raises:
        FeatureError: arrays that do not belong together or are not finite.
        NonFiniteError: the fit diverged.
    """
    if len(observations) != len(actions) or len(actions) == 0:
        raise FeatureError(
            f"{len(observations)} observations do not go with {len(actions)} actions; give one for each."
        )
    for name, values in (("observations", observations), ("actions", actions)):
        if not np.isfinite(values).all():
            raise FeatureError(
                f"the demonstrated {name} are not finite; mend the motion they come from."
            )
    params, error = _fit(
        actor.apply_fn, config, actor.params, jnp.asarray(observations), jnp.asarray(actions), key
    )
    if not np.isfinite(error):
        raise NonFiniteError(
            "behaviour cloning diverged and was not applied; lower its learning_rate."
        )
    return actor.replace(params=params), float(error)


@partial(jax.jit, static_argnums=(0, 1))
def _fit(
    apply_fn, config: CloningConfig, params: dict, observations: Array, actions: Array, key: Array
) -> tuple[dict, Array]:  # fmt: skip
    def loss(params: dict, key: Array) -> Array:
        rows_key, noise_key = jax.random.split(key)
        rows = jax.random.randint(rows_key, (config.batch_size,), 0, actions.shape[0])
        seen = observations[rows]
        seen = seen + config.noise * jax.random.normal(noise_key, seen.shape)
        return jnp.mean(jnp.square(apply_fn(params, seen).mode() - actions[rows]))

    optimizer = optax.adam(optax.cosine_decay_schedule(config.learning_rate, config.steps))

    def step(carry: tuple, key: Array) -> tuple[tuple, Array]:
        params, state = carry
        error, gradients = jax.value_and_grad(loss)(params, key)
        updates, state = optimizer.update(gradients, state, params)
        return (optax.apply_updates(params, updates), state), error

    (params, _), errors = jax.lax.scan(
        step, (params, optimizer.init(params)), jax.random.split(key, config.steps)
    )
    return params, jnp.sqrt(errors[-100:].mean())
