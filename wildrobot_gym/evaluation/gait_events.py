"""Touchdowns and swings of each foot, by the walk benchmark's definition."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from wildrobot_gym.task.contact import LOADED_FRACTION

MIN_UNLOADED_S = 0.040  # before a touchdown; shorter gaps are flicker of contact


@dataclass(frozen=True)
class GaitEvents:
    """``swing_peak``: at a touchdown, the highest the sole's lowest corner got in the swing it ends; NaN elsewhere."""

    loaded: Bool[np.ndarray, "time env foot"]
    touchdown: Bool[np.ndarray, "time env foot"]
    swing_peak: Float[np.ndarray, "time env foot"]


def find_events(
    foot_force: Float[np.ndarray, "time env foot"],
    sole_height: Float[np.ndarray, "time env foot"],
    weight: float,
    control_dt: float,
) -> GaitEvents:
    """Events of all feet. ``weight`` is m*g in N; steps are ``control_dt`` s apart.

    A touchdown is a step at which the foot's force is over 0.10 of the weight after at least 40 ms at or under it.
    """
    loaded = foot_force > LOADED_FRACTION * weight
    needed = max(1, math.ceil(MIN_UNLOADED_S / control_dt - 1e-9))
    unloaded_steps = np.zeros(loaded.shape[1:], int)
    peak = np.full(loaded.shape[1:], -np.inf)
    touchdown = np.zeros_like(loaded)
    swing_peak = np.full(loaded.shape, np.nan)
    for t in range(len(loaded)):
        touchdown[t] = loaded[t] & (unloaded_steps >= needed)
        swing_peak[t] = np.where(touchdown[t], peak, np.nan)
        unloaded_steps = np.where(loaded[t], 0, unloaded_steps + 1)
        peak = np.where(loaded[t], -np.inf, np.maximum(peak, sole_height[t]))
    return GaitEvents(loaded, touchdown, swing_peak)
