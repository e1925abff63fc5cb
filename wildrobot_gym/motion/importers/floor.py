"""Leveling the floor.

A capture volume may be calibrated a degree or two off, and standing feet show it.

In CMU's subject 02 the same standing foot is 20 mm higher for each meter walked. A robot would read
that as floating, and the direction of gravity would be wrong.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from wildrobot_gym.motion.human import HumanMotion
from wildrobot_gym.motion.importers.axes import least_turn

_STILL = 0.3  # m/s; ankle and ball of a standing foot are slower, also in a run
_MIN_STANCE_S = 0.03
_SPREAD = 0.4  # m (RMS); over less spread, heights say nothing about a slope.
_SURE = 0.8  # least fraction of the variance of stance heights that the slope explains.
_SLOPE_RANGE = np.radians([0.1, 3.0])  # a smaller slope does not matter, a larger one is a ramp


def level(motion: HumanMotion) -> HumanMotion:
    """Turn a motion until standing feet are equally high along its path, if it shows such a
    slope.
    """
    points = _stances(motion)
    gradient, fraction = _slope(points)
    slope = np.arctan(np.linalg.norm(gradient))
    if not _SLOPE_RANGE[0] <= slope <= _SLOPE_RANGE[1] or fraction < _SURE:
        return motion
    turn = least_turn(np.array([*-gradient, 1.0]), np.array([0.0, 0.0, 1.0]))
    center = points.mean(axis=0)
    turned = (
        turn.apply((motion.positions - center).reshape(-1, 3)).reshape(motion.positions.shape)
        + center
    )
    rotations = turn * Rotation.from_quat(motion.rotations.reshape(-1, 4), scalar_first=True)
    note = (
        f"floor: {len(points)} stances lie on a slope of {np.degrees(slope):.2f} deg,"
        " which was turned level"
    )
    return replace(
        motion,
        positions=turned,
        rotations=rotations.as_quat(scalar_first=True).reshape(motion.rotations.shape),
        notes=(*motion.notes, note),
    )


def _stances(motion: HumanMotion) -> Float[np.ndarray, "stance 3"]:
    """Return the mean position of the foot in each stance of either foot."""
    points: list[np.ndarray] = []
    for side in ("left", "right"):
        parts = np.stack([motion.position(f"{side}_{joint}") for joint in ("ankle", "toe")])
        still = (
            np.linalg.norm(np.gradient(parts, 1.0 / motion.fps, axis=1), axis=-1) < _STILL
        ).all(axis=0)
        edges = np.flatnonzero(
            np.diff(np.concatenate([[False], still, [False]]).astype(int))
        ).reshape(-1, 2)
        points += [
            parts[:, a:b].mean(axis=(0, 1)) for a, b in edges if b - a >= _MIN_STANCE_S * motion.fps
        ]
    return np.reshape(points, (-1, 3))


def _slope(points: Float[np.ndarray, "stance 3"]) -> tuple[Float[np.ndarray, "2"], float]:
    """Return the gradient of the plane through the points, and the fraction of their variance it
    explains.

    It is zero across directions in which the points do not spread wide enough.
    """
    if len(points) < 3:
        return np.zeros(2), 0.0
    centered = points - points.mean(axis=0)
    ways, heights = centered[:, :2], centered[:, 2]
    u, spread, v = np.linalg.svd(ways, full_matrices=False)
    wide = spread > _SPREAD * np.sqrt(len(points))
    gradient = v[wide].T @ ((u.T[wide] @ heights) / spread[wide])
    left = heights - ways @ gradient
    return gradient, 1.0 - float(left @ left) / max(float(heights @ heights), 1e-12)
