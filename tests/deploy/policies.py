"""Policies that observe what a robot has: random networks, saved and loaded as trained ones are."""

from pathlib import Path

import jax
import numpy as np

from amp_sbx import AMPPPO, GymnasiumVecEnv
from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.training.policy import LoadedPolicy, load_policy

CHANNELS = (
    *("joint_offset", "joint_pos", "joint_vel", "gyro", "root_ang_vel", "gravity"),
    *("foot_switches", "command", "action", "clock"),
)
"""All that a robot without a state estimator can give."""
ENV = {
    "observation": {
        "channels": list(CHANNELS),
        "history": {"frames": 3, "stride": 2},
        "sensors": {"gyro": {"scale": 0.5, "noise": 0.2}, "joint_vel": {"delay_s": 0.01}},
        "clock_hz": 1.5,
    },
    "commands": {
        "vx": [-0.2, 0.8],
        "vy": [-0.1, 0.1],
        "yaw_rate": [-0.5, 0.5],
        "acceleration": [0.5, 0.3, 1.0],
        "heading_gain": 2.0,
        "heading_limit": 0.3,
    },
}


def random_policy(path: Path, size: float = 0.1, **env_kwargs) -> LoadedPolicy:
    """A policy with random numbers in its network, from a file.

    Args:
        path: File to write, .zip.
        size: Of the numbers.
        **env_kwargs: Settings of the environment that it is for.
    """
    env = WildRobotVectorEnv(1, backend="native", autoreset_mode="SAME_STEP", **env_kwargs)
    network = {"net_arch": [16, 16], "activation_fn": "elu"}
    model = AMPPPO(
        "MlpPolicy", GymnasiumVecEnv(env), n_steps=8, batch_size=8, policy_kwargs=network, seed=1
    )
    env.close()
    rng, state = np.random.default_rng(2), model.policy.actor_state
    params = jax.tree.map(
        lambda leaf: rng.normal(0.0, size, leaf.shape).astype(np.float32), state.params
    )
    model.policy.actor_state = state.replace(params=params)
    model.extra = {"env_id": "WildRobot-v0", "env_kwargs": env_kwargs}
    model.save(path)
    return load_policy(path)
