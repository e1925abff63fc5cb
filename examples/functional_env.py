"""Step a batch of environments as pure JAX functions, a hundred steps in one compiled program."""

import jax
import jax.numpy as jnp

from wildrobot_gym.env.functional import FunctionalWildRobot

env = FunctionalWildRobot({"commands": {"vx": (0.2, 0.6)}}, engine="auto")
NUM_ENVS, STEPS = 8, 100


def control_step(state, key):
    actions = 0.3 * jax.random.normal(key, (NUM_ENVS, *env.action_space.shape))
    state, step = jax.vmap(env.step)(state, jnp.clip(actions, -1.0, 1.0))
    return state, (step.reward, step.terminated)


@jax.jit
def rollout(key):
    start_key, key = jax.random.split(key)
    state = jax.vmap(env.reset)(jax.random.split(start_key, NUM_ENVS))
    return jax.lax.scan(control_step, state, jax.random.split(key, STEPS))


state, (rewards, falls) = rollout(jax.random.key(0))
print(f"{env.engine.name}: {int(falls.sum())} falls, mean reward {float(rewards.mean()):.3f}")
