"""Tiny vector environments with known answers. Each says what a correct algorithm finds."""

import gymnasium as gym
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from amp_sbx import AMPPPO


class ProbeEnv(VectorEnv):
    """Constant observation, reward 1, episodes of `length` steps that terminate or time out.

    `amp_obs` is (episode number, step in the episode), which shows values from after a reset.
    """

    metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012
    render_mode = None

    def __init__(self, num_envs=8, length=1, truncate=False, action_space=None):
        self.num_envs, self.length, self.truncate = num_envs, length, truncate
        self.single_observation_space = gym.spaces.Box(-10, 10, (1,), np.float32)
        self.single_action_space = action_space or gym.spaces.Box(-1, 1, (1,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.rng = np.random.default_rng(0)

    def start(self):
        return np.zeros((self.num_envs, 1), np.float32)

    def advance(self, obs):
        return obs

    def reward(self, obs, actions):
        return np.ones(self.num_envs)

    def amp(self, obs, actions):
        return np.stack([self.episode, self.steps], axis=1).astype(np.float32)

    def reset(self, *, seed=None, options=None):
        self.rng = np.random.default_rng(seed)
        self.steps = np.zeros(self.num_envs, int)
        self.episode = np.zeros(self.num_envs, int)
        self.obs = self.start()
        return self.obs, {}

    def step(self, actions):
        actions = np.asarray(actions)
        self.steps += 1
        rewards = self.reward(self.obs, actions)
        infos = {"amp_obs": self.amp(self.obs, actions), "reward_probe": rewards.astype(np.float32)}
        done = self.steps >= self.length
        obs = self.advance(self.obs)
        infos["final_obs"] = obs.copy()
        self.obs = np.where(done[:, None], self.start(), obs).astype(np.float32)
        self.steps = np.where(done, 0, self.steps)
        self.episode = self.episode + done
        flags = (done & ~self.truncate, done & self.truncate)
        return self.obs, rewards, *flags, infos

    def close(self, **kwargs):
        pass


class SignEnv(ProbeEnv):
    """Reward equals the observation, +1 or -1: V(obs) = obs."""

    def start(self):
        return self.rng.choice([-1.0, 1.0], size=(self.num_envs, 1)).astype(np.float32)

    def reward(self, obs, actions):
        return obs[:, 0].copy()


class TwoStepEnv(ProbeEnv):
    """Observation 0 then 1, reward 1 at the second step only: V(1) = 1, V(0) = gamma."""

    def __init__(self, num_envs=8):
        super().__init__(num_envs, length=2)

    def advance(self, obs):
        return obs + 1

    def reward(self, obs, actions):
        return obs[:, 0].copy()


class ChoiceEnv(ProbeEnv):
    """Two actions, the second pays 1: the policy must choose it, V = 1."""

    def __init__(self, num_envs=8):
        super().__init__(num_envs, action_space=gym.spaces.Discrete(2))

    def reward(self, obs, actions):
        return (actions == 1).astype(float)


class StyleEnv(ProbeEnv):
    """No task reward. `amp_obs` is the action, so only style moves the policy."""

    def __init__(self, num_envs=32):
        # Wide limits: beyond them, all actions are clipped to one.
        super().__init__(num_envs, length=8, action_space=gym.spaces.Box(-10, 10, (1,), np.float32))

    def reward(self, obs, actions):
        return np.zeros(self.num_envs)

    def amp(self, obs, actions):
        return actions.astype(np.float32)


SMALL_AMP = {
    "discriminator_hidden": (16,),
    "batch_size": 32,
    "replay_buffer_size": 200,
    "update_steps": 2,
}
# For StyleEnv: actions around 0.5, and a discriminator that learns faster than the policy.
# Advantages are normalized: a policy follows even the slightest slope of the discriminator.
STYLE_REFERENCE = np.random.default_rng(0).normal(0.5, 0.3, size=(500, 1)).astype(np.float32)
STYLE_AMP = SMALL_AMP | {
    "weight": 1.0,
    "disc_lr": 5e-3,
    "batch_size": 256,
    "update_steps": 5,
    "max_grad_norm": 10.0,
    "normalization": "none",
    "r1_gamma": 1.0,
}
REFERENCE = np.random.default_rng(1).normal(size=(100, 2)).astype(np.float32)


def make_model(env, **kwargs):
    """An `AMPPPO` small enough for a test."""
    defaults = {
        "n_steps": 16,
        "batch_size": 64,
        "n_epochs": 4,
        "learning_rate": 1e-2,
        "policy_kwargs": {"net_arch": [16], "activation_fn": "tanh"},
        "seed": 0,
    }
    return AMPPPO("MlpPolicy", env, **(defaults | kwargs))


def value_of(model, observation):
    """V of one observation (1,)."""
    obs = np.asarray(observation, np.float32).reshape(1, -1)
    return float(model.policy.vf_state.apply_fn(model.policy.vf_state.params, obs).squeeze())


def copy_of(tree):
    """A copy that outlives the donation of the original."""
    return jax.tree.map(jnp.copy, tree)


def assert_trees_equal(one, other):
    """Same structure, and the same numbers bit for bit."""
    assert jax.tree.structure(one) == jax.tree.structure(other)
    for left, right in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(left, right)


class AMPInfo(gym.Wrapper):
    """Single environment whose `info["amp_obs"]` is its own observation."""

    amp_layout = {"channels": "observation"}  # noqa: RUF012

    def step(self, action):
        obs, reward, terminated, truncated, info = self.env.step(action)
        return obs, reward, terminated, truncated, info | {"amp_obs": np.asarray(obs, np.float32)}
