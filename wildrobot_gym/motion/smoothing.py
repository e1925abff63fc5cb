"""Smoothing without delay: the least-squares path between data and a small jerk (Whittaker 1923).

Away from the ends it is a Butterworth filter, run forward and backward. A recursive filter needs
invented data at the ends, and this one does not.
"""

from __future__ import annotations

from math import comb

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float
from scipy.sparse.linalg import SuperLU, splu

JERK = 3  # order of the differences that are kept small: accelerations are smooth
_PUSHES, _PUSH = (
    12,
    2.0,
)  # number of rounds, and factor on the excess by which a path is pushed down


def low_pass(
    values: Float[np.ndarray, "time *dims"], fps: float, cutoff: float, order: int = JERK
) -> Float[np.ndarray, "time *dims"]:
    """Remove what is faster than `cutoff` Hz. A wave of `cutoff` Hz keeps half its size.

    Args:
        values: (time, ...) data.
        fps: Frame rate, in Hz.
        cutoff: Cutoff frequency, in Hz.
        order: Order of the differences that are kept small. With 1 the ends run out level, with 3
            they keep velocity and acceleration.
    """
    if len(values) <= order or cutoff >= 0.5 * fps:
        return np.array(values, np.float64)
    flat = np.asarray(values, np.float64).reshape(len(values), -1)
    return _smoother(len(values), fps, cutoff, order).solve(flat).reshape(np.shape(values))


def envelope_below(
    values: Float[np.ndarray, " time"],
    ceiling: Float[np.ndarray, " time"],
    fps: float,
    cutoff: float,
) -> Float[np.ndarray, " time"]:
    """Return a smooth path near `values` that stays below `ceiling`.

    Where it exceeds the ceiling it is pushed down and smoothed again.
    """
    wanted = np.minimum(values, ceiling)
    if len(values) <= JERK:
        return wanted
    smoother = _smoother(len(values), fps, cutoff, JERK)
    for _ in range(_PUSHES):
        wanted = wanted - _PUSH * np.maximum(smoother.solve(wanted) - ceiling, 0.0)
    return smoother.solve(wanted)


def differences(num: int, order: int) -> sp.sparray:
    """Return the (num - order, num) matrix that takes differences of that order."""
    weights = [(-1.0) ** (order - k) * comb(order, k) for k in range(order + 1)]
    return sp.diags_array(weights, offsets=range(order + 1), shape=(num - order, num))


def _smoother(num: int, fps: float, cutoff: float, order: int) -> SuperLU:
    """Return the factorized matrix that turns data into their smooth path."""
    rough = differences(num, order)
    penalty = (2.0 * np.sin(np.pi * cutoff / fps)) ** (-2 * order)
    return splu((sp.eye_array(num) + penalty * rough.T @ rough).tocsc())
