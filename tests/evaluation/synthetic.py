"""A robot that walks by formula, so that every metric of the benchmark is known."""

from __future__ import annotations

import numpy as np

from wildrobot_gym.evaluation.recording import Recording
from wildrobot_gym.robot import RobotModel

DT = 0.02
STEPS = 500


def standing(robot: RobotModel, num_envs: int = 1, num_steps: int = STEPS) -> dict[str, np.ndarray]:
    """Arrays of a robot that stands on both feet and does nothing."""
    n, feet, shape = robot.num_joints, len(robot.foot_names), (num_steps, num_envs)
    return {
        "alive": np.ones(shape, bool),
        "base_pos_w": np.tile([0.0, 0.0, 0.45], (*shape, 1)),
        "yaw": np.zeros(shape),
        "tilt": np.zeros(shape),
        "base_lin_vel_w": np.zeros((*shape, 3)),
        "base_ang_vel": np.zeros((*shape, 3)),
        "joint_pos": np.zeros((*shape, n)),
        "joint_vel": np.zeros((*shape, n)),
        "torque": np.zeros((*shape, n)),
        "action": np.zeros((*shape, n)),
        "foot_force": np.full((*shape, feet), robot.mass * 9.81 / 2),
        "foot_speed": np.zeros((*shape, feet)),
        "foot_pos_w": np.zeros((*shape, feet, 3)),
        "sole_height": np.zeros((*shape, feet)),
    }


def walking(
    robot: RobotModel,
    speed: float = 0.5,
    period: int = 40,
    swing: int = 16,
    peak: float = 0.03,
    yaw: float = 0.0,
) -> Recording:
    """A symmetric walk along `yaw`.

    Each foot swings for `swing` of every `period` steps, half a period apart. The left foot's
    swings begin at multiples of the period. The sole rises to `peak` m in the middle of a swing.
    """
    arrays = standing(robot)
    t = np.arange(STEPS)
    along = np.array([np.cos(yaw), np.sin(yaw), 0.0])
    arrays["base_pos_w"] = (speed * DT * t)[:, None, None] * along + [0.0, 0.0, 0.45]
    arrays["base_lin_vel_w"] = np.tile(speed * along, (STEPS, 1, 1))
    arrays["yaw"] = np.full((STEPS, 1), yaw)
    for foot, offset in enumerate((0, period // 2)):
        phase = (t - offset) % period
        in_swing = phase < swing
        height = peak * np.sin(np.pi * (phase + 0.5) / swing)
        arrays["sole_height"][:, 0, foot] = np.where(in_swing, height, 0.0)
        arrays["foot_force"][in_swing, 0, foot] = 0.0
        arrays["foot_force"][~in_swing, 0, foot] = robot.mass * 9.81 / 2
        # A foot stands where the base is at the middle of its stance.
        touch = t - phase + swing
        stance_x = speed * DT * (touch + (period - swing) / 2)
        arrays["foot_pos_w"][:, 0, foot] = stance_x[:, None] * along
    return Recording(**arrays)
