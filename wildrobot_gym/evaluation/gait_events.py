"""Touchdowns and swings of each foot, by the walk benchmark's definition."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from wildrobot_gym.task.contact import LOADED_FRACTION, touchdowns


@dataclass(frozen=True)
class GaitEvents:
    """Which feet carry load, and their touchdowns.

    Attributes:
        loaded: Whether a foot carries load.
        touchdown: Whether a foot touches down at this step.
        swing_peak: At a touchdown, the highest point of the sole's lowest corner in the swing, in
            m; NaN elsewhere.
    """

    loaded: Bool[np.ndarray, "time env foot"]
    touchdown: Bool[np.ndarray, "time env foot"]
    swing_peak: Float[np.ndarray, "time env foot"]


def find_events(
    foot_force: Float[np.ndarray, "time env foot"],
    sole_height: Float[np.ndarray, "time env foot"],
    weight: float,
    control_dt: float,
) -> GaitEvents:
    """Find the touchdowns and swings of all feet.

    At a touchdown the foot's force exceeds 0.10 of the weight, after at least 40 ms below that.

    Args:
        foot_force: Vertical force on each foot, in N.
        sole_height: Height of each sole's lowest corner, in m.
        weight: The robot's weight m * g, in N.
        control_dt: Seconds between steps.
    """
    loaded = foot_force > LOADED_FRACTION * weight
    touchdown = touchdowns(loaded, control_dt)
    peak = np.full(loaded.shape[1:], -np.inf)
    swing_peak = np.full(loaded.shape, np.nan)
    for t in range(len(loaded)):
        swing_peak[t] = np.where(touchdown[t], peak, np.nan)
        peak = np.where(loaded[t], -np.inf, np.maximum(peak, sole_height[t]))
    return GaitEvents(loaded, touchdown, swing_peak)
