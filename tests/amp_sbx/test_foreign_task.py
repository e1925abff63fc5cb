"""AMP in Gymnasium's HalfCheetah, which imitates a known open-loop motion."""

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3.common.vec_env import DummyVecEnv

from amp_sbx import AMPPPO

JOINTS = slice(
    2, 8
)  # of HalfCheetah's 17 observations: six joint angles; 11:17 are their velocities
JOINT_VELOCITIES = slice(11, 17)


class JointFeatures(gym.Wrapper):
    """`info["amp_obs"]`: joint angles and scaled velocities. There is no task reward."""

    def step(self, action):
        obs, _, terminated, truncated, info = self.env.step(action)
        features = np.concatenate([obs[JOINTS], 0.1 * obs[JOINT_VELOCITIES]]).astype(np.float32)
        return obs, 0.0, terminated, truncated, info | {"amp_obs": features}


def make():
    return JointFeatures(gym.make("HalfCheetah-v5", max_episode_steps=200))


def open_loop_motion(num_steps=400):
    """AMP observations of a sine on all actuators, which a policy can reproduce."""
    env, phase = make(), np.linspace(0, np.pi, 6)
    env.reset(seed=0)
    rows = []
    for step in range(num_steps):
        *_, truncated, info = env.step(0.8 * np.sin(0.5 * step + phase))
        rows.append(info["amp_obs"])
        if truncated:
            env.reset()
    env.close()
    return np.stack(rows)


def learn(iterations, num_envs):
    """Train. Returns the model, and each iteration's mean style reward and AMP observations."""
    amp = {
        "weight": 1.0,
        "discriminator_hidden": (64, 32),
        "batch_size": 256,
        "disc_lr": 3e-4,
        "update_steps": 2,
        "r1_gamma": 10.0,
        "disc_input_noise_std": 0.1,
        "replay_buffer_size": 5000,
        "normalization": "none",
    }
    model = AMPPPO(
        "MlpPolicy",
        DummyVecEnv([make for _ in range(num_envs)]),
        n_steps=64,
        batch_size=64 * num_envs // 4,
        n_epochs=4,
        learning_rate=1e-3,
        gamma=0.9,
        amp=amp,
        reference=open_loop_motion(),
        policy_kwargs={"net_arch": [64], "activation_fn": "elu", "log_std_init": -0.5},
        seed=0,
    )
    styles, features = [], []
    original = model.train

    def train():
        features.append(model._amp_obs.reshape(-1, model._amp_obs.shape[-1]).copy())
        original()
        styles.append(model.logger.name_to_value["amp/reward_mean"])

    model.train = train
    model.learn(64 * num_envs * iterations)
    return model, styles, features


@pytest.mark.slow
def test_runs_on_half_cheetah():
    model, styles, _ = learn(iterations=3, num_envs=2)
    assert len(styles) == 3 and np.isfinite(styles).all()
    assert (
        len(model.ep_info_buffer) == 0
    )  # 192 steps: no episode has ended, and there is no Monitor
    assert model.predict(np.zeros(17, np.float32))[0].shape == (6,)


@pytest.mark.slow
def test_style_rises_on_half_cheetah():
    """The final discriminator scores the trained policy higher than the first one.

    The logged reward is no such measure: the discriminator becomes stricter as the policy improves.
    """
    model, _, features = learn(iterations=150, num_envs=8)
    first, last = (model.learner.rewards(rows).mean() for rows in (features[0], features[-1]))
    assert last > 1.5 * first
