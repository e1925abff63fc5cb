"""The floor that a human walked on, found from the resting feet.

In recordings it is neither at 0 nor level.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.optimize import least_squares

from wildrobot_gym.motion.human import HumanMotion

RESTING = (
    0.2  # of sqrt(g * leg); a slower foot may be planted. A walk's swing has 1.5, marker noise 0.08
)
_LOOSE = 0.01  # m; samples further off count less, such as a foot held still in the air
_LEVEL = (
    3.0  # m; pulls the slope to 0 if the human hardly moves, like a level sample at that distance
)


def resting_speed(leg: float) -> float:
    """Return the speed below which a foot of a human with that leg length may be planted, in
    m/s.
    """
    return RESTING * float(np.sqrt(9.81 * leg))


def floor_plane(human: HumanMotion, leg: float) -> Float[np.ndarray, " 3"]:
    """Return (a, b, c) of the floor z = a + b x + c y under the balls of the resting feet.

    If no foot rests, the lowest samples count.
    """
    toes = np.stack([human.position(f"{side}_toe") for side in ("left", "right")], axis=1)
    speed = np.linalg.norm(np.gradient(toes, 1.0 / human.fps, axis=0), axis=-1)
    resting = toes[speed < resting_speed(leg)]
    if len(resting) < 3:
        points = toes.reshape(-1, 3)
        resting = points[points[:, 2] <= np.quantile(points[:, 2], 0.1)]
    center = resting.mean(axis=0)
    away = resting[:, :2] - center[:2]

    def misses(plane: np.ndarray) -> np.ndarray:
        return np.concatenate(
            [away @ plane[1:] + plane[0] - (resting[:, 2] - center[2]), _LEVEL * plane[1:]]
        )

    height, *slope = least_squares(misses, np.zeros(3), loss="soft_l1", f_scale=_LOOSE).x
    return np.array([height + center[2] - np.dot(slope, center[:2]), *slope])


def above(
    plane: Float[np.ndarray, " 3"], points: Float[np.ndarray, "*b 3"]
) -> Float[np.ndarray, "*b 3"]:
    """Return `points` with z measured from the plane."""
    out = np.array(points, np.float64)
    out[..., 2] -= plane[0] + out[..., :2] @ plane[1:]
    return out
