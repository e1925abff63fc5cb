"""What a motion that does not repeat needs from the floor and the servos, by MuJoCo's inverse
dynamics.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from jaxtyping import Float

from wildrobot_gym.motion.dynamics import floor_wrench, without_floor, zero_moment_point
from wildrobot_gym.motion.states import velocities
from wildrobot_gym.robot import RobotModel

_STANDS = 0.1  # of the weight; with less force its point on the floor means nothing


@dataclass(frozen=True)
class FloorDemand:
    """The result of inverse dynamics.

    Attributes:
        force: (time, 3) force of the floor, in N.
        zmp: (time, 2) its point on the floor, in m; NaN in flight.
        qvel: (time, nv) velocities.
        foot_yaw: (time, foot) yaw of the feet, in rad.
    """

    force: Float[np.ndarray, "time 3"]
    zmp: Float[np.ndarray, "time 2"]
    qvel: Float[np.ndarray, "time nv"]
    foot_yaw: Float[np.ndarray, "time foot"]


class FloorDynamics:
    """Inverse dynamics of a robot without floor and joint stops, since their forces are the
    unknown.
    """

    def __init__(self, robot: RobotModel) -> None:
        self.robot = robot
        self._model = without_floor(robot)
        self._data = mujoco.MjData(self._model)
        self._feet = [robot.model.site(foot).id for foot in robot.foot_names]

    def demand(self, qpos: Float[np.ndarray, "time nq"], fps: float) -> FloorDemand:
        """Return the demand of poses at `fps` Hz."""
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
