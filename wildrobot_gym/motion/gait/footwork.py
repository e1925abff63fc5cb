"""The motion of one foot over all the steps of a commanded walk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from wildrobot_gym.motion.gait import feet
from wildrobot_gym.motion.gait.plan import smoothstep
from wildrobot_gym.motion.gait.shape import GaitShape, froude, step_shape
from wildrobot_gym.motion.gait.steps import SHIFT_S, Step
from wildrobot_gym.robot import RobotModel

_ROLLING = 0.3  # m/s of the robot of TUNED; from here on the load runs from heel to toe


@dataclass(frozen=True)
class FootMotion:
    """Where a foot is and where it bears its load.

    Attributes:
        pos: (time, 3) foot frame of an upright leg, in m.
        pitch: (time,) toes down, in rad.
        yaw: (time,) heading, in rad.
        level: (time, 2) foot frame of the sole as it stands flat, in m.
        load_x: (time,) where it bears load, in m ahead of the foot frame.
    """

    pos: Float[np.ndarray, "time 3"]
    pitch: Float[np.ndarray, " time"]
    yaw: Float[np.ndarray, " time"]
    level: Float[np.ndarray, "time 2"]
    load_x: Float[np.ndarray, " time"]

    def load_point(self, aside: float) -> Float[np.ndarray, "time 2"]:
        """Return where on the floor it bears load `aside` m to the left of its middle, in m."""
        return self.level + turned(self.yaw, self.load_x, aside)


@dataclass(frozen=True)
class _Way:
    """From one place of a foot to its next, or its rest at the last one.

    Attributes:
        shape: Shape of the step.
        ahead: Length of the step along its mean heading, in m.
        aside: Length to the left, in m.
        heading: The mean heading, in rad.
        rolling: How far the load runs along the sole: 1 from heel to toe, -1 back, 0 not at all.
        up: Lift-off, in s; inf at the last place.
        down: Touchdown, in s.
    """

    shape: GaitShape
    ahead: float = 0.0
    aside: float = 0.0
    heading: float = 0.0
    rolling: float = 0.0
    up: float = np.inf
    down: float = np.inf


def foot_motion(
    robot: RobotModel,
    sole: feet.Sole,
    steps: Sequence[Step],
    time: Float[np.ndarray, " time"],
    heading: Float[np.ndarray, " time"],
    steers: bool,
    period: float,
    rest_x: float,
) -> FootMotion:
    """Return the motion of a foot.

    Args:
        robot: The robot.
        sole: The foot's sole.
        steps: Its steps; the first is where it stands at the start.
        time: (time,) in s.
        heading: (time,) heading of the base, in rad.
        steers: Whether the leg turns the foot. If not, the foot's heading is the base's.
        period: Duration of a stride, in s.
        rest_x: Where a foot bears load at rest, in m ahead of its frame.
    """
    middle = 0.5 * (sole.front + sole.rear)  # a sole twists about its middle
    yaws = np.array([step.place[2] for step in steps])
    spots = np.array([step.place[:2] + turned(step.place[2], middle, step.aside) for step in steps])
    yaw = np.full(len(time), yaws[0]) if steers else heading
    spot, pitch = np.tile(spots[0], (len(time), 1)), np.zeros(len(time))
    shift, up, load_x = np.zeros(len(time)), np.zeros(len(time)), np.full(len(time), rest_x)
    before: _Way | None = None
    for k, way in enumerate(_ways(robot, steps, spots, yaws, period)):
        now = np.flatnonzero((time >= steps[k].down) & (time < way.down))
        since = (time[now] - steps[k].down) / period  # phase since touchdown
        s = np.maximum(1.0 - (way.down - time[now]) / period, way.shape.rise_at)
        u = np.clip((s - way.shape.duty) / (1.0 - way.shape.duty), 0.0, 1.0)
        swinging = s > way.shape.duty
        x, up[now], pitch[now] = feet.plan(sole, way.shape, way.ahead)(s)
        shift[now] = np.where(swinging, 0.0, x)  # of a sole that rolls
        along = turned(way.heading, np.where(swinging, x, 0.0), way.aside * smoothstep(u))
        spot[now] = spots[k] + along
        if steers:
            yaw[now] = yaws[k] + (yaws[min(k + 1, len(yaws) - 1)] - yaws[k]) * smoothstep(u)
        begin = rest_x if before is None else _load_end(sole, -before.rolling)
        end = rest_x if np.isinf(way.down) else _load_end(sole, way.rolling)
        run = (time[now] - way.up + SHIFT_S) / SHIFT_S  # of a foot that stood at rest
        if before is not None:
            early = now[since < before.shape.flat_at]  # it lands on its heel
            landing = feet.FootPath(sole, before.shape, 0.0)
            shift[early], up[early], pitch[early] = landing(since[: len(early)])
            shape = way.shape
            run = (since - shape.load_from) / (shape.load_to - shape.load_from)
        load_x[now] = begin + (end - begin) * smoothstep(run)
        before = way
    level = spot - turned(yaw, middle, 0.0)
    pos = np.concatenate([level + turned(yaw, shift, 0.0), up[:, None]], axis=-1)
    return FootMotion(pos, pitch, yaw, level, load_x)


def _ways(
    robot: RobotModel,
    steps: Sequence[Step],
    spots: Float[np.ndarray, "step 2"],
    yaws: Float[np.ndarray, " step"],
    period: float,
) -> list[_Way]:
    length, scale = froude(robot)
    ways = []
    for (a, b), (yaw_a, yaw_b), there in zip(
        pairwise(spots), pairwise(yaws), steps[1:], strict=True
    ):
        heading = 0.5 * (yaw_a + yaw_b)
        ahead, aside = turned(-heading, *(b - a))
        speed = float(ahead) / period
        rolling = float(np.clip(speed / (_ROLLING * length / scale), -1.0, 1.0))
        shape = step_shape(robot, speed)
        ways.append(_Way(shape, float(ahead), float(aside), heading, rolling, there.up, there.down))
    return [*ways, _Way(step_shape(robot, 0.0))]


def _load_end(sole: feet.Sole, rolling: float) -> float:
    """Return where on the sole the load leaves it (m): near the toe's edge, the heel, or midway."""
    toe = 0.5 * (sole.toe + sole.front)
    middle = 0.5 * (sole.heel + toe)
    return middle + rolling * (toe - middle)


def turned(
    yaw: float | Float[np.ndarray, " *time"],
    ahead: float | Float[np.ndarray, " *time"],
    left: float | Float[np.ndarray, " *time"],
) -> Float[np.ndarray, "*time 2"]:
    """Return the world's x and y of points `ahead` and to the `left` of a heading."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    return np.stack(np.broadcast_arrays(cos * ahead - sin * left, sin * ahead + cos * left), -1)
