"""Gymnasium registration of the environments."""

from __future__ import annotations

import gymnasium as gym

ENV_ID = "WildRobot-v0"
MAX_EPISODE_STEPS = 500  # 10 s at 50 Hz


def register_envs() -> None:
    """Register WildRobot-v0 for ``gym.make`` and ``gym.make_vec``; harmless when done twice."""
    if ENV_ID not in gym.registry:
        gym.register(
            id=ENV_ID,
            entry_point="wildrobot_gym.env.single_env:WildRobotEnv",
            vector_entry_point="wildrobot_gym.env.vector_env:WildRobotVectorEnv",
            max_episode_steps=MAX_EPISODE_STEPS,
        )
