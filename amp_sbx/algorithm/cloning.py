"""Behavior cloning: fits a new policy to demonstrations before it learns.

From scratch, PPO finds the easiest gait first, a shuffle, and keeps it. A policy that starts with
the reference's steps improves those instead. Only the actor's mean is fitted.
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
from gymnasium import spaces
from jaxtyping import Array, Float

from amp_sbx.common.checks import check_integer, check_number, reject_unknown
from amp_sbx.common.errors import ConfigError, FeatureError, NonFiniteError
from amp_sbx.common.mirror import observations_normalized


@dataclass(frozen=True)
class CloningConfig:
    """Settings of behavior cloning.

    Attributes:
        steps: gradient steps of Adam, with cosine decay to 0.
        batch_size: demonstrated steps per gradient step.
        learning_rate: initial learning rate.
        noise: standard deviation of Gaussian noise on the demonstrated observations, in their own
            units. The action does not change, so the policy learns to steer back to the motion.

    Example:
        >>> error = model.clone_behavior(observations, actions, CloningConfig(steps=1000))
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
        """Convert a config, a mapping of its fields, or None (the defaults).

        Raises:
            ConfigError: a key is unknown.
        """
        if isinstance(value, CloningConfig):
            return value
        values = dict(value or {})
        reject_unknown("warm_start", values, [item.name for item in fields(cls)])
        return cls(**values)


def clone_into(
    model: Any,
    observations: np.ndarray,
    actions: np.ndarray,
    config: CloningConfig | Mapping[str, Any] | None,
) -> float:
    """Fit the policy of an `AMPPPO`; see `AMPPPO.clone_behavior`."""
    config = CloningConfig.coerce(config)
    if not isinstance(model.action_space, spaces.Box):
        raise ConfigError(
            f"behavior cloning needs a Box action space; this one is {model.action_space}."
        )
    if model.env is not None and observations_normalized(model.env):
        raise ConfigError(
            "behavior cloning fits the policy to raw observations, but VecNormalize scales them; "
            "make it with norm_obs=False."
        )
    for name, values, space in (
        ("observations", observations, model.observation_space),
        ("actions", actions, model.action_space),
    ):
        if np.shape(values)[1:] != space.shape:
            wanted = ", ".join(map(str, ("num_steps", *space.shape)))
            raise FeatureError(
                f"demonstrated {name} have shape {np.shape(values)}; expected ({wanted})."
            )
    model.key, key = jax.random.split(model.key)
    model.policy.actor_state, error = clone(
        config, model.policy.actor_state, np.asarray(observations), np.asarray(actions), key
    )
    return error


def clone(
    config: CloningConfig,
    actor: TrainState,
    observations: Float[np.ndarray, "step *obs"],
    actions: Float[np.ndarray, "step action"],
    key: Array,
) -> tuple[TrainState, float]:
    """Fit an actor's mean to demonstrations.

    Returns:
        `(actor, error)`: the root-mean-square error at the end, with noise.

    Raises:
        FeatureError: the arrays have different lengths, are empty, or are not finite.
        NonFiniteError: the fit diverged.
    """
    if len(observations) != len(actions) or len(actions) == 0:
        raise FeatureError(
            f"{len(observations)} observations do not go with {len(actions)} actions; give one "
            "action for each observation."
        )
    for name, values in (("observations", observations), ("actions", actions)):
        if not np.isfinite(values).all():
            raise FeatureError(
                f"the demonstrated {name} are not finite; fix the motion they come from."
            )
    params, error = _fit(
        actor.apply_fn, config, actor.params, jnp.asarray(observations), jnp.asarray(actions), key
    )
    if not np.isfinite(error):
        raise NonFiniteError(
            "behavior cloning diverged and was not applied; lower its learning_rate."
        )
    return actor.replace(params=params), float(error)


@partial(jax.jit, static_argnums=(0, 1))
def _fit(
    apply_fn, config: CloningConfig, params: dict, observations: Array, actions: Array, key: Array
) -> tuple[dict, Array]:  # fmt: skip
    def loss(params: dict, key: Array) -> Array:
        sample_key, noise_key = jax.random.split(key)
        samples = jax.random.randint(sample_key, (config.batch_size,), 0, actions.shape[0])
        noisy = observations[samples]
        noisy = noisy + config.noise * jax.random.normal(noise_key, noisy.shape)
        return jnp.mean(jnp.square(apply_fn(params, noisy).mode() - actions[samples]))

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
