"""The linear inverted pendulum over one periodic cycle: center of mass from zero-moment point, and
back.

x'' = omega^2 (x - p) with omega^2 = g / z_c (Kajita et al. 2001). For periodic motion it is a
low-pass filter for each harmonic: X_k = P_k / (1 + (k Omega / omega)^2). This finds the bounded
solution without integrating an unstable equation.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.linalg import solve_banded

GRAVITY = 9.81  # m/s^2


def natural_frequency(height: float) -> float:
    """Return omega in rad/s of a pendulum whose mass stays at `height` m."""
    return float(np.sqrt(GRAVITY / height))


def com_from_zmp(
    zmp: Float[np.ndarray, "*sample"], period_s: float, omega: float
) -> Float[np.ndarray, "*sample"]:
    """Return the periodic path of the center of mass for a periodic zero-moment point, in m.

    `zmp` may be the deviation from a steady drift, since a constant velocity needs no force.

    Args:
        zmp: Samples of one period along the first axis, in m.
        period_s: Duration of the period, in seconds.
        omega: Natural frequency, in rad/s.
    """
    harmonics = np.arange(len(zmp) // 2 + 1).reshape(-1, *[1] * (zmp.ndim - 1))
    gain = 1.0 / (1.0 + np.square(harmonics * 2.0 * np.pi / (period_s * omega)))
    return np.fft.irfft(np.fft.rfft(zmp, axis=0) * gain, n=len(zmp), axis=0)


def zmp_from_com(
    com: Float[np.ndarray, "*sample"], period_s: float, omega: float
) -> Float[np.ndarray, "*sample"]:
    """Return the inverse of `com_from_zmp`: p = x - x'' / omega^2."""
    harmonics = np.arange(len(com) // 2 + 1).reshape(-1, *[1] * (com.ndim - 1))
    gain = 1.0 + np.square(harmonics * 2.0 * np.pi / (period_s * omega))
    return np.fft.irfft(np.fft.rfft(com, axis=0) * gain, n=len(com), axis=0)


def com_between_rests(
    zmp: Float[np.ndarray, "time *dims"], dt: float, omega: float
) -> Float[np.ndarray, "time *dims"]:
    """Return the path of the center of mass for a zero-moment point that begins and ends at rest.

    It solves x - x'' / omega^2 = p with x = p at both ends, so nothing unstable is integrated.

    Args:
        zmp: Samples along the first axis, in m.
        dt: Time between samples, in seconds.
        omega: Natural frequency, in rad/s.
    """
    k = 1.0 / (omega * dt) ** 2
    bands = np.zeros((3, len(zmp)))
    bands[0, 2:] = bands[2, :-2] = -k
    bands[1] = 1.0 + 2.0 * k
    bands[1, [0, -1]] = 1.0
    com: np.ndarray = solve_banded((1, 1), bands, zmp)
    return com
