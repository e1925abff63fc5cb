"""Behaviour cloning: a policy's first weights from demonstrations, so that learning begins near the motion to imitate.

From scratch PPO finds the easiest gait first, a shuffle, and then keeps to it; a policy that begins by attempting the
reference's steps improves those. Only the actor's mean is fitted; its spread and the critic stay as they were made.
"""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax.training.train_state import TrainState
from jaxtyping import Array, Float

from amp_sbx.errors import ConfigError, FeatureError, NonFiniteError
from amp_sbx.symmetry import Mirror


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
    batch_size: int = 2048
    learning_rate: float = 1e-3
    noise: float = 0.08

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ConfigError(f"{name} of behaviour cloning is {value!r}; it must be a whole number, at least 1.")
        if not 0 < self.learning_rate < np.inf:
            raise ConfigError(f"learning_rate of behaviour cloning is {self.learning_rate!r}; it must be positive.")
        if not 0 <= self.noise < np.inf:
            raise ConfigError(f"noise of behaviour cloning is {self.noise!r}; it must be 0 or more.")


def clone(
    config: CloningConfig,
    actor: TrainState,
    observations: Float[np.ndarray, "step *obs"],
    actions: Float[np.ndarray, "step action"],
    mirror: Mirror | None,
    key: Array,
) -> tuple[TrainState, float]:
    """`actor` with its mean fitted to the demonstrations, and the root-mean-square error it ends with (noise included).

    With `mirror` the policy is also drawn to its own mirror image, which mirrored minibatches of PPO start from.

    Raises:
        FeatureError: arrays that do not belong together or are not finite.
        NonFiniteError: the fit diverged.
    """
    if len(observations) != len(actions) or len(actions) == 0:
        raise FeatureError(f"{len(observations)} observations do not go with {len(actions)} actions; give one for each.")
    for name, values in (("observations", observations), ("actions", actions)):
        if not np.isfinite(values).all():
            raise FeatureError(f"the demonstrated {name} are not finite; mend the motion they come from.")
    params, error = _fit(
        actor.apply_fn, config, mirror, actor.params, jnp.asarray(observations), jnp.asarray(actions), key
    )
    if not np.isfinite(error):
        raise NonFiniteError("behaviour cloning diverged and was not applied; lower its learning_rate.")
    return actor.replace(params=params), float(error)


@partial(jax.jit, static_argnums=(0, 1, 2))
def _fit(
    apply_fn, config: CloningConfig, mirror: Mirror | None, params: dict, observations: Array, actions: Array, key: Array
) -> tuple[dict, Array]:  # fmt: skip
    def mean(params: dict, observations: Array) -> Array:
        return apply_fn(params, observations).mode()

    def loss(params: dict, key: Array) -> tuple[Array, Array]:
        rows_key, noise_key = jax.random.split(key)
        rows = jax.random.randint(rows_key, (config.batch_size,), 0, actions.shape[0])
        seen = observations[rows]
        seen = seen + config.noise * jax.random.normal(noise_key, seen.shape)
        answer = mean(params, seen)
        error = jnp.mean(jnp.square(answer - actions[rows]))
        if mirror is None:
            return error, error
        image = mirror.actions(mean(params, mirror.observations(seen)))
        return error + jnp.mean(jnp.square(answer - image)), error

    optimizer = optax.adam(optax.cosine_decay_schedule(config.learning_rate, config.steps))

    def step(carry: tuple, key: Array) -> tuple[tuple, Array]:
        params, state = carry
        (_, error), gradients = jax.value_and_grad(loss, has_aux=True)(params, key)
        updates, state = optimizer.update(gradients, state, params)
        return (optax.apply_updates(params, updates), state), error

    (params, _), errors = jax.lax.scan(step, (params, optimizer.init(params)), jax.random.split(key, config.steps))
    return params, jnp.sqrt(errors[-100:].mean())
