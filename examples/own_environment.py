"""AMP without WildRobot: Gymnasium's HalfCheetah imitates an open-loop motion."""

import gymnasium as gym
import numpy as np
from stable_baselines3.common.vec_env import DummyVecEnv

from amp_sbx import AMPPPO


class JointFeatures(gym.Wrapper):
    """Adds joint angles and velocities as `info["amp_obs"]`; the style is the only reward."""

    def step(self, action):
        obs, _, terminated, truncated, info = self.env.step(action)
        info["amp_obs"] = np.concatenate([obs[2:8], 0.1 * obs[11:17]]).astype(np.float32)
        return obs, 0.0, terminated, truncated, info


def make():
    return JointFeatures(gym.make("HalfCheetah-v5", max_episode_steps=200))


def record_reference(steps=400):
    env, frames = make(), []
    for step in range(steps):
        if step % 200 == 0:
            env.reset(seed=step)
        phases = 0.5 * step + np.linspace(0, np.pi, 6)
        frames.append(env.step(0.8 * np.sin(phases))[-1]["amp_obs"])
    return np.stack(frames)


amp = {"weight": 1.0, "discriminator_hidden": (64, 32), "batch_size": 256, "normalization": "none"}
settings = {"n_steps": 64, "batch_size": 128, "gamma": 0.9, "learning_rate": 1e-3, "verbose": 1}
env = DummyVecEnv([make] * 8)
model = AMPPPO("MlpPolicy", env, amp=amp, reference=record_reference(), **settings)
model.learn(100_000)
