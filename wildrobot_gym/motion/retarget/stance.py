"""When each foot is planted: slow and low, with hysteresis, so that noise makes no additional
steps.
"""

from __future__ import annotations

import itertools

import numpy as np
from jaxtyping import Bool, Float

from wildrobot_gym.motion.retarget import ground
from wildrobot_gym.motion.retarget.scaled import ScaledHuman

# A foot counts as lifted at this multiple of the speed and height at which it counts as planted.
_LEAVE = 1.5
_HEIGHT = 0.05  # of the leg's length, above where the joint is when the foot lies flat.
_SHORTEST = 0.2  # of sqrt(leg / g); shorter stances and lifts are noise (a human's: 0.06 s).
_LONGER = 1.2  # multiple of the usual stance; longer ones are no steps.
_STANCE_FOR_SWING = 1.25  # least ratio between a stance and a swing in walking.
_BEYOND = 0.02  # s; least time between the clip's end and a touchdown or lift-off outside it


def stances(human: ScaledHuman, leg: float) -> list[list[tuple[float, float]]]:
    """Find the stances of each foot.

    A stance that the clip cuts off is taken to last as long as the others. If it lasts longer
    already, or there are no others, its touchdown is -inf or its lift-off inf.

    Args:
        human: The scaled human, at a high frame rate, since times are those of frames.
        leg: Leg length of the robot, in m.

    Returns:
        (touchdown, lift-off) of each stance of each foot, in seconds.
    """
    # Speeds are the human's, in the clip's lengths and times.
    still = ground.resting_speed(leg / human.scale) * human.scale / human.time_scale
    planted = np.zeros(human.ankle.shape[:2], bool)
    for joint in (human.ankle, human.toe):
        speed = np.linalg.norm(np.gradient(joint, 1.0 / human.fps, axis=0), axis=-1)
        rest = np.array(
            [
                _resting_height(joint[:, f, 2], speed[:, f] < 0.5 * still)
                for f in range(joint.shape[1])
            ]
        )
        amount = np.maximum(speed / still, (joint[..., 2] - rest) / (_HEIGHT * leg))
        planted |= _hysteresis(amount)
    shortest = _SHORTEST * np.sqrt(leg / 9.81) * human.time_scale / np.sqrt(human.scale)
    found = [
        _intervals(_without_short(p, round(shortest * human.fps)), human.fps) for p in planted.T
    ]
    usual = _usual_stance(found, human.time[-1])
    return found if usual is None else [_completed(foot, usual, human.time[-1]) for foot in found]


def _resting_height(height: np.ndarray, resting: np.ndarray) -> float:
    return float(np.median(height[resting]) if resting.any() else height.min())


def _hysteresis(amount: Float[np.ndarray, "time foot"]) -> Bool[np.ndarray, "time foot"]:
    """Return True from where `amount` falls below 1 until it rises above `_LEAVE`."""
    out = np.zeros(amount.shape, bool)
    state = amount[0] < _LEAVE
    for i, row in enumerate(amount):
        state = np.where(state, row < _LEAVE, row < 1.0)
        out[i] = state
    return out


def _without_short(planted: Bool[np.ndarray, " time"], frames: int) -> Bool[np.ndarray, " time"]:
    """Return `planted` without runs of less than `frames` frames, except at the ends of the
    clip.
    """
    out = planted.copy()
    for value in (False, True):  # close gaps first: a stance in pieces is one stance
        edges = np.flatnonzero(np.diff(out)) + 1
        for begin, end in itertools.pairwise(edges):
            if out[begin] == value and end - begin < frames:
                out[begin:end] = not value
    return out


def _intervals(planted: Bool[np.ndarray, " time"], fps: float) -> list[tuple[float, float]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], planted, [False]]).astype(int)))
    return [
        (-np.inf if a == 0 else a / fps, np.inf if b == len(planted) else b / fps)
        for a, b in zip(edges[::2], edges[1::2], strict=True)
    ]


def _usual_stance(found: list[list[tuple[float, float]]], end: float) -> float | None:
    """Return the median length of the stances, in seconds, or None without a swing.

    If all are cut off by the ends of the clip, those count.
    """
    whole = [up - down for foot in found for down, up in foot if np.isfinite(up - down)]
    if whole:
        return float(np.median(whole))
    swings = [b[0] - a[1] for foot in found for a, b in itertools.pairwise(foot)]
    parts = [min(up, end) - max(down, 0.0) for foot in found for down, up in foot]
    return max(_STANCE_FOR_SWING * float(np.median(swings)), *parts) if swings else None


def _completed(
    intervals: list[tuple[float, float]], usual: float, end: float
) -> list[tuple[float, float]]:
    """Extend the stances that the clip cuts off to `usual` s, beyond its ends."""
    out = list(intervals)
    for i, (down, up) in enumerate(out):
        if np.isinf(down) and up < _LONGER * usual:
            out[i] = (min(up - usual, -_BEYOND), up)
        elif np.isinf(up) and end - down < _LONGER * usual:
            out[i] = (down, max(down + usual, end + _BEYOND))
    return out
