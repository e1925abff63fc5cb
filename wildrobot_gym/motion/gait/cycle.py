"""Walking cycles: feet from a plan, the body from a corrected pendulum, and joint angles from IK.

The path of the load through the soles is planned, and the pendulum (`lipm`) gives a base path for
it. The pendulum leaves out swing legs and a body that turns. So a few rounds of inverse dynamics
correct the base until the zero-moment point is at the planned load. This is the second stage of
Kajita et al. 2003, done harmonic by harmonic.
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
from wildrobot_gym.motion.gait.shape import PLAIN, GaitShape, GaitStyle, robot_shape
from wildrobot_gym.motion.ik import LegIK
from wildrobot_gym.robot import RobotModel

_ROUNDS = 5  # of correction; the zero-moment point is then within a few mm of its plan.
MAX_MISS = 2e-3  # m; the largest accepted distance of a foot from its planned position


@dataclass(frozen=True)
class GaitCycle:
    """One cycle of a walk with equally spaced samples. Phase 0 is the touchdown of the first foot.

    Attributes:
        qpos: Poses; base x advances by `speed * period_s` in each cycle.
        pad_forces: Forces on the pads, in N.
        clearance: Greatest height of the swing foot's lowest corner, in m.
        demand: Forces of the floor and the servos.
        planned_zmp: Planned zero-moment point, in m.
        misses: Distance of a foot from its planned position, in m.
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
        """Return poses (time, nq) by periodic C2 splines, and pad forces (time, pad), at any
        times.
        """
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
    """Make a straight walk at `speed` m/s.

    Raises:
        MotionError: The speed is out of range, or the legs cannot reach the feet of this style.
    """
    cycle = shaped_cycle(robot, speed, robot_shape(robot, speed, style))
    if cycle.misses.max() > MAX_MISS:
        raise MotionError(
            f"A walk at {speed} m/s in {style} puts a foot {1000 * cycle.misses.max():.1f} mm out"
            " of the legs' reach;"
            " choose a quicker cadence, a lower clearance, a deeper crouch or a lower speed."
        )
    return cycle


def shaped_cycle(
    robot: RobotModel, speed: float, shape: GaitShape, rounds: int = _ROUNDS
) -> GaitCycle:
    """Make a walk of any shape, even if the legs cannot reach its feet (see `misses`)."""
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
