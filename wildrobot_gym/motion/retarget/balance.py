"""A base path that flat feet can balance: the load's point stays inside the soles while the base stays near the human's.

The linear inverted pendulum says where the load is for a path, p = c - c'' / omega^2 (Kajita et al. 2001). Here the path is
the least-squares answer to two wishes, the load where the stances want it and the base where the human's was, over the
whole clip at once: the pendulum's unstable half never has to be integrated, and no cycle is needed.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float
from scipy.sparse.linalg import spsolve

from wildrobot_gym.motion.gait.feet import Sole
from wildrobot_gym.motion.gait.plan import smoothstep
from wildrobot_gym.motion.retarget.footpath import Foot
from wildrobot_gym.motion.retarget.smoothing import differences
from wildrobot_gym.motion.retarget.steps import Stance

_SETTLED = 0.15  # s into a stance, or before its end, from which a foot bears all that it ever will
_ON_TOES = 0.7  # of a stance; from then on the toes bear all
_SLOWEST, _QUICKEST = 0.3, 8.0  # Hz of the turns that keep loaded feet from turning
_NEAR = 0.02  # weight of staying near the human's path, beside 1 for the load's place


def load_fraction(
    time: Float[np.ndarray, " time"], stances: list[list[Stance]]
) -> Float[np.ndarray, "time foot"]:
    """Each foot's share of the load: ramps over double support, all on one foot alone; 0 for all in flight."""
    weight = np.zeros((len(time), len(stances)))
    for f, foot in enumerate(stances):
        for stance in foot:
            weight[:, f] += np.clip(np.minimum(time - stance.down, stance.up - time), 0.0, _SETTLED)
    total = weight.sum(axis=1, keepdims=True)
    return weight / np.where(total > 0.0, total, 1.0)


def load_along(
    time: Float[np.ndarray, " time"], stances: list[Stance], sole: Sole
) -> Float[np.ndarray, " time"]:
    """Where on the sole a foot bears its load, m ahead of its frame: heel first, toes at last; midway in endless stances."""
    toe = 0.5 * (sole.toe + sole.front)
    out = np.full(len(time), 0.5 * (sole.heel + toe))
    for stance in stances:
        if stance.known:
            here = stance.holds(time)
            phase = (time[here] - stance.down) / (stance.up - stance.down)
            out[here] = sole.heel + (toe - sole.heel) * smoothstep(phase / _ON_TOES)
    return out


def load_path(
    time: Float[np.ndarray, " time"],
    stances: list[list[Stance]],
    feet: list[Foot],
    fraction: Float[np.ndarray, "time foot"],
) -> Float[np.ndarray, "time 2"]:
    """Where the load should be on the floor, m: along each sole by `load_along`, near its inner edge."""
    out = np.zeros((len(time), 2))
    for f, foot in enumerate(feet):
        ahead = load_along(time, stances[f], foot.sole)
        for stance in stances[f]:
            here = stance.holds(time)
            x, y, yaw = stance.place
            point = np.stack(
                [
                    x + np.cos(yaw) * ahead - np.sin(yaw) * foot.inner,
                    y + np.sin(yaw) * ahead + np.cos(yaw) * foot.inner,
                ]
            )
            out[here] += (fraction[:, f] * point).T[here]
    return out


def balanced_path(
    load: Float[np.ndarray, "time 2"],
    human: Float[np.ndarray, "time 2"],
    borne: Float[np.ndarray, " time"],
    fps: float,
    omega: float,
) -> Float[np.ndarray, "time 2"]:
    """The base path whose load is at `load`, near `human`; where `borne` is 0 (flight) it goes straight on."""
    num = len(load)
    bend = differences(num, 2) * (fps / omega) ** 2
    inside = borne[1:-1]
    pendulum = sp.diags_array(inside) @ sp.eye_array(num - 2, num, k=1) - bend
    near = sp.eye_array(num) * _NEAR
    return spsolve(
        (pendulum.T @ pendulum + near).tocsc(),
        pendulum.T @ (inside[:, None] * load[1:-1]) + near @ human,
    )


def steadying_turn(
    turned: Float[np.ndarray, " interval"], present: Float[np.ndarray, " time"], fps: float
) -> Float[np.ndarray, " time"]:
    """Yaw to add to the heading, rad, so that loaded feet do not turn; they do by `turned` rad from frame to frame now,
    with the `present` addition.

    No joint turns a foot, so the base must. What is slower than `_SLOWEST` Hz is the human's own turning and stays.
    """
    num = len(present)
    rate, rough = differences(num, 1), differences(num, 3)
    slow, quick = (2.0 * np.sin(np.pi * f / fps) for f in (_SLOWEST, _QUICKEST))
    matrix = rate.T @ rate + slow**2 * sp.eye_array(num) + quick**-4 * rough.T @ rough
    return spsolve(matrix.tocsc(), rate.T @ (rate @ present - turned))
