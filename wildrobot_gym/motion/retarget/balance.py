"""A base path that flat feet can balance, with the load inside the soles and the base near the
human's.

The linear inverted pendulum gives the load of a path, p = c - c'' / omega^2 (Kajita et al. 2001).
The path is a least-squares compromise over the whole clip: the load where the stances want it, and
the base where the human's was. So the pendulum's unstable half is never integrated, and no cycle is
needed.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float
from scipy.sparse.linalg import spsolve

from wildrobot_gym.motion.gait.feet import Sole
from wildrobot_gym.motion.gait.plan import smoothstep
from wildrobot_gym.motion.retarget.footpath import Foot
from wildrobot_gym.motion.retarget.steps import Stance
from wildrobot_gym.motion.smoothing import differences

_SETTLED = 0.15  # s from the start of a stance to full load, and from full load to its end.
_ON_TOES = 0.7  # of a stance; from then on the toes bear all.
_SLOWEST, _QUICKEST = 0.3, 8.0  # Hz; cutoff of the turns that keep loaded feet from turning.
_NEAR = 0.02  # weight of the distance from the human's path, relative to 1 for the load


def load_fraction(
    time: Float[np.ndarray, " time"], stances: list[list[Stance]]
) -> Float[np.ndarray, "time foot"]:
    """Return each foot's fraction of the load: ramps over double support, 0 for all in flight."""
    weight = np.zeros((len(time), len(stances)))
    for f, foot in enumerate(stances):
        for stance in foot:
            weight[:, f] += np.clip(np.minimum(time - stance.down, stance.up - time), 0.0, _SETTLED)
    total = weight.sum(axis=1, keepdims=True)
    return weight / np.where(total > 0.0, total, 1.0)


def load_along(
    time: Float[np.ndarray, " time"], stances: list[Stance], sole: Sole
) -> Float[np.ndarray, " time"]:
    """Return where on the sole a foot bears its load, in m ahead of its frame: from the heel to the
    toes.

    In a stance without an end the load stays midway.
    """
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
    """Return where the load should be on the floor, in m: along each sole, near its inner edge."""
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
    """Return the base path near `human` whose load is at `load`.

    Args:
        load: (time, 2) wanted point of the load, in m.
        human: (time, 2) the human's path, in m.
        borne: (time,) fraction of the weight on the feet. In flight (0) the path goes straight on.
        fps: Frame rate, in Hz.
        omega: Natural frequency of the pendulum, in rad/s.
    """
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
    """Return the yaw to add to the heading so that loaded feet do not turn, in rad.

    No joint turns a foot, so the base must. Turns slower than `_SLOWEST` Hz are the human's own and
    stay.

    Args:
        turned: Turn of the loaded feet from frame to frame with the `present` addition, in rad.
        present: The current addition, in rad.
        fps: Frame rate, in Hz.
    """
    num = len(present)
    rate, rough = differences(num, 1), differences(num, 3)
    slow, quick = (2.0 * np.sin(np.pi * f / fps) for f in (_SLOWEST, _QUICKEST))
    matrix = rate.T @ rate + slow**2 * sp.eye_array(num) + quick**-4 * rough.T @ rough
    return spsolve(matrix.tocsc(), rate.T @ (rate @ present - turned))
