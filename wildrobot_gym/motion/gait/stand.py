"""Standing still: a slow sway over resting feet."""

from __future__ import annotations

import mujoco
import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from wildrobot_gym.motion.gait import feet
from wildrobot_gym.motion.ik import LegIK
from wildrobot_gym.robot import RobotModel


def stand_poses(
    robot: RobotModel, time_s: Float[np.ndarray, " time"]
) -> tuple[Float[np.ndarray, "time nq"], Float[np.ndarray, "time pad"]]:
    """Return poses of standing at home with a sway of a few millimeters, and pad forces in N.

    The sway is a sum of two sines in each direction, at 0.2 to 0.45 Hz like people's. It is so slow
    that the load lies under the center of mass.
    """
    data = mujoco.MjData(robot.model)
    data.qpos[:] = robot.home_qpos
    mujoco.mj_kinematics(robot.model, data)
    mujoco.mj_comPos(robot.model, data)
    foot_pos = np.array([data.site(foot).xpos for foot in robot.foot_names])
    sway_x = 0.004 * _sine(0.21, 0.0, time_s) + 0.002 * _sine(0.43, 1.0, time_s)
    sway_y = 0.003 * _sine(0.27, 0.5, time_s) + 0.0015 * _sine(0.39, 2.0, time_s)
    qpos = np.tile(robot.home_qpos, (len(time_s), 1))
    qpos[:, 0] += sway_x
    qpos[:, 1] += sway_y
    pitch, roll = 0.004 * _sine(0.21, 0.6, time_s), 0.5 * sway_y
    qpos[:, 3:7] = Rotation.from_euler("YX", np.stack([pitch, roll], axis=-1)).as_quat(
        scalar_first=True
    )
    targets = np.broadcast_to(foot_pos, (len(time_s), *foot_pos.shape))
    qpos, _ = LegIK(robot).solve_path(qpos, targets, np.zeros((len(time_s), len(foot_pos))))
    com = data.subtree_com[1][:2] + np.stack([sway_x, sway_y], axis=-1)
    return qpos, _resting_forces(robot, foot_pos, com)


def _resting_forces(robot: RobotModel, foot_pos: np.ndarray, com: np.ndarray) -> np.ndarray:
    """Split the weight so that its point on the floor is under `com` (time, 2)."""
    weight = robot.weight
    first = np.clip((com[:, 1] - foot_pos[1, 1]) / (foot_pos[0, 1] - foot_pos[1, 1]), 0.0, 1.0)
    forces = np.zeros((len(com), len(robot.pad_names)))
    for foot, pos, fraction in zip(robot.foot_names, foot_pos, (first, 1.0 - first), strict=True):
        feet.read_sole(robot, foot).split_load(forces, com[:, 0] - pos[0], weight * fraction)
    return forces


def _sine(frequency: float, phase: float, time_s: np.ndarray) -> np.ndarray:
    return np.sin(2.0 * np.pi * frequency * time_s + phase)
