"""Starts of a robot that was put down badly, for any robot."""

from __future__ import annotations

import mujoco
import numpy as np
from jaxtyping import Float

from wildrobot_gym.errors import RobotError
from wildrobot_gym.evaluation.suites.definition import Unsettled
from wildrobot_gym.robot import RobotModel

POSITION_TOLERANCE = 2e-3  # m; a foot that is farther off is out of reach
_SOLE_WEIGHT = 0.1  # m; a sole that is 0.1 rad off counts as much as 1 cm


def unsettled_starts(
    robot: RobotModel, start: Unsettled, episodes: int, rng: np.random.Generator
) -> tuple[
    Float[np.ndarray, "env nq"], Float[np.ndarray, "env nv"], dict[str, Float[np.ndarray, " env"]]
]:
    """Draw starts.

    Args:
        robot: The robot.
        start: The sizes of tilt, rate and stagger.
        episodes: Number of starts.
        rng: Draws the directions.

    Returns:
        Positions and velocities, and what was drawn: `start_heading`, `start_tilt_direction` and
        `start_rate_direction` in rad, and `start_foot_ahead`.

    Raises:
        RobotError: the robot cannot stand with its feet so far apart.
    """
    heading, tilting, turning = rng.uniform(-np.pi, np.pi, (3, episodes))
    ahead = rng.integers(len(robot.foot_names), size=episodes)
    poses = [staggered_pose(robot, foot, start.stagger) for foot in range(len(robot.foot_names))]
    qpos = np.stack([poses[foot] for foot in ahead])
    qvel = np.zeros((episodes, robot.model.nv))
    for i in range(episodes):
        axis = np.array([np.cos(tilting[i]), np.sin(tilting[i]), 0.0])
        home = qpos[i, 3:7].copy()
        tilted = _product(_quat(np.array([0.0, 0.0, 1.0]), heading[i]), _quat(axis, start.tilt))
        qpos[i, 3:7] = _product(tilted, home)
        qvel[i, 3:5] = start.rate * np.cos(turning[i]), start.rate * np.sin(turning[i])
    drawn = {"heading": heading, "tilt_direction": tilting, "rate_direction": turning}
    drawn["foot_ahead"] = ahead.astype(float)
    return qpos, qvel, {f"start_{name}": values for name, values in drawn.items()}


def staggered_pose(robot: RobotModel, ahead: int, stagger: float) -> Float[np.ndarray, " nq"]:
    """The home pose with one foot ahead of the others, and the soles as level as at home.

    Args:
        robot: The robot.
        ahead: The foot that is ahead.
        stagger: m, along the heading.

    Raises:
        RobotError: the feet cannot reach that far.
    """
    from scipy.optimize import least_squares  # not at the top: it takes a second

    data = mujoco.MjData(robot.model)
    legs = {joint for foot in robot.foot_names for joint in robot.leg_joint_names(foot)}
    names = [joint for joint in robot.joint_names if joint in legs]
    ids = np.array([robot.joint_names.index(name) for name in names])
    columns = np.array([int(robot.model.joint(name).qposadr[0]) for name in names])

    def feet(angles: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Positions of the feet, and x and y of their normals."""
        data.qpos[:] = robot.home_qpos
        if angles is not None:
            data.qpos[columns] = angles
        mujoco.mj_kinematics(robot.model, data)
        frames = [data.site(foot) for foot in robot.foot_names]
        normals = np.array([frame.xmat.reshape(3, 3)[:2, 2] for frame in frames])
        return np.array([frame.xpos for frame in frames]), normals

    wanted, level = feet(None)
    offset = np.full(len(robot.foot_names), -stagger / 2)
    offset[ahead] = stagger / 2
    wanted[:, 0] += offset

    def miss(angles: np.ndarray) -> np.ndarray:
        position, normal = feet(angles)
        return np.concatenate(
            [(position - wanted).ravel(), _SOLE_WEIGHT * (normal - level).ravel()]
        )

    low, high = robot.joint_range[ids].T
    home = np.clip(robot.home_qpos[columns], low + 1e-6, high - 1e-6)
    solved = least_squares(miss, home, bounds=(low, high), xtol=1e-10).x
    away = float(np.linalg.norm(feet(solved)[0] - wanted, axis=-1).max())
    if away > POSITION_TOLERANCE:
        raise RobotError(
            f"{robot.name} cannot stand with its feet {stagger:g} m staggered: a foot misses its"
            f" place by {away:.3f} m; allowed: {POSITION_TOLERANCE:g} m."
        )
    pose = robot.home_qpos.copy()
    pose[columns] = solved
    return pose


def _quat(axis: np.ndarray, angle: float) -> np.ndarray:
    quat = np.zeros(4)
    mujoco.mju_axisAngle2Quat(quat, axis, angle)
    return quat


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    quat = np.zeros(4)
    mujoco.mju_mulQuat(quat, a, b)
    return quat
