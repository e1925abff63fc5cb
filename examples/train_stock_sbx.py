"""Add AMP to stock sbx.PPO with a rollout buffer and a callback."""

import gymnasium as gym
from sbx import PPO

import wildrobot_gym as wr
from amp_sbx import AMPCallback, AMPRolloutBuffer, GymnasiumVecEnv

env = gym.make_vec("WildRobot-v0", num_envs=1024, reset={"stagger": True})
reference = wr.load_reference("walk", env)

model = PPO(
    "MlpPolicy",
    GymnasiumVecEnv(env),  # the vector environment as Stable-Baselines3 knows them
    n_steps=24,
    batch_size=6144,
    rollout_buffer_class=AMPRolloutBuffer,
    verbose=1,
)
model.learn(1_000_000, callback=AMPCallback({"weight": 0.4}, reference))
