"""The path of a foot over one step cycle: heel strike, flat, heel rise about the toe edge, swing.

The phase s runs from 0 (touchdown) to 1 (next touchdown), with lift-off at s = duty. Positions are
those of the foot frame (on the sole, below the ankle), relative to where it stands flat. Positive
pitch is toes down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import mujoco
import numpy as np
from jaxtyping import Float
from scipy.interpolate import BPoly

from wildrobot_gym.errors import RobotError
from wildrobot_gym.motion.gait.shape import GaitShape
from wildrobot_gym.robot import RobotModel

_ROW = 2e-3  # m; pads whose centers are nearer along x are in one row
_LEAN_SMOOTHING = 0.01  # rad; smooths the change from one edge of a sole to the other


@dataclass(frozen=True)
class Sole:
    """The sole of one foot in the foot frame, in m.

    Attributes:
        front: x of the front edge.
        rear: x of the rear edge.
        toe: x of the foremost row of pads; on a sole of one row, a quarter of its length behind the
            front edge.
        heel: The same at the rear.
        left: y of the left edge.
        right: y of the right edge.
        rows: Rows of pads from rear to front: x of their centers, and indices of the robot's pads.
    """

    front: float
    rear: float
    toe: float
    heel: float
    left: float
    right: float
    rows: tuple[tuple[float, tuple[int, ...]], ...]

    def split_load(
        self,
        forces: Float[np.ndarray, "n pad"],
        x: Float[np.ndarray, " n"],
        load: Float[np.ndarray, " n"],
    ) -> None:
        """Write each pad's part of a `load` (N) at `x` (m) into `forces` (N).

        The two rows nearest to `x` bear it, each with all its pads alike.
        """
        places = [place for place, _ in self.rows]
        for r, (_, ids) in enumerate(self.rows):
            part = np.interp(x, places, np.eye(len(places))[r])
            forces[:, list(ids)] = (part * load / len(ids))[:, None]

    def edge_lift(
        self, aside: Float[np.ndarray, " n"], height: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """Return the height (m) of the foot frame under a leg that leans, and so stands on an edge
        of its sole.

        Args:
            aside: Position of the foot beside its hip, in m.
            height: Height of the hips, in m.
        """
        lean = np.arctan2(aside, height)
        return (
            0.5
            * (self.left - self.right)
            * (np.sqrt(np.square(lean) + _LEAN_SMOOTHING**2) - _LEAN_SMOOTHING)
        )


def read_sole(robot: RobotModel, foot: str) -> Sole:
    """Read the sole of a foot from the robot's pads in the home pose, where it is flat.

    Raises:
        RobotError: The foot has no pad.
    """
    ids = np.flatnonzero(robot.foot_of_pad == robot.foot_names.index(foot))
    if not len(ids):
        raise RobotError(f"The gait generator needs soles; foot {foot!r} has no pad.")
    data = mujoco.MjData(robot.model)
    data.qpos[:] = robot.home_qpos
    mujoco.mj_kinematics(robot.model, data)
    at = np.array([data.site(robot.pad_names[i]).xpos - data.site(foot).xpos for i in ids])[:, :2]
    edges = (at[:, None] + robot.pad_points[ids][..., :2]).reshape(-1, 2)
    (rear, right), (front, left) = edges.min(axis=0), edges.max(axis=0)
    order = np.argsort(at[:, 0])
    starts = np.flatnonzero(np.diff(at[order, 0], prepend=-np.inf) > _ROW)
    rows = tuple(
        (float(at[row, 0].mean()), tuple(int(i) for i in ids[row]))
        for row in np.split(order, starts[1:])
    )
    quarter = 0.25 * (front - rear) if len(rows) == 1 else None
    return Sole(
        front=float(front),
        rear=float(rear),
        toe=rows[-1][0] if quarter is None else float(front - quarter),
        heel=rows[0][0] if quarter is None else float(rear + quarter),
        left=float(left),
        right=float(right),
        rows=rows,
    )


@dataclass(frozen=True)
class FootPath:
    """The path of a foot over a cycle of `stride` m; C2 except at `swing_ends`.

    Call it with phases s for the position forward and up (m) and the pitch (rad).
    """

    sole: Sole
    shape: GaitShape
    stride: float
    lift: float = 0.0  # m, added to the height in swing; see plan()

    def __call__(self, s: Float[np.ndarray, " n"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        shape = self.shape
        swinging = s > shape.duty
        u = np.clip((s - shape.duty) / (1.0 - shape.duty), 0.0, 1.0)
        bump = 64.0 * (u * (1.0 - u)) ** 3  # 1 in mid-swing, C2 at both ends
        waves = bump * np.power(2.0 * u - 1.0, np.arange(3)[:, None])
        pitch = self._pitch(s) + shape.swing_pitch @ waves
        x, z = rolled(pitch, self.sole)
        x_swing, z_swing = (poly(s) for poly in self._swing())
        x_swing = x_swing + self.stride * (shape.swing_x @ waves)
        z_swing = z_swing + self.lift * (np.array([1.0, *shape.swing_z]) @ waves)
        return np.where(swinging, x_swing, x), np.where(swinging, z_swing, z), pitch

    def lowest_corner(self, s: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Return the height of the sole's lowest corner, in m; 0 in stance."""
        _, z, pitch = self(s)
        return lowest_corner(z, pitch, self.sole)

    def clearance(self) -> float:
        """Greatest height of the sole's lowest corner in swing, in m."""
        return float(np.max(self.lowest_corner(np.linspace(self.shape.duty, 1.0, 100))))

    def _rates(self) -> tuple[float, float]:
        """Return the pitch rates at touchdown and lift-off in rad per cycle, from multiples of the
        mean rates.
        """
        shape = self.shape
        down = shape.strike_rate * shape.heel_strike / shape.flat_at
        return down, shape.rise_rate * shape.heel_rise / (shape.duty - shape.rise_at)

    def _pitch(self, s: np.ndarray) -> np.ndarray:
        shape, (down, up) = self.shape, self._rates()
        strike, flat = [-shape.heel_strike, down, 0.0], [0.0, 0.0, 0.0]
        knots = [0.0, shape.flat_at, shape.rise_at, shape.duty, 1.0]
        return BPoly.from_derivatives(
            knots, [strike, flat, flat, [shape.heel_rise, up, 0.0], strike]
        )(s)

    def _swing(self) -> tuple[BPoly, BPoly]:
        shape, (down, up) = self.shape, self._rates()
        lift_off = _rocker_derivatives(self.sole, shape.heel_rise, up)
        touchdown = _rocker_derivatives(self.sole, -shape.heel_strike, down)
        touchdown[0][0] += self.stride
        begin_x, begin_z, end_x, end_z = np.array(shape.swing_ends) / (1.0 - shape.duty) ** 2
        lift_off[0][2] += begin_x * self.stride
        lift_off[1][2] += begin_z * shape.lift_unit
        touchdown[0][2] += end_x * self.stride
        touchdown[1][2] += end_z * shape.lift_unit
        return tuple(
            BPoly.from_derivatives([shape.duty, 1.0], [lift_off[i], touchdown[i]]) for i in (0, 1)
        )


def plan(sole: Sole, shape: GaitShape, stride: float) -> FootPath:
    """Return the foot path of `shape`.

    Its lowest corner clears the floor by at least `shape.clearance`.
    """
    low, high = 0.0, 0.2
    for _ in range(16):
        path = FootPath(sole, shape, stride, lift=0.5 * (low + high))
        low, high = (path.lift, high) if path.clearance() < shape.clearance else (low, path.lift)
    return replace(path, lift=high)


def lowest_corner(
    up: Float[np.ndarray, "*n"], pitch: Float[np.ndarray, "*n"], sole: Sole
) -> Float[np.ndarray, "*n"]:
    """Return the height of the lower edge of a sole whose frame is `up` m above the floor, in m."""
    return up - np.maximum(sole.front * np.sin(pitch), sole.rear * np.sin(pitch))


def rolled(
    pitch: Float[np.ndarray, "*n"], sole: Sole
) -> tuple[Float[np.ndarray, "*n"], Float[np.ndarray, "*n"]]:
    """Return the shift of the foot frame ahead and up (m) when the sole rolls about an edge."""
    edge = np.where(pitch > 0.0, sole.front, sole.rear)
    return edge * (1.0 - np.cos(pitch)), edge * np.sin(pitch)


def _rocker_derivatives(sole: Sole, pitch: float, rate: float) -> list[list[float]]:
    """Return value, first and second derivative of both shifts of `rolled` at a steady pitch
    `rate`.
    """
    edge = sole.front if pitch > 0.0 else sole.rear
    sin, cos = np.sin(pitch), np.cos(pitch)
    return [
        [edge * (1.0 - cos), edge * sin * rate, edge * cos * rate**2],
        [edge * sin, edge * cos * rate, -edge * sin * rate**2],
    ]
