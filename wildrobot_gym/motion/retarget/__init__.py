"""Retargeting human motion to the robot: planted, balanced feet, joint limits, and speed by Froude
number.
"""

from wildrobot_gym.motion.retarget.pipeline import Retargeted, retarget
from wildrobot_gym.motion.retarget.report import RetargetReport
from wildrobot_gym.motion.retarget.settings import RetargetSettings

__all__ = ["RetargetReport", "RetargetSettings", "Retargeted", "retarget"]
