"""What a periodic motion asks of the floor and of the servos, by MuJoCo's inverse dynamics: nothing is simulated."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import mujoco
import numpy as np
from jaxtyping import Float

from wildrobot_gym.robot import RobotModel


@dataclass(frozen=True)
class Demand:
    """Over the samples of a motion: zero-moment point (world x, y; m), floor force (world, N), joint torques (N*m)."""

    zmp: Float[np.ndarray, "sample 2"]
    force: Float[np.ndarray, "sample 3"]
    torque: Float[np.ndarray, "sample joint"]
    qvel: Float[np.ndarray, "sample nv"]


def demand(
    robot: RobotModel,
    qpos: Float[np.ndarray, "sample nq"],
    drift: Float[np.ndarray, " 3"],
    period_s: float,
    foot_share: Float[np.ndarray, "sample foot"],
    foot_load_x: Float[np.ndarray, "sample foot"],
) -> Demand:
    """Demand of one period of a motion, equally spaced samples; sample n would be sample 0 moved by ``drift`` m.

    The floor's force is split between the feet by ``foot_share`` and acts ``foot_load_x`` m ahead of a foot's frame.
    """
    model = copy.deepcopy(robot.model)
    # The floor's forces are what we solve for; friction and limits of the joints are no part of the motion's demand.
    model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_CONTACT | mujoco.mjtDisableBit.mjDSBL_LIMIT
    data = mujoco.MjData(model)
    samples, dt = len(qpos), period_s / len(qpos)
    qvel = periodic_velocities(robot, qpos, drift, dt)
    qacc = (np.roll(qvel, -1, axis=0) - np.roll(qvel, 1, axis=0)) / (2.0 * dt)
    feet = [model.site(name).id for name in robot.foot_names]
    zmp, force = np.empty((samples, 2)), np.empty((samples, 3))
    torque = np.empty((samples, robot.num_joints))
    jacobian, rotation = np.empty((3, model.nv)), np.empty(9)
    for i in range(samples):
        data.qpos[:], data.qvel[:], data.qacc[:] = qpos[i], qvel[i], qacc[i]
        mujoco.mj_inverse(model, data)
        force[i] = data.qfrc_inverse[:3]
        mujoco.mju_quat2Mat(rotation, qpos[i, 3:7])
        moment = rotation.reshape(3, 3) @ data.qfrc_inverse[3:6]
        height = qpos[i, 2]
        zmp[i, 0] = qpos[i, 0] - (moment[1] + height * force[i, 0]) / force[i, 2]
        zmp[i, 1] = qpos[i, 1] - (height * force[i, 1] - moment[0]) / force[i, 2]
        torque[i] = data.qfrc_inverse[6:]
        for f, site in enumerate(feet):
            point = data.site_xpos[site] + data.site_xmat[site].reshape(3, 3)[:, 0] * foot_load_x[i, f]
            mujoco.mj_jac(model, data, jacobian, None, point, model.site_bodyid[site])
            torque[i] -= jacobian[:, 6:].T @ (foot_share[i, f] * force[i])
    return Demand(zmp, force, torque, qvel)


def periodic_velocities(
    robot: RobotModel, qpos: Float[np.ndarray, "sample nq"], drift: Float[np.ndarray, " 3"], dt: float
) -> Float[np.ndarray, "sample nv"]:
    """Central differences around the cycle, MuJoCo's convention (base: linear in the world, angular in the base)."""
    shift = np.zeros(qpos.shape[1])
    shift[:3] = drift
    around = np.concatenate([qpos[-1:] - shift, qpos, qpos[:1] + shift])
    qvel = np.empty((len(qpos), robot.model.nv))
    for i in range(len(qpos)):
        mujoco.mj_differentiatePos(robot.model, qvel[i], 2.0 * dt, around[i], around[i + 2])
    return qvel
