"""The commands that performed motion follows."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from wildrobot_gym.motion.states import CONTROL_DT
from wildrobot_gym.motion.tracking.performance import Performance
from wildrobot_gym.rotations import base_in_heading

LAGS_S = np.arange(0.2, 1.61, 0.1)  # s that motion may be behind its command
_TINY = 1e-6


def segment_commands(
    performance: Performance, first: int, end: int
) -> Float[np.ndarray, "time 3"] | None:
    """Return the command of each frame of a segment, or None where the clip had no commands.

    Servos are soft, and a turn slips: a robot follows a clip by less than the clip does. So each
    part of the commands is scaled by what the whole performance made of it.

    Args:
        performance: What was performed.
        first: First frame of the segment.
        end: Frame after its last one.
    """
    commands = performance.commands
    if commands is None:
        return None
    return (commands[first:end] * followed(performance, commands)).round(4)


def followed(
    performance: Performance, commands: Float[np.ndarray, "time 3"]
) -> Float[np.ndarray, " 3"]:
    """Return how much of each part of its commands a performance followed, by least squares at the
    lag that fits best; 1 where nothing was commanded.
    """
    view = base_in_heading(performance.qpos, performance.qvel)
    done = np.concatenate([view.velocity[:, :2], view.rate[:, 2:]], axis=-1)
    fits, parts = [], []
    for late in (LAGS_S / CONTROL_DT).round().astype(int):
        asked = commands[: max(len(done) - late, 0)]
        fit = np.sum(asked * done[late:], axis=0)
        size = np.sum(np.square(asked), axis=0)
        fits.append(fit)
        parts.append(np.where(size > _TINY, fit / np.maximum(size, _TINY), 1.0))
    return np.take_along_axis(np.array(parts), np.argmax(fits, axis=0)[None], axis=0)[0]
