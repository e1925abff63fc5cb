"""What kind of motion a command asks for."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.task.channels import SLOW_COMMAND

STAND, WALK, BACKWARD, SIDEWAYS, TURN, CURVE, VARIED = KINDS = (
    "stand",
    "walk",
    "backward",
    "sideways",
    "turn",
    "curve",
    "varied",
)
# rad/s; a walk's heading drifts by less. Performed straight walks turn by up to 0.24.
_BENDS = 0.25


def kinds_of(commands: Float[np.ndarray, "time 3"]) -> np.ndarray:
    """Return the kind of motion that each command (vx m/s, vy m/s, yaw rate rad/s) asks for."""
    vx, vy, turn = np.asarray(commands, np.float64).T
    still = np.hypot(vx, vy) < SLOW_COMMAND[0]
    cases = [
        (still & (np.abs(turn) < SLOW_COMMAND[2]), STAND),
        (still, TURN),
        (np.abs(vy) > np.abs(vx), SIDEWAYS),
        (vx < 0.0, BACKWARD),
        (np.abs(turn) > _BENDS, CURVE),
    ]
    conditions, kinds = zip(*cases, strict=True)
    return np.select(conditions, kinds, WALK)


def kind_of(command: Float[np.ndarray, " 3"]) -> str:
    """Return the kind of motion that a steady command asks for."""
    return str(kinds_of(np.asarray(command)[None])[0])


def repeats(commands: Float[np.ndarray, "time 3"]) -> Int[np.ndarray, " time"]:
    """Return how often to count each frame, so that no kind of motion is lost beside others.

    A kind with a hundredth of the frames counts ten times: the share of a kind grows as the square
    root of its frames.

    Args:
        commands: Commands of all frames.
    """
    if not len(commands):
        return np.zeros(0, int)
    _, kinds, counts = np.unique(kinds_of(commands), return_inverse=True, return_counts=True)
    return np.rint(np.sqrt(counts.max() / counts)).astype(int)[kinds]


def kind_of_clip(clip: MotionClip) -> str:
    """Return the kind of motion that a clip's command asks for; `varied` if it changes kind or
    speed.
    """
    if clip.commands is not None and (np.ptp(clip.commands, axis=0) >= SLOW_COMMAND).any():
        return VARIED
    return kind_of(np.asarray(clip.command))
