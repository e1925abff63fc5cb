"""The robot: its compiled model, its description and its arrays."""

from wildrobot_gym.robot.description import CONFIG_FILE, describe, write_robot_config
from wildrobot_gym.robot.model import SATURATION_FRACTION, RobotModel, robot_folder

__all__ = [
    "CONFIG_FILE",
    "SATURATION_FRACTION",
    "RobotModel",
    "describe",
    "robot_folder",
    "write_robot_config",
]
