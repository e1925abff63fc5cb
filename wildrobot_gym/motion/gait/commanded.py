"""Walks that follow commands which vary: in all directions, turning, starting and stopping.

The plan is like that of `cycle`, but not periodic. Feet are set beside the commanded path, the load
runs along the soles, and the pendulum gives a base path between rest and rest. Rounds of inverse
dynamics correct the base until the zero-moment point is at the planned load.

A leg with a yaw joint turns its foot in the air. Without one, a foot points where the base does.
Then the base turns while both feet bear load: the legs move the soles apart, forward on one side
and backward on the other, and both soles twist on their spots. In single support only friction
under one sole could turn the robot, so the base keeps its heading.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.floor import FloorDemand, FloorDynamics
from wildrobot_gym.motion.gait import lipm
from wildrobot_gym.motion.gait.footwork import FootMotion, foot_motion
from wildrobot_gym.motion.gait.plan import WalkPlan, com_at_home
from wildrobot_gym.motion.gait.schedule import RATE, Schedule
from wildrobot_gym.motion.gait.shape import step_shape
from wildrobot_gym.motion.gait.steps import Steps
from wildrobot_gym.motion.gait.upper import UpperBody
from wildrobot_gym.motion.ik import LegIK
from wildrobot_gym.motion.smoothing import low_pass
from wildrobot_gym.robot import RobotModel

_ROUNDS = 4  # of correction
_ROUGH, _EXACT = 4, 30  # IK steps of a path that will be corrected, and of the first and last one
MAX_MISS = 2e-3  # m; the largest accepted distance of a foot from its planned position
_CROUCHES = (0.0, 0.02, 0.04, 0.06)  # of the leg's length; tried until the legs reach their feet
_ERROR_CUTOFF, _YAW_CUTOFF = 8.0, 3.5  # Hz; of the corrections
_WORST = 0.04  # m; of the zero-moment point in one correction
_DRIFT_CUTOFF = 0.4  # Hz; slower differences between the heading and its path are none
# Fraction of a turn that is done while both feet bear load, by legs that cannot turn a foot.
PIVOT = 0.7
_BODY_CUTOFF = 1.0  # Hz; of changes of the base's height and lean


@dataclass(frozen=True)
class CommandedWalk:
    """A walk from rest to rest.

    Attributes:
        schedule: What it follows.
        steps: Its steps.
        qpos: (time, nq) poses at `RATE`.
        pad_forces: (time, pad) forces on the pads, in N.
        zmp: (time, 2) zero-moment point by inverse dynamics, in m.
        planned_zmp: (time, 2) the planned one.
        fraction: (time, foot) fraction of the load on each foot.
        misses: (time,) distance of a foot from its planned position, in m.
        period: Duration of a stride, in s.
    """

    schedule: Schedule
    steps: Steps
    qpos: Float[np.ndarray, "time nq"]
    pad_forces: Float[np.ndarray, "time pad"]
    zmp: Float[np.ndarray, "time 2"]
    planned_zmp: Float[np.ndarray, "time 2"]
    fraction: Float[np.ndarray, "time foot"]
    misses: Float[np.ndarray, " time"]
    period: float


def commanded_walk(robot: RobotModel, schedule: Schedule, name: str = "The walk") -> CommandedWalk:
    """Make a walk that follows a schedule.

    Args:
        robot: A robot with two feet.
        schedule: The commands.
        name: Name of the walk in messages.

    Raises:
        MotionError: The legs cannot reach the feet, however low the hips are.
    """
    ik = LegIK(robot)
    for crouch in _CROUCHES:
        plan = CommandedPlan(robot, ik, schedule, crouch * robot.leg_length)
        walk = plan.walk()
        if walk.misses.max() <= MAX_MISS:
            return walk
    when = schedule.time[walk.misses.argmax()]
    raise MotionError(
        f"{name} puts a foot {1000 * walk.misses.max():.1f} mm out of the legs' reach after"
        f" {when:.1f} s; choose a lower speed or turn rate."
    )


class CommandedPlan:
    """Feet, loads and base of one commanded walk."""

    def __init__(
        self, robot: RobotModel, ik: LegIK, schedule: Schedule, crouch: float = 0.0
    ) -> None:
        self.robot, self.ik, self.schedule = robot, ik, schedule
        time, velocity = schedule.time, schedule.velocity
        fastest = step_shape(robot, float(np.abs(velocity[:, 0]).max()))
        self.period, self.duty = 1.0 / fastest.cadence, fastest.duty
        sideways = WalkPlan(robot, 0.0, fastest)
        self.soles, self.hip_y = sideways.soles, sideways.hip_y
        self.steps = Steps.plan(schedule, self.period, self.duty, self.hip_y, sideways.stance_y)
        self.fraction = self.steps.load_fraction(time)
        self.activity = self.steps.activity(time)
        self.turning = self._turning()
        com_ahead, com_up = com_at_home(robot)
        self.omega = lipm.natural_frequency(com_up)
        self.feet: list[FootMotion] = [
            foot_motion(
                robot,
                sole,
                self.steps.of_foot[f],
                time,
                self.turning,
                ik.steers(f),
                self.period,
                com_ahead,
            )
            for f, sole in enumerate(self.soles)
        ]
        inner = sideways.load_y - sideways.stance_y
        points = np.stack([foot.load_point(inner[f]) for f, foot in enumerate(self.feet)], axis=1)
        self.zmp = np.sum(self.fraction[:, :, None] * points, axis=1)
        self._upper = UpperBody.of(robot)
        self._crouch = crouch
        self._numbers = self._body_numbers()
        self.yaw = self.turning.copy()

    def walk(self) -> CommandedWalk:
        """Solve the plan."""
        level = lipm.com_between_rests(self.zmp, 1.0 / RATE, self.omega)
        dynamics = FloorDynamics(self.robot)
        qpos, _ = self._poses(level, None, _EXACT)
        for round_ in range(_ROUNDS):
            asked = dynamics.demand(qpos, RATE)
            level = level + self._correction(asked)
            self._steady(asked)
            qpos, misses = self._poses(level, qpos, _EXACT if round_ == _ROUNDS - 1 else _ROUGH)
        asked = dynamics.demand(qpos, RATE)
        return CommandedWalk(
            schedule=self.schedule,
            steps=self.steps,
            qpos=qpos,
            pad_forces=self._pad_forces(asked.force[:, 2]),
            zmp=asked.zmp,
            planned_zmp=self.zmp,
            fraction=self.fraction,
            misses=misses,
            period=self.period,
        )

    def _turning(self) -> Float[np.ndarray, " time"]:
        """Return the heading that the base should have, in rad.

        Without yaw joints in the legs it turns while both feet bear load, by as much as the path.
        """
        heading = self.schedule.path[:, 2]
        if all(self.ik.steers(f) for f in range(2)):
            return heading
        both = 4.0 * self.fraction[:, 0] * self.fraction[:, 1]
        step = np.full(max(round(0.5 * self.period * RATE), 1), 1.0)
        mean = np.convolve(both, step / len(step), mode="same")
        weight = 1.0 - PIVOT + PIVOT * both / np.maximum(mean, 0.05)
        turned = np.cumsum(np.gradient(heading) * weight)
        # Over a step it is the path's heading again.
        return turned + low_pass(heading - turned, RATE, _DRIFT_CUTOFF, order=1)

    def _body_numbers(self) -> dict[str, Float[np.ndarray, " time"]]:
        """Return the base's height, lean and other numbers of a walk at each time's speed."""
        robot, speed = self.robot, self.schedule.velocity[:, 0]
        grid = np.linspace(min(speed.min(), 0.0), max(speed.max(), 0.01), 9)
        shapes = [step_shape(robot, float(v)) for v in grid]
        table = {
            "height": [s.height for s in shapes],
            "lean": [s.lean for s in shapes],
            "roll": [s.roll for s in shapes],
            "twist": [s.twist for s in shapes],
            **{f"bounce{i}": [s.bounce[i] for s in shapes] for i in range(2)},
            **{f"nod{i}": [s.nod[i] for s in shapes] for i in range(2)},
        }
        active = low_pass(self.activity, RATE, _BODY_CUTOFF, order=1)
        at = {name: np.interp(speed, grid, row) for name, row in table.items()}
        home = float(robot.home_qpos[2])
        walking = at.pop("height") - self._crouch
        return {"height": home + active * (walking - home)} | {
            name: active * values for name, values in at.items()
        }

    def _poses(
        self, level: np.ndarray, guess: np.ndarray | None, steps: int
    ) -> tuple[np.ndarray, np.ndarray]:
        number, time, duty = self._numbers, self.schedule.time, self.duty
        phase = self.steps.phase(time, self.period)
        twice = 4.0 * np.pi * (phase - 0.5 * duty)
        once = 2.0 * np.pi * (phase - 0.5 * duty)
        cosine, sine = np.cos(twice), np.sin(twice)
        qpos = np.tile(self.robot.home_qpos, (len(time), 1)) if guess is None else guess.copy()
        qpos[:, :2] = level
        qpos[:, 2] = number["height"] + number["bounce0"] * cosine + number["bounce1"] * sine
        pitch = number["lean"] + number["nod0"] * cosine + number["nod1"] * sine
        roll = number["roll"] * np.cos(once)
        qpos[:, 3:7] = Rotation.from_euler(
            "ZYX", np.stack([self.yaw, pitch, roll], axis=-1)
        ).as_quat(scalar_first=True)
        left = np.stack([-np.sin(self.yaw), np.cos(self.yaw)], axis=-1)
        ahead = np.stack([np.cos(self.yaw), np.sin(self.yaw)], axis=-1)
        target = np.stack([foot.pos for foot in self.feet], axis=1)
        spread = np.sum((target[:, 0, :2] - target[:, 1, :2]) * ahead, axis=-1)
        self._upper.pose(qpos[:, 7:], number["twist"] * np.cos(2.0 * np.pi * phase), spread)
        for f, sole in enumerate(self.soles):
            if not self.ik.levels(f):
                aside = np.sum((target[:, f, :2] - level) * left, axis=-1) - self.hip_y[f]
                target[:, f, 2] += sole.edge_lift(aside, qpos[:, 2])
        pitches = np.stack([foot.pitch for foot in self.feet], axis=1)
        yaws = np.stack([foot.yaw for foot in self.feet], axis=1)
        return self.ik.solve_path(
            qpos, target, pitches, yaws, warm=guess is not None, max_steps=steps
        )

    def _correction(self, asked: FloorDemand) -> Float[np.ndarray, "time 2"]:
        """Return how the base has to move to bring the zero-moment point to the plan."""
        error = np.clip(np.nan_to_num(self.zmp - asked.zmp), -_WORST, _WORST)
        error[:2], error[-2:] = error[2], error[-3]  # accelerations at the ends are guesses
        error = low_pass(error, RATE, _ERROR_CUTOFF, order=1)
        return lipm.com_between_rests(error, 1.0 / RATE, self.omega)

    def _steady(self, asked: FloorDemand) -> None:
        """Turn the base so that loaded feet point where they should.

        Hip roll and pitch together turn a foot, and in a leg without yaw nothing turns it back.
        """
        if all(self.ik.steers(f) for f in range(2)):
            return
        turned = np.sum(self.fraction * (asked.foot_yaw - self.turning[:, None]), axis=-1)
        self.yaw = self.yaw - low_pass(turned, RATE, _YAW_CUTOFF)

    def _pad_forces(self, total: Float[np.ndarray, " time"]) -> Float[np.ndarray, "time pad"]:
        forces = np.zeros((len(total), len(self.robot.pad_names)))
        for f, (sole, foot) in enumerate(zip(self.soles, self.feet, strict=True)):
            sole.split_load(forces, foot.load_x, self.fraction[:, f] * np.maximum(total, 0.0))
        return forces
