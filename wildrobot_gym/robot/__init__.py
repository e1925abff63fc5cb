"""The robot: its compiled model, its description and its arrays."""

from wildrobot_gym.robot.file import (
    ROBOT_FILE,
    RobotFile,
    find_robot_file,
    read_robot_file,
    shipped_robots,
)
from wildrobot_gym.robot.model import SATURATION_FRACTION, RobotModel

__all__ = [
    "ROBOT_FILE",
    "SATURATION_FRACTION",
    "RobotFile",
    "RobotModel",
    "find_robot_file",
    "read_robot_file",
    "shipped_robots",
]
