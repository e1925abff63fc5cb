"""Performing clips in physics: joint targets tracked in a batch, with a harness that is capped and recorded."""

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
