"""What a motion needs from the floor and the servos, by MuJoCo's inverse dynamics.

Nothing is simulated.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import mujoco
import numpy as np
from jaxtyping import Float, Int

from wildrobot_gym.errors import MotionError
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel

# Cost of a force on the ground relative to a balance error; it spreads an undetermined load.
_LOAD_COST = 0.01
_RAISED = 0.05  # m above the lowest pad at which a force costs as much as an equal balance error


@dataclass(frozen=True)
class Demand:
    """Forces of a periodic motion, one entry for each sample.

    Attributes:
        zmp: Zero-moment point on the floor (world x, y), in m.
        yaw_moment: Moment about the vertical through the zero-moment point, in N*m. Friction under
            the soles has to supply it.
        force: Force of the floor (world), in N.
        torque: Joint torques, in N*m.
        qvel: Velocities, in MuJoCo's convention.
    """

    zmp: Float[np.ndarray, "sample 2"]
    yaw_moment: Float[np.ndarray, " sample"]
    force: Float[np.ndarray, "sample 3"]
    torque: Float[np.ndarray, "sample joint"]
    qvel: Float[np.ndarray, "sample nv"]


def demand(
    robot: RobotModel,
    qpos: Float[np.ndarray, "sample nq"],
    drift: Float[np.ndarray, " 3"],
    period_s: float,
    foot_fraction: Float[np.ndarray, "sample foot"],
    foot_load_x: Float[np.ndarray, "sample foot"],
) -> Demand:
    """Compute the forces of one period of a motion with equally spaced samples.

    The force of the floor is split between the feet.

    Args:
        robot: The robot.
        qpos: (sample, nq) poses. The sample after the last is the first, moved by `drift`.
        drift: Movement in one period, in m.
        period_s: Duration of the period, in seconds.
        foot_fraction: (sample, foot) fraction of the force on each foot.
        foot_load_x: (sample, foot) where it acts, in m ahead of the foot's frame.

    Returns:
        The forces.
    """
    samples, dt = len(qpos), period_s / len(qpos)
    qvel = periodic_velocities(robot, qpos, drift, dt)
    qacc = (np.roll(qvel, -1, axis=0) - np.roll(qvel, 1, axis=0)) / (2.0 * dt)
    model = without_floor(robot)
    data = mujoco.MjData(model)
    feet = [model.site(name).id for name in robot.foot_names]
    bodies = model.site_bodyid[feet]
    zmp, yaw_moment, force = np.empty((samples, 2)), np.empty(samples), np.empty((samples, 3))
    torque = np.empty((samples, robot.num_joints))
    for i in range(samples):
        force[i], moment = floor_wrench(model, data, qpos[i], qvel[i], qacc[i])
        zmp[i] = zero_moment_point(qpos[i, :3], force[i], moment)
        arm = zmp[i] - qpos[i, :2]
        yaw_moment[i] = moment[2] - (arm[0] * force[i, 1] - arm[1] * force[i, 0])
        points = data.site_xpos[feet] + data.site_xmat[feet][:, [0, 3, 6]] * foot_load_x[i][:, None]
        torque[i] = _joint_torque(model, data, bodies, points, foot_fraction[i])
    return Demand(zmp, yaw_moment, force, torque, qvel)


def servo_targets(
    robot: RobotModel, states: PhysicsState, control_dt: float
) -> Float[np.ndarray, "time-1 joint"]:
    """Compute joint targets that move the servos through `states`, in rad.

    There is one target for each step from a state to the next: q + (torque + kv * velocity) / kp.
    The torque comes from inverse dynamics, with the force of the floor split over the pads like
    `pad_forces`. Without feedback these targets keep the robot on a slow walk for about a second.

    Raises:
        MotionError: The states have no pad forces.
    """
    loads = np.asarray(states.pad_forces, np.float64)
    if np.isnan(loads).any():
        raise MotionError(
            "Servo targets need the floor's forces on the pads, and this motion has none."
        )
    qpos, qvel = np.asarray(states.qpos, np.float64), np.asarray(states.qvel, np.float64)
    qacc = np.gradient(qvel, control_dt, axis=0)
    points = np.asarray(states.pad_pos_w, np.float64)
    fraction = loads / np.maximum(loads.sum(axis=1, keepdims=True), 1e-6)
    model = without_floor(robot)
    data = mujoco.MjData(model)
    bodies = model.site_bodyid[[model.site(name).id for name in robot.pad_names]]
    torque = np.empty((len(qpos), robot.num_joints))
    for i in range(len(qpos)):
        floor_wrench(model, data, qpos[i], qvel[i], qacc[i])
        torque[i] = _joint_torque(model, data, bodies, points[i], fraction[i])
    # MuJoCo's position servo: force = kp * target - kp * q - kv * velocity.
    kp, kv = model.actuator_gainprm[:, 0], -model.actuator_biasprm[:, 2]
    target = qpos[:, 7:] + (torque + kv * qvel[:, 6:]) / kp
    return 0.5 * (target[:-1] + target[1:])


def pad_loads(
    robot: RobotModel, states: PhysicsState, control_dt: float
) -> Float[np.ndarray, "time pad"]:
    """Estimate the forces on the pads that fit `states` best, in N.

    It serves motion whose source does not know the forces. It is a non-negative least-squares fit
    of the vertical force and the two tipping moments from inverse dynamics. A pad's force costs
    more the higher the pad is above the lowest one, since the height of the floor is not known.
    """
    from scipy.optimize import nnls  # not at the top: environments never need it

    qpos, qvel = np.asarray(states.qpos, np.float64), np.asarray(states.qvel, np.float64)
    qacc = np.gradient(qvel, control_dt, axis=0)
    points = np.asarray(states.pad_pos_w, np.float64)
    raised = points[..., 2] - points[..., 2].min(axis=1, keepdims=True)
    model = without_floor(robot)
    data = mujoco.MjData(model)
    loads = np.empty(points.shape[:2])
    for i in range(len(qpos)):
        force, moment = floor_wrench(model, data, qpos[i], qvel[i], qacc[i])
        arm = points[i] - qpos[i, :3]
        # Friction acts at the height of the soles, so its part of the moments is known.
        tip = moment[:2] - np.mean(arm[:, 2]) * np.array([-force[1], force[0]])
        balance = np.stack(
            [np.ones(len(arm)), arm[:, 1] / robot.leg_length, -arm[:, 0] / robot.leg_length]
        )
        wanted = np.array([force[2], *(tip / robot.leg_length)])
        dear = np.diag(_LOAD_COST + raised[i] / _RAISED)
        loads[i], _ = nnls(
            np.concatenate([balance, dear]), np.concatenate([wanted, np.zeros(len(arm))])
        )
    return loads


def without_floor(robot: RobotModel) -> mujoco.MjModel:
    """Return the model without contacts and joint limits, since the floor's forces are the
    unknown.
    """
    model = copy.deepcopy(robot.model)
    model.opt.disableflags |= (
        mujoco.mjtDisableBit.mjDSBL_CONTACT | mujoco.mjtDisableBit.mjDSBL_LIMIT
    )
    return model


def floor_wrench(
    model: mujoco.MjModel,
    data: mujoco.MjData,
    qpos: Float[np.ndarray, " nq"],
    qvel: Float[np.ndarray, " nv"],
    qacc: Float[np.ndarray, " nv"],
) -> tuple[Float[np.ndarray, " 3"], Float[np.ndarray, " 3"]]:
    """Return force (N) and moment about the base (N*m), in the world, that only a floor can give.

    `data` then holds all the forces.
    """
    data.qpos[:], data.qvel[:], data.qacc[:] = qpos, qvel, qacc
    mujoco.mj_inverse(model, data)
    rotation = np.empty(9)
    mujoco.mju_quat2Mat(rotation, qpos[3:7])
    return data.qfrc_inverse[:3].copy(), rotation.reshape(3, 3) @ data.qfrc_inverse[3:6]


def zero_moment_point(
    base_pos: Float[np.ndarray, " 3"],
    force: Float[np.ndarray, " 3"],
    moment: Float[np.ndarray, " 3"],
) -> tuple[float, float]:
    """Return the point on the floor (x, y; m) where `force` makes the tipping `moment` about the
    base.
    """
    x, y, height = base_pos
    return x - (moment[1] + height * force[0]) / force[2], y - (
        height * force[1] - moment[0]
    ) / force[2]


def _joint_torque(
    model: mujoco.MjModel,
    data: mujoco.MjData,
    bodies: Int[np.ndarray, " load"],
    points: Float[np.ndarray, "load 3"],
    fraction: Float[np.ndarray, " load"],
) -> Float[np.ndarray, " joint"]:
    """Return the joint torques while the floor's force acts at `points` of `bodies`, split by
    `fraction`.
    """
    torque = data.qfrc_inverse[6:].copy()
    jacobian = np.empty((3, model.nv))
    for body, point, part in zip(bodies, points, fraction, strict=True):
        mujoco.mj_jac(model, data, jacobian, None, point, body)
        torque -= jacobian[:, 6:].T @ (part * data.qfrc_inverse[:3])
    return torque


def periodic_velocities(
    robot: RobotModel,
    qpos: Float[np.ndarray, "sample nq"],
    drift: Float[np.ndarray, " 3"],
    dt: float,
) -> Float[np.ndarray, "sample nv"]:
    """Return central differences around the cycle, in MuJoCo's convention."""
    shift = np.zeros(qpos.shape[1])
    shift[:3] = drift
    around = np.concatenate([qpos[-1:] - shift, qpos, qpos[:1] + shift])
    qvel = np.empty((len(qpos), robot.model.nv))
    for i in range(len(qpos)):
        mujoco.mj_differentiatePos(robot.model, qvel[i], 2.0 * dt, around[i], around[i + 2])
    return qvel
