"""Tier 0+ segments: performances judged by the data-first plan's gates, and what passes taken out as reference clips."""

from wildrobot_gym.motion.segments.gates import GATE_NAMES, Gates
from wildrobot_gym.motion.segments.generate import best_segments, generate
from wildrobot_gym.motion.segments.mining import ClipYield, MiningReport, mine
from wildrobot_gym.motion.segments.output import save_features
from wildrobot_gym.motion.segments.search import search_controller

__all__ = [
    "GATE_NAMES",
    "ClipYield",
    "Gates",
    "MiningReport",
    "best_segments",
    "generate",
    "mine",
    "save_features",
    "search_controller",
]
