"""Gymnasium registration of the environments."""

from __future__ import annotations

import gymnasium as gym

ENV_ID = "WildRobot-v0"
TRACK_ENV_ID = "WildRobotTrack-v0"
MAX_EPISODE_STEPS = 500  # 10 s at 50 Hz

_CLASSES = {
    ENV_ID: ("single_env:WildRobotEnv", "vector_env:WildRobotVectorEnv"),
    TRACK_ENV_ID: ("track_env:WildRobotTrackEnv", "track_env:WildRobotTrackVectorEnv"),
}


def register_envs() -> None:
    """Register both environments for `gym.make` and `gym.make_vec`; a second call does nothing."""
    for env_id, (single, vector) in _CLASSES.items():
        if env_id not in gym.registry:
            gym.register(
                id=env_id,
                entry_point=f"wildrobot_gym.env.{single}",
                vector_entry_point=f"wildrobot_gym.env.{vector}",
                max_episode_steps=MAX_EPISODE_STEPS,
            )
