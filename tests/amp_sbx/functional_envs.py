"""Functional environments with known answers, and models that train on them."""

from typing import Any

import gymnasium as gym
import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from probe_envs import make_model
from stable_baselines3.common.logger import KVWriter, Logger

from amp_sbx.common.functional import FunctionalStep
from amp_sbx.common.functional_vector_env import FunctionalVectorEnv


@struct.dataclass
class PointState:
    """A point on a line, its goal, and the statistics of its episode."""

    obs: Any
    key: Any
    steps: Any
    total: Any


class PointMass:
    """The observation is (position, goal); the best action is goal - position.

    An action moves the point at once, and the reward is minus the distance that remains. Episodes
    time out after `length` steps. One whose position is NaN terminates. `amp_obs` is (position,
    action).
    """

    observation_space = gym.spaces.Box(-10, 10, (2,), np.float32)
    action_space = gym.spaces.Box(-1, 1, (1,), np.float32)

    def __init__(self, length=5):
        self.length = length

    def reset(self, key):
        key, draw = jax.random.split(key)
        obs = jax.random.uniform(draw, (2,), minval=-0.5, maxval=0.5)
        return PointState(obs, key, jnp.int32(0), jnp.float32(0))

    def move(self, state, action):
        return state.obs[0] + action[0]

    def step(self, state, action):
        position = self.move(state, action)
        final = jnp.stack([position, state.obs[1]])
        broken = jnp.isnan(position)
        reward = jnp.where(broken, 0.0, -jnp.abs(state.obs[1] - position))
        steps, total = state.steps + 1, state.total + reward
        truncated = steps >= self.length
        new = jax.tree.map(
            lambda a, b: jnp.where(broken | truncated, a, b),
            self.reset(state.key),
            PointState(final, state.key, steps, total),
        )
        return new, FunctionalStep(
            obs=new.obs,
            final_obs=final,
            reward=reward,
            terminated=broken,
            truncated=truncated,
            amp_obs=jnp.where(broken, 0.0, jnp.stack([position, action[0]])),
            episode_return=total,
            episode_length=steps,
            terms={"distance": reward},
            metrics={"is_success": jnp.abs(reward) < 0.1, "error": jnp.abs(reward)},
        )


class Recorder(KVWriter):
    """Keeps every row that a model logs."""

    def __init__(self):
        self.rows = []

    def write(self, key_values, key_excluded, step=0):
        self.rows.append(dict(key_values))

    def close(self):
        pass


def point_model(env=None, **kwargs):
    """A model on eight point masses, whose logged rows are in `model.rows`."""
    model = make_model(FunctionalVectorEnv(env or PointMass(), 8), **kwargs)
    recorder = Recorder()
    model.set_logger(Logger(None, [recorder]))
    model.rows = recorder.rows
    return model


ITERATION = 16 * 8
"""Steps of one iteration of these models."""


def assert_close(one, other, tolerance=2e-5):
    """The models have the same parameters up to rounding."""
    for left, right in zip(
        jax.tree.leaves(one.get_parameters()), jax.tree.leaves(other.get_parameters()), strict=True
    ):
        np.testing.assert_allclose(left, right, atol=tolerance, rtol=1e-4)
