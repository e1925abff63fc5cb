"""How early and how far heels rise.

This robot's thighs hardly swing back, so a trailing foot must leave the floor heel first.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from wildrobot_gym.motion.gait.feet import Sole, rolled
from wildrobot_gym.motion.retarget.reach import LegReach
from wildrobot_gym.motion.retarget.settings import RetargetSettings
from wildrobot_gym.motion.retarget.steps import RISE_RATE, Stance, rising

_PITCHES, _RISES, _LIFTS = (
    31,
    12,
    6,
)  # numbers of candidates: pitches, start times, pitches at lift-off.
_LATE = 20.0  # how much worse a heel is that is too low than one that is as much too high.
_TOO_FAST = 3.0  # s; cost of a pitch that changes faster than the joints allow.
# Speed of the sole's pitch relative to the joints' greatest speed, since the shin tilts too.
_TILT = 1.3
_TOLERANCE = 0.02  # rad; how much too low a heel may be. Smoothing the hips' height hides it


def needed_pitch(
    reach: LegReach,
    ahead: Float[np.ndarray, " n"],
    hip_up: Float[np.ndarray, " n"],
    lean: Float[np.ndarray, " n"],
    sole: Sole,
    greatest: float,
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Return the least pitch of a planted sole with which the leg reaches, in rad, and 1 for it.

    If no pitch is enough, return `greatest` and 0.

    Args:
        reach: The leg.
        ahead: Flat foot frame ahead of the hip axis, in m.
        hip_up: Height of the hip axis above the floor, in m.
        lean: Forward pitch of the base, in rad.
        sole: The sole.
        greatest: Greatest pitch, in rad.
    """
    pitch = np.linspace(0.0, greatest, _PITCHES)[:, None]
    rolled_ahead, up = rolled(pitch, sole)
    ankle_ahead = ahead + rolled_ahead + reach.ankle_height * np.sin(pitch)
    hip = hip_up - up - reach.ankle_height * np.cos(pitch)
    reached = (hip <= reach.highest_hip(ankle_ahead, lean)) & (
        hip >= reach.lowest_hip(ankle_ahead, pitch)
    )
    found = reached.any(axis=0)
    return np.where(found, pitch[reached.argmax(axis=0), 0], greatest), 1.0 - found


def raise_heel(
    stance: Stance,
    reach: LegReach,
    time: Float[np.ndarray, " n"],
    ahead: Float[np.ndarray, " n"],
    hip_up: Float[np.ndarray, " n"],
    lean: Float[np.ndarray, " n"],
    sole: Sole,
    settings: RetargetSettings,
) -> tuple[Stance, float]:
    """Return `stance` with the least heel rise that its leg needs, and its cost in rad s.

    `time` are the frames of the stance from when it lies flat. See `needed_pitch` for the others.
    """
    if len(time) < 2 or not np.isfinite(stance.up):
        return stance, 0.0
    greatest = max(settings.heel_rise, stance.lift)
    need, short = needed_pitch(reach, ahead, hip_up, lean, sole, greatest)
    rise, lift = np.meshgrid(
        np.linspace(stance.rise, stance.flat, _RISES),
        np.linspace(stance.lift, greatest, _LIFTS),
        indexing="ij",
    )
    rise, lift = rise.reshape(-1, 1), lift.reshape(-1, 1)
    pitch = lift * rising(time, rise, stance.up)
    low = np.maximum(need - _TOLERANCE - pitch, 0.0)
    fast = np.maximum(RISE_RATE * lift / (stance.up - rise) - _TILT * settings.max_joint_speed, 0.0)
    dt = time[1] - time[0]
    cost = dt * np.sum(pitch + _LATE * low, axis=1) + dt * _TOO_FAST * fast[:, 0]
    best = int(np.argmin(cost))
    return replace(stance, rise=float(rise[best, 0]), lift=float(lift[best, 0])), float(
        cost[best] + dt * short.sum()
    )
