"""Tracking clips in physics: servos follow the clip, and a capped, recorded harness helps."""

from wildrobot_gym.motion.tracking.performance import Performance, Variant
from wildrobot_gym.motion.tracking.rollout import track
from wildrobot_gym.motion.tracking.settings import Controller, Harness, TrackSettings
from wildrobot_gym.motion.tracking.variants import endless_clips

__all__ = [
    "Controller",
    "Harness",
    "Performance",
    "TrackSettings",
    "Variant",
    "endless_clips",
    "track",
]
