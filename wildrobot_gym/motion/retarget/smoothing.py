"""Smoothing without delay: the least-squares path between data and a small jerk (Whittaker 1923).

Away from the ends it is a Butterworth filter, run forwards and backwards; at the ends it simply goes on, where
a recursive filter needs invented data.
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
)  # rounds, and times what pokes through a ceiling that a path is pushed down by


def low_pass(
    values: Float[np.ndarray, "time *dims"], fps: float, cutoff: float, order: int = JERK
) -> Float[np.ndarray, "time *dims"]:
    """`values` with what is faster than `cutoff` Hz taken out; a wave of `cutoff` Hz keeps half its size.

    `order`: of the differences kept small. With 1 the ends run out level, with 3 they keep velocity and acceleration.
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
    """A smooth path near `values` that stays under `ceiling`: pushed down where it pokes through, and smoothed anew."""
    wanted = np.minimum(values, ceiling)
    if len(values) <= JERK:
        return wanted
    smoother = _smoother(len(values), fps, cutoff, JERK)
    for _ in range(_PUSHES):
        wanted = wanted - _PUSH * np.maximum(smoother.solve(wanted) - ceiling, 0.0)
    return smoother.solve(wanted)


def differences(num: int, order: int) -> sp.sparray:
    """(num - order, num) matrix that takes differences of that order."""
    weights = [(-1.0) ** (order - k) * comb(order, k) for k in range(order + 1)]
    return sp.diags_array(weights, offsets=range(order + 1), shape=(num - order, num))


def _smoother(num: int, fps: float, cutoff: float, order: int) -> SuperLU:
    """The factorised matrix that turns data into their smooth path."""
    rough = differences(num, order)
    penalty = (2.0 * np.sin(np.pi * cutoff / fps)) ** (-2 * order)
    return splu((sp.eye_array(num) + penalty * rough.T @ rough).tocsc())
