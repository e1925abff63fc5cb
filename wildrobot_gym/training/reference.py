"""Reference motion for an environment, and demonstrations of it for a warm start."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from wildrobot_gym.env import demonstrations as demonstrated
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.motion.reference import ReferenceDataset
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import EnvConfig, ResetConfig, TrackEnvConfig
from wildrobot_gym.task.walk import WalkTask
from wildrobot_gym.training.config import find_motion


def load_reference(name: str | Path, env: Any) -> ReferenceDataset:
    """Load reference motion in the form that an environment's own AMP features have.

    Args:
        name: A shipped motion ("walk", "walk_human", "walk_synthetic") or the path of an .npz file.
        env: A WildRobot environment: from `gym.make` or `gym.make_vec`, wrapped or not, or an SB3
            `VecEnv` of them.

    Returns:
        The dataset. `AMPPPO(..., reference=...)` takes it as it is. It has `windows` (windows,
        window), `weights` (windows,), `motions` (names) and `layout` (the meaning of each column).

    Raises:
        ConfigError: There is no such motion, or `env` is no WildRobot environment.
        MotionError: The file is damaged, or its motion does not fit the environment's robot or
            features.

    Example:
        ```python
        env = gym.make_vec("WildRobot-v0", num_envs=8)
        reference = wr.load_reference("walk", env)
        ```
    """
    config = env_config(env)
    return ReferenceDataset.load(
        find_motion(str(name)), RobotModel.load(config.robot), config.features, config.control_dt
    )


def demonstrations(
    env: Any, reference: ReferenceDataset
) -> tuple[Float[np.ndarray, "step obs"], Float[np.ndarray, "step joint"]]:
    """Observations along reference motion, and the actions that would continue it.

    Args:
        env: A `WildRobot-v0` environment of any form that `load_reference` takes.
        reference: The motion, from `load_reference`.

    Returns:
        Observations (steps, observation) as the environment gives them, and actions (steps, joints)
        in -1 to 1. `AMPPPO.clone_behavior` fits a policy to them.

    Raises:
        ConfigError: `env` is no `WildRobot-v0` environment.
        MotionError: A clip has no pad forces, or is of another robot.
    """
    config = env_config(env)
    if isinstance(config, TrackEnvConfig):
        raise ConfigError("demonstrations need WildRobot-v0; got WildRobotTrack-v0. Use that one.")
    # How episodes begin plays no part, and a reference for that is not at hand here.
    quiet = replace(config, reset=ResetConfig())
    task = WalkTask(RobotModel.load(config.robot), quiet)
    return demonstrated.demonstrations(task, reference.clips)


def env_config(env: Any) -> EnvConfig:
    """The settings of a WildRobot environment behind any wrappers.

    Args:
        env: A Gymnasium environment or vector environment, or an SB3 `VecEnv`.

    Raises:
        ConfigError: It is no WildRobot environment.
    """
    config = getattr(getattr(env, "unwrapped", env), "config", None)
    if isinstance(config, EnvConfig):
        return config
    get_attr = getattr(env, "get_attr", None)  # of vector environments that hold many single ones
    if get_attr is not None:
        try:
            found = get_attr("config")
        except AttributeError:
            found = []
        if len(found) and isinstance(found[0], EnvConfig):
            return found[0]
    raise ConfigError(
        f"env is a {type(getattr(env, 'unwrapped', env)).__name__}, no WildRobot environment."
        " Make one with gym.make_vec('WildRobot-v0', num_envs=...)."
    )
