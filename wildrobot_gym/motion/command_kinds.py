"""What kind of motion a command asks for."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from wildrobot_gym.motion.clip import MotionClip

STAND, WALK, BACKWARD, SIDEWAYS, TURN, CURVE, VARIED = KINDS = (
    "stand",
    "walk",
    "backward",
    "sideways",
    "turn",
    "curve",
    "varied",
)
_STILL = np.array([0.05, 0.05, 0.1])  # m/s, m/s, rad/s; a command of less moves nothing
# rad/s; a walk's heading drifts by less. Performed straight walks turn by up to 0.24.
_BENDS = 0.25


def kind_of(command: Float[np.ndarray, " 3"]) -> str:
    """Return the kind of motion that a steady command (vx m/s, vy m/s, yaw rate rad/s) asks for."""
    vx, vy, turn = (float(part) for part in command)
    if np.hypot(vx, vy) < _STILL[0]:
        return TURN if abs(turn) >= _STILL[2] else STAND
    if abs(vy) > abs(vx):
        return SIDEWAYS
    if vx < 0.0:
        return BACKWARD
    return CURVE if abs(turn) > _BENDS else WALK


def kind_of_clip(clip: MotionClip) -> str:
    """Return the kind of motion that a clip's command asks for; `varied` if it changes kind or
    speed.
    """
    if clip.commands is not None and (np.ptp(clip.commands, axis=0) >= _STILL).any():
        return VARIED
    return kind_of(np.asarray(clip.command))
