"""Walking cycles for this robot: feet by plan, body by a pendulum corrected with inverse dynamics, joint angles by IK.

The load's path through the soles is planned; the pendulum (`lipm`) gives the base path for it; a few rounds of
inverse dynamics then correct the base for all that a pendulum leaves out (swing legs, a body that turns), so that the
whole robot's zero-moment point is where the load was planned (the second stage of Kajita et al. 2003, here harmonic by
harmonic).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.dynamics import Demand, demand
from wildrobot_gym.motion.gait import lipm
from wildrobot_gym.motion.gait.plan import WalkPlan
from wildrobot_gym.motion.gait.shape import PLAIN, GaitShape, GaitStyle, walk_shape
from wildrobot_gym.motion.ik import LegIK
from wildrobot_gym.robot import RobotModel

_ROUNDS = 5  # of correction; the zero-moment point then misses its plan by less than a few mm
MAX_MISS = 2e-3  # m that a foot may be from its place where a leg is too short or a knee cannot bend further


@dataclass(frozen=True)
class GaitCycle:
    """One cycle of a walk, equally spaced samples; phase 0 is the touchdown of the first foot.

    qpos: base x moves on by `speed * period_s` each cycle. pad_forces: N. clearance: of the swing foot's lowest
    corner, m. demand: what it asks of floor and servos. planned_zmp: m. misses: distance of a foot from its place, m.
    """

    speed: float
    shape: GaitShape
    clearance: float
    qpos: Float[np.ndarray, "sample nq"]
    pad_forces: Float[np.ndarray, "sample pad"]
    demand: Demand
    planned_zmp: Float[np.ndarray, "sample 2"]
    misses: Float[np.ndarray, " sample"]

    @property
    def period_s(self) -> float:
        return 1.0 / self.shape.cadence

    def at(self, time_s: Float[np.ndarray, " time"]) -> tuple[np.ndarray, np.ndarray]:
        """Poses (time, nq), by periodic C2 splines, and pad forces (time, pad) at any times."""
        phase = np.arange(len(self.qpos) + 1) / len(self.qpos)
        drift = np.zeros(self.qpos.shape[1])
        drift[0] = self.speed * self.period_s
        moving = self.qpos - phase[:-1, None] * drift
        spline = CubicSpline(phase, np.concatenate([moving, moving[:1]]), bc_type="periodic")
        s = time_s / self.period_s
        qpos = spline(s % 1.0) + s[:, None] * drift
        qpos[:, 3:7] /= np.linalg.norm(qpos[:, 3:7], axis=-1, keepdims=True)
        around = np.concatenate([self.pad_forces, self.pad_forces[:1]])
        return qpos, np.stack([np.interp(s % 1.0, phase, force) for force in around.T], axis=-1)


def walk_cycle(robot: RobotModel, speed: float, style: GaitStyle = PLAIN) -> GaitCycle:
    """A walk straight ahead at `speed` m/s.

    Raises:
        MotionError: a speed that the generator is not made for, or a style whose feet the legs cannot reach.
    """
    cycle = shaped_cycle(robot, speed, walk_shape(speed, style))
    if cycle.misses.max() > MAX_MISS:
        raise MotionError(
            f"A walk at {speed} m/s in {style} puts a foot {1000 * cycle.misses.max():.1f} mm out of the legs' reach;"
            " choose a quicker cadence, a lower clearance, a deeper crouch or a lower speed."
        )
    return cycle


def shaped_cycle(
    robot: RobotModel, speed: float, shape: GaitShape, rounds: int = _ROUNDS
) -> GaitCycle:
    """A walk of any shape, whether the legs reach its feet (`misses`) or not."""
    plan, ik = WalkPlan(robot, speed, shape), LegIK(robot)
    base = plan.first_base()
    for round_ in range(rounds + 1):
        qpos, misses = plan.poses(ik, base)
        asked = demand(robot, qpos, plan.drift, plan.period, plan.fraction, plan.load_x)
        if round_ < rounds:
            base[:, :2] += lipm.com_from_zmp(plan.zmp - asked.zmp, plan.period, plan.omega)
            plan.straighten(qpos)
    return GaitCycle(
        speed=speed,
        shape=shape,
        clearance=plan.path.clearance(),
        qpos=qpos,
        pad_forces=plan.pad_forces(asked.force[:, 2]),
        demand=asked,
        planned_zmp=plan.zmp,
        misses=misses,
    )
