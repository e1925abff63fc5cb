"""Carrying a foot from one stance to the next, near the human's joints, clear of the floor, and not
too fast.

Between two stances each joint follows the polynomial that joins them with continuous acceleration,
plus a few bending terms. A small quadratic program (daqp) solves for their weights: speeds and
limits are linear in joint space, and the floor nearly so.
"""

from __future__ import annotations

import daqp
import numpy as np
from jaxtyping import Float
from numpy.polynomial import Polynomial
from scipy.interpolate import BPoly

from wildrobot_gym.motion.gait.feet import Sole, lowest_corner
from wildrobot_gym.motion.retarget.reach import MARGIN, LegReach

_BUMP = Polynomial(
    [0, 0, 0, 64, -192, 192, -64]
)  # (4 u (1 - u))^3: 1 in mid-swing, C2 at both ends
_TERMS = [_BUMP * Polynomial([-1, 2]) ** k for k in range(4)]
_ROUNDS = 6  # rounds of linearizing the floor
_SMOOTH = (
    1e-4  # s^4; weight of (rad/s^2)^2 relative to the squared distance from the human, in rad^2
)
_MISSED = (
    10.0,
    1e4,
    1e6,
)  # the same for bounds that are missed: (rad/s)^2 too fast, rad^2 too far, m^2 too low.
SCUFF = 0.006  # m; least height of the sole over the middle of a swing
_PEAK_AT, _PEAK_WIDTH = (
    0.68,
    0.1,
)  # of a swing, where the sole must be clear: the knee extends, the toes are up.
_STEERED = 0.02  # of the bump; near its ends the stances decide the swing.
_NEAR = 1.0  # the same for a step, since the floor is not quite linear.
_NUDGE = 1e-5  # rad, for the slope of a sole's height


class SwingPath:
    """Joint angles over one swing: frames at `time` s within `span`.

    `ends` are (value, speed, acceleration) of (hip, knee, ankle). Angles, speeds and accelerations
    (k = 0, 1, 2), flattened, are `plain[k] + rows[k] @ weights`.

    Attributes:
        phase: 0 to 1 over the swing.
        plain: The polynomial without bending, for each k.
        rows: The bending terms, for each k.
        wanted: (n, joint) the human's angles, in rad.
    """

    def __init__(
        self,
        time: Float[np.ndarray, " n"],
        span: tuple[float, float],
        ends: tuple[Float[np.ndarray, "3 joint"], Float[np.ndarray, "3 joint"]],
        human: Float[np.ndarray, "n joint"],
    ) -> None:
        duration = span[1] - span[0]
        self.phase = (time - span[0]) / duration
        poly, eye = BPoly.from_derivatives(span, ends), np.eye(human.shape[1])
        self.plain = [p(time).ravel() for p in (poly, poly.derivative(), poly.derivative(2))]
        terms = [
            np.stack([term.deriv(k)(self.phase) for term in _TERMS], axis=-1) / duration**k
            for k in range(3)
        ]
        self.rows = [np.kron(t, eye) for t in terms]
        # The human's angles in mid-swing, shifted near both ends to meet the robot's.
        u = self.phase[:, None]
        off = (1.0 - u) * (ends[0][0] - human[0]) + u * (ends[1][0] - human[-1])
        self.wanted = human + (1.0 - _BUMP(u)) * off

    def joints(self, weights: Float[np.ndarray, " weight"]) -> Float[np.ndarray, "n joint"]:
        """Return the joint angles, in rad."""
        return (self.plain[0] + self.rows[0] @ weights).reshape(self.wanted.shape)


def swing_joints(
    path: SwingPath,
    reach: LegReach,
    hip_up: Float[np.ndarray, " n"],
    lean: Float[np.ndarray, " n"],
    sole: Sole,
    clearance: float,
    max_speed: float,
) -> Float[np.ndarray, "n joint"]:
    """Return the joints over a swing: the human's as far as speed, limits and the floor allow.

    Args:
        path: The swing.
        reach: The leg.
        hip_up: Height of the hip axis above the floor, in m.
        lean: Forward pitch of the base, in rad.
        sole: The sole.
        clearance: Height that the sole's lowest corner should reach, in m.
        max_speed: Greatest joint speed, in rad/s.
    """
    (angle, speed, bend), (plain, plain_speed, plain_bend) = path.rows, path.plain
    num = angle.shape[1]
    # Unknowns: the weights, and how far the bounds on speed, angles and height are missed.
    hessian = np.diag([1e-6] * num + list(_MISSED))
    hessian[:num, :num] += angle.T @ angle + _SMOOTH * bend.T @ bend
    gradient = np.zeros(num + len(_MISSED))
    gradient[:num] = _SMOOTH * bend.T @ plain_bend - angle.T @ (path.wanted.ravel() - plain)
    high, low = (np.tile(v, len(path.wanted)) for v in (reach.high - MARGIN, reach.low + MARGIN))
    bump, peak = _BUMP(path.phase), np.exp(-np.square((path.phase - _PEAK_AT) / _PEAK_WIDTH))
    floor = SCUFF * np.minimum(4.0 * bump, 1.0) * (1.0 - peak) + clearance * peak
    steered = bump > _STEERED
    each = np.repeat(steered, path.wanted.shape[1])
    bounds = [
        _at_most(speed[each], (max_speed - plain_speed)[each], 0),
        _at_most(-speed[each], (max_speed + plain_speed)[each], 0),
        _at_most(angle[each], (high - plain)[each], 1),
        _at_most(-angle[each], (plain - low)[each], 1),
    ]
    found = np.linalg.solve(hessian, -gradient)  # the human's swing, as if there were no bounds
    near = np.diag([_NEAR] * num + [0.0] * len(_MISSED))
    tries = []
    for _ in range(_ROUNDS):
        corner, slopes = _corner(path.joints(found[:num]), reach, hip_up, lean, sole)
        tries.append((np.max((floor - corner)[steered], initial=0.0), found))
        rise = np.einsum("nj,njw->nw", slopes, angle.reshape(*slopes.shape, num))
        above = _at_most(-rise[steered], (corner - floor - rise @ found[:num])[steered], 2)
        matrix, upper = (np.concatenate(parts) for parts in zip(*bounds, above, strict=True))
        lower, sense = np.full(len(upper), -np.inf), np.zeros(len(upper), np.int32)
        found = daqp.solve(hessian + near, gradient - near @ found, matrix, upper, lower, sense)[0]
    corner, _ = _corner(path.joints(found[:num]), reach, hip_up, lean, sole)
    tries.append((np.max((floor - corner)[steered], initial=0.0), found))
    _, found = min(tries[1:], key=lambda t: t[0])
    return np.clip(path.joints(found[:num]), reach.low, reach.high)


def _at_most(
    rows: Float[np.ndarray, "bound weight"], upper: Float[np.ndarray, " bound"], missed: int
) -> tuple[Float[np.ndarray, "bound unknown"], Float[np.ndarray, " bound"]]:
    """Return rows @ weights <= upper + the unknown `missed`, as a matrix and its upper bounds."""
    by = np.zeros((len(rows), len(_MISSED)))
    by[:, missed] = -1.0
    return np.concatenate([rows, by], axis=1), upper


def _corner(
    joints: Float[np.ndarray, "n joint"],
    reach: LegReach,
    hip_up: Float[np.ndarray, " n"],
    lean: Float[np.ndarray, " n"],
    sole: Sole,
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n joint"]]:
    """Return the height of the sole's lowest corner, in m, and its slopes by the joints."""
    nudged = joints + _NUDGE * np.concatenate([np.zeros((1, 3)), np.eye(3)])[:, None]
    _, up, pitch = reach.ankle(nudged, lean)
    height = lowest_corner(hip_up + up - reach.ankle_height * np.cos(pitch), pitch, sole)
    return height[0], ((height[1:] - height[0]) / _NUDGE).T
