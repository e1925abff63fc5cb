"""Mining reference motion: performances are judged by quality gates, and what passes becomes
clips.
"""

from wildrobot_gym.motion.mining.gates import GATE_NAMES, Gates
from wildrobot_gym.motion.mining.mine import ClipYield, MiningReport, mine
from wildrobot_gym.motion.mining.output import save_features
from wildrobot_gym.motion.mining.pipeline import best_segments, generate
from wildrobot_gym.motion.mining.search import search_controller

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
