"""What a retargeted clip is worth, measured on the clip itself by forward kinematics."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import mujoco
import numpy as np
from jaxtyping import Bool, Float

from wildrobot_gym.motion.gait.feet import read_sole
from wildrobot_gym.motion.retarget.body import along
from wildrobot_gym.motion.retarget.scaled import ScaledHuman
from wildrobot_gym.robot import RobotModel

TOUCHING = 0.003  # m above the floor; corners of a planted sole that are higher carry nothing
_AT_LIMIT = 0.01  # rad


@dataclass(frozen=True)
class RetargetReport:
    """Figures of one clip.

    Attributes:
        frames, duration_s: of the clip. frames_per_s: frames retargeted in a second of one core. scale, time_scale: robot's
            meters and seconds for a human's.
        speed: mean speed over the floor, m/s.
        foot_slide, foot_slide_p95: horizontal speed of the planted soles' corners on the floor, mm/s.
        penetration: deepest that any corner is under the floor, mm. float_height: highest that a planted sole's lowest corner
            is above it, mm. miss: furthest that a foot is from its place because a leg does not reach, mm.
        joint_limit_fraction: of joint frames within 0.01 rad of a limit. velocity_limit_fraction: of joint frames faster than the
            settings allow. max_joint_speed: rad/s.
        tracking_error: mean distance of hips, knees and soles from the scaled human's, m; the robot's greater width left out.
        balance_error, balance_error_p95: median and 95th percentile of how far from its place on the soles the weight would
            have to act for the motion's tipping moments, m.
        single_support, double_support, flight: shares of the frames.
    """

    frames: int
    duration_s: float
    frames_per_s: float
    scale: float
    time_scale: float
    speed: float
    foot_slide: float
    foot_slide_p95: float
    penetration: float
    float_height: float
    miss: float
    joint_limit_fraction: float
    velocity_limit_fraction: float
    max_joint_speed: float
    tracking_error: float
    balance_error: float
    balance_error_p95: float
    single_support: float
    double_support: float
    flight: float

    def as_dict(self) -> dict[str, Any]:
        """As JSON types, rounded."""
        return {k: v if isinstance(v, int) else float(f"{v:.5g}") for k, v in asdict(self).items()}


@dataclass(frozen=True)
class Points:
    """Places over a clip, world, m: corners of the soles, and each leg's key points (hip, knee, under the ankle)."""

    corners: Float[np.ndarray, "time foot corner 3"]
    legs: Float[np.ndarray, "time foot 3 3"]


def measure_points(robot: RobotModel, qpos: Float[np.ndarray, "time nq"]) -> Points:
    """Forward kinematics of poses."""
    model, data = robot.model, mujoco.MjData(robot.model)
    feet = [model.site(foot).id for foot in robot.foot_names]
    soles = [read_sole(robot, foot) for foot in robot.foot_names]
    corners_b = np.array(
        [[[x, y, 0.0] for x in (s.front, s.rear) for y in (s.left, s.right)] for s in soles]
    )
    chains = [robot.leg_joint_names(foot) for foot in robot.foot_names]
    joints = np.array([[model.joint(chain[0]).id, model.joint(chain[-2]).id] for chain in chains])
    pos, rotation = np.empty((len(qpos), len(feet), 3)), np.empty((len(qpos), len(feet), 3, 3))
    anchors = np.empty((len(qpos), *joints.shape, 3))
    for i, pose in enumerate(qpos):
        data.qpos[:] = pose
        mujoco.mj_kinematics(model, data)
        pos[i], rotation[i], anchors[i] = (
            data.site_xpos[feet],
            data.site_xmat[feet].reshape(-1, 3, 3),
            data.xanchor[joints],
        )
    corners = pos[:, :, None] + np.einsum("tfij,fcj->tfci", rotation, corners_b)
    return Points(corners, np.concatenate([anchors, pos[:, :, None]], axis=2))


def slide_speeds(
    corners: Float[np.ndarray, "time foot corner 3"],
    planted: Bool[np.ndarray, "time foot"],
    fps: float,
) -> Float[np.ndarray, " n"]:
    """Horizontal speeds, m/s, of corners that touch the floor in two frames running while their foot is planted."""
    touching = (corners[..., 2] < TOUCHING) & planted[..., None]
    speed = np.linalg.norm(np.diff(corners[..., :2], axis=0), axis=-1) * fps
    return speed[touching[1:] & touching[:-1]]


def tracking_error(
    human: ScaledHuman, legs: Float[np.ndarray, "time foot 3 3"], yaw: Float[np.ndarray, " time"]
) -> float:
    """Mean distance of hips, knees and soles from the human's, m, once each point's mean sideways distance is left out."""
    resting = np.min(human.ankle[..., 2], axis=0)
    soles = human.ankle - resting[:, None] * [0.0, 0.0, 1.0]
    away = legs - np.stack([human.hip, human.knee, soles], axis=2)
    left = np.stack([-np.sin(yaw), np.cos(yaw)], axis=-1)[:, None, None]
    aside = along(away[..., :2], left)
    away[..., :2] -= np.mean(aside, axis=0)[..., None] * left
    return float(np.mean(np.linalg.norm(away, axis=-1)))


def joint_fractions(
    robot: RobotModel,
    joint_pos: Float[np.ndarray, "time joint"],
    joint_vel: Float[np.ndarray, "time joint"],
    max_speed: float,
) -> tuple[float, float]:
    """Shares of joint frames at a limit, and faster than `max_speed` rad/s."""
    low, high = robot.joint_range.T
    at_limit = (joint_pos < low + _AT_LIMIT) | (joint_pos > high - _AT_LIMIT)
    return float(at_limit.mean()), float((np.abs(joint_vel) > max_speed).mean())
