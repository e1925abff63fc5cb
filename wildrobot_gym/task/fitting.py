"""The numbers of a config that follow from the robot's size, where the config leaves them out."""

from __future__ import annotations

import dataclasses
from typing import TypeVar

from wildrobot_gym.config import check
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import EnvConfig
from wildrobot_gym.task.rewards import RewardConfig

C = TypeVar("C", bound=EnvConfig)


def fitted(config: C, robot: RobotModel) -> C:
    """The config with the robot's own heights in place of None.

    Args:
        config: All settings.
        robot: The robot.

    Raises:
        ConfigError: the heights that end an episode do not enclose the robot's home pose.
    """
    ends = config.termination
    low = robot.lowest_height if ends.min_height is None else ends.min_height
    high = robot.highest_height if ends.max_height is None else ends.max_height
    check(low < high, "termination heights", (low, high), "min < max")
    home = float(robot.home_qpos[2])
    if not low < home < high:
        raise ConfigError(
            f"termination.min_height {low} and max_height {high} do not enclose {robot.name}'s"
            f" base in its home pose, {home:.3f} m up: episodes would end as they begin. Set them"
            " to the robot's size, or leave them out."
        )
    rewards = config.rewards
    if isinstance(rewards, RewardConfig) and rewards.target_height is None:
        rewards = dataclasses.replace(rewards, target_height=robot.target_height)
    ends = dataclasses.replace(ends, min_height=low, max_height=high)
    return dataclasses.replace(config, termination=ends, rewards=rewards)
