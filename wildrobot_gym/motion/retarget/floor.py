"""What a motion that does not repeat asks of the floor and of the servos, by MuJoCo's inverse dynamics."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from jaxtyping import Float

from wildrobot_gym.motion.dynamics import floor_wrench, without_floor, zero_moment_point
from wildrobot_gym.motion.states import velocities
from wildrobot_gym.robot import RobotModel

_STANDS = 0.1  # of the weight; with less there is no point on the floor to speak of


@dataclass(frozen=True)
class FloorDemand:
    """What inverse dynamics finds.

    force: (time, 3) N, all of the floor's. zmp: (time, 2) m, its point on the floor; NaN in flight. qvel: (time, nv).
    foot_yaw: (time, foot) rad.
    """

    force: Float[np.ndarray, "time 3"]
    zmp: Float[np.ndarray, "time 2"]
    qvel: Float[np.ndarray, "time nv"]
    foot_yaw: Float[np.ndarray, "time foot"]


class FloorDynamics:
    """Inverse dynamics of one robot whose floor and joint stops are taken away: their forces are what is asked for."""

    def __init__(self, robot: RobotModel) -> None:
        self.robot = robot
        self._model = without_floor(robot)
        self._data = mujoco.MjData(self._model)
        self._feet = [robot.model.site(foot).id for foot in robot.foot_names]

    def demand(self, qpos: Float[np.ndarray, "time nq"], fps: float) -> FloorDemand:
        """Demand of poses `fps` a second."""
        qvel = velocities(self.robot, qpos, 1.0 / fps)
        qacc = np.gradient(qvel, 1.0 / fps, axis=0)
        data = self._data
        force, zmp, yaw = (
            np.empty((len(qpos), 3)),
            np.empty((len(qpos), 2)),
            np.empty((len(qpos), len(self._feet))),
        )
        for i in range(len(qpos)):
            force[i], moment = floor_wrench(self._model, data, qpos[i], qvel[i], qacc[i])
            zmp[i] = zero_moment_point(qpos[i, :3], force[i], moment)
            yaw[i] = np.arctan2(data.site_xmat[self._feet, 3], data.site_xmat[self._feet, 0])
        zmp[force[:, 2] < _STANDS * self.robot.weight] = np.nan
        return FloorDemand(force, zmp, qvel, np.unwrap(yaw, axis=0))
