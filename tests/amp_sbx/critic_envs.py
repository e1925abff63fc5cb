"""Environments whose critic sees more than the policy."""

from typing import Any

import gymnasium as gym
import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from functional_envs import PointMass
from probe_envs import ProbeEnv


class HiddenEnv(ProbeEnv):
    """A coin is tossed for each episode. Heads pay 1 each step, tails -1; only the critic sees it.

    With time-outs, V = coin / (1 - gamma) for the critic. For the policy's own observation, V = 0.
    """

    critic_dim = 2

    def toss(self):
        return self.rng.choice([-1.0, 1.0], size=self.num_envs)

    def seen(self):
        return np.stack([self.obs[:, 0], self.coin], axis=1).astype(np.float32)

    def reward(self, obs, actions):
        return self.coin.copy()

    def reset(self, *, seed=None, options=None):
        obs, _ = super().reset(seed=seed)
        self.coin = self.toss()
        return obs, {"critic_obs": self.seen()}

    def step(self, actions):
        before = self.seen()  # the observation is constant, and so is the coin of an episode
        *result, infos = super().step(actions)
        done = result[2] | result[3]
        infos["final_info"] = infos | {"critic_obs": before, "_critic_obs": done}
        self.coin = np.where(done, self.toss(), self.coin)
        return *result, infos | {"critic_obs": self.seen()}


@struct.dataclass
class Hidden:
    """A point whose goal only the critic sees."""

    obs: Any
    critic_obs: Any
    point: Any


class HiddenGoal:
    """A `PointMass` whose policy sees its position alone, and whose critic also sees the goal."""

    observation_space = gym.spaces.Box(-10, 10, (1,), np.float32)
    action_space = PointMass.action_space
    critic_dim = 2
    point = PointMass()
    mirror = {  # noqa: RUF012
        "obs_ids": [0],
        "obs_signs": [-1.0],
        "critic_ids": [0, 1],
        "critic_signs": [-1.0, -1.0],
        "action_ids": [0],
        "action_signs": [-1.0],
    }

    def shown(self, point):
        return Hidden(point.obs[:1], point.obs, point)

    def reset(self, key):
        return self.shown(self.point.reset(key))

    def step(self, state, action):
        point, step = self.point.step(state.point, action)
        final = step.final_obs
        return self.shown(point), step._replace(
            obs=point.obs[:1], final_obs=final[:1], critic_obs=final
        )


class Redundant(HiddenGoal):
    """A `PointMass` whose critic sees what the policy sees."""

    observation_space = PointMass.observation_space

    def shown(self, point):
        return Hidden(point.obs, point.obs, point)

    def step(self, state, action):
        point, step = self.point.step(state.point, action)
        return self.shown(point), step._replace(critic_obs=step.final_obs)


class StillPoint(PointMass):
    """All episodes begin alike."""

    def reset(self, key):
        return super().reset(jax.random.PRNGKey(0)).replace(key=key)


class Still(HiddenGoal):
    """All episodes begin alike and last four steps, so that a reset after them changes nothing."""

    point = StillPoint(length=4)


class Swapped(HiddenGoal):
    """What the critic sees finally is the next episode's first: a mistake that changes values."""

    def step(self, state, action):
        state, step = super().step(state, action)
        return state, step._replace(critic_obs=state.critic_obs)


class Counting(gym.Env):
    """The observation is the step of the episode; the critic sees it after the episode's number."""

    critic_dim = 2
    observation_space = gym.spaces.Box(0, 100, (1,), np.float32)
    action_space = gym.spaces.Box(-1, 1, (1,), np.float32)

    def __init__(self, length=3):
        self.length, self.episode, self.count = length, -1, 0

    def shown(self):
        seen = np.array([self.episode, self.count], np.float32)
        return seen[1:], {"critic_obs": seen}

    def reset(self, *, seed=None, options=None):
        self.episode, self.count = self.episode + 1, 0
        return self.shown()

    def step(self, action):
        self.count += 1
        obs, info = self.shown()
        return obs, 1.0, False, self.count >= self.length, info


def values_of(model, seen):
    """Values of what a model's critic sees."""
    return model.policy.predict_values(np.asarray(seen, np.float32))


def copy_of_learner(model):
    """The discriminator's state, copied: an update donates it."""
    return jax.tree.map(jnp.copy, model.learner.state)
