"""What a motion that does not repeat asks of the floor and of the servos, by MuJoCo's inverse dynamics."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import mujoco
import numpy as np
from jaxtyping import Float

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
        self._model = copy.deepcopy(robot.model)
        self._model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_CONTACT | mujoco.mjtDisableBit.mjDSBL_LIMIT
        self._data = mujoco.MjData(self._model)
        self._feet = [robot.model.site(foot).id for foot in robot.foot_names]

    def demand(self, qpos: Float[np.ndarray, "time nq"], fps: float) -> FloorDemand:
        """Demand of poses ``fps`` a second."""
        qvel = velocities(self.robot, qpos, 1.0 / fps)
        qacc = np.gradient(qvel, 1.0 / fps, axis=0)
        data, rotation = self._data, np.empty(9)
        force, zmp, yaw = np.empty((len(qpos), 3)), np.empty((len(qpos), 2)), np.empty((len(qpos), len(self._feet)))
        for i in range(len(qpos)):
            data.qpos[:], data.qvel[:], data.qacc[:] = qpos[i], qvel[i], qacc[i]
            mujoco.mj_inverse(self._model, data)
            force[i] = data.qfrc_inverse[:3]
            mujoco.mju_quat2Mat(rotation, qpos[i, 3:7])
            moment = rotation.reshape(3, 3) @ data.qfrc_inverse[3:6]
            # The point at height 0 about which the floor's force makes the moment that the base needs.
            zmp[i, 0] = qpos[i, 0] - (moment[1] + qpos[i, 2] * force[i, 0]) / force[i, 2]
            zmp[i, 1] = qpos[i, 1] - (qpos[i, 2] * force[i, 1] - moment[0]) / force[i, 2]
            yaw[i] = np.arctan2(data.site_xmat[self._feet, 3], data.site_xmat[self._feet, 0])
        zmp[force[:, 2] < _STANDS * self.robot.weight] = np.nan
        return FloorDemand(force, zmp, qvel, np.unwrap(yaw, axis=0))
