"""The quality of a retargeted clip, measured on the clip by forward kinematics."""

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

BARS = {"foot_slide": 20.0, "penetration": 3.0, "float_height": 5.0}
"""Greatest metrics of a clip that is fit for use, in the units of `RetargetReport`."""
TOUCHING = 0.003  # m above the floor; higher corners of a planted sole carry nothing.
_AT_LIMIT = 0.01  # rad


@dataclass(frozen=True)
class RetargetReport:
    """Metrics of one clip.

    Attributes:
        frames: Number of frames.
        duration_s: Duration, in seconds.
        frames_per_s: Frames retargeted in a second of one core.
        scale: Robot's length for a human's.
        time_scale: Robot's time for a human's.
        speed: Mean speed over the floor, in m/s.
        turn: Change of the heading over the clip, to the left, in rad.
        human_turn: The human's.
        foot_slide: Mean horizontal speed of the corners of planted soles, in mm/s.
        foot_slide_p95: Its 95th percentile.
        penetration: Greatest depth of a corner under the floor, in mm.
        float_height: Greatest height of a planted sole's lowest corner above the floor, in mm.
        miss: Greatest distance of a foot from its planned position, because a leg does not reach,
            in mm.
        joint_limit_fraction: Fraction of joint frames within 0.01 rad of a limit.
        velocity_limit_fraction: Fraction of joint frames that are faster than the settings allow.
        max_joint_speed: Greatest joint speed, in rad/s.
        tracking_error: Mean distance of hips, knees and soles from the scaled human's, without the
            robot's greater width, in m.
        balance_error: Median distance from the planned load to where the weight would have to act
            for the motion's tipping moments, in m.
        balance_error_p95: Its 95th percentile.
        single_support: Fraction of frames with one foot planted.
        double_support: Fraction of frames with two feet planted.
        flight: Fraction of frames with no foot planted.
    """

    frames: int
    duration_s: float
    frames_per_s: float
    scale: float
    time_scale: float
    speed: float
    turn: float
    human_turn: float
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

    @property
    def beyond(self) -> dict[str, float]:
        """The metrics that are beyond their `BARS`."""
        values = {name: getattr(self, name) for name in BARS}
        return {name: value for name, value in values.items() if value > BARS[name]}

    @property
    def warning(self) -> str:
        """What is beyond its bar and what to try, or nothing."""
        beyond = (f"{name} {value:.1f} (bar {BARS[name]:g})" for name, value in self.beyond.items())
        advice = "Try a smaller stride or max_turn_rate, or take a part by start and end."
        return f"BEYOND THE BARS: {', '.join(beyond)}. {advice}" if self.beyond else ""

    def as_dict(self) -> dict[str, Any]:
        """Return the metrics as JSON types, rounded."""
        return {k: v if isinstance(v, int) else float(f"{v:.5g}") for k, v in asdict(self).items()}


@dataclass(frozen=True)
class Points:
    """Points over a clip in the world, in m: corners of the soles, and hip, knee and sole of each
    leg.
    """

    corners: Float[np.ndarray, "time foot corner 3"]
    legs: Float[np.ndarray, "time foot 3 3"]


def measure_points(robot: RobotModel, qpos: Float[np.ndarray, "time nq"]) -> Points:
    """Compute the points of poses by forward kinematics."""
    model, data = robot.model, mujoco.MjData(robot.model)
    feet = [model.site(foot).id for foot in robot.foot_names]
    soles = [read_sole(robot, foot) for foot in robot.foot_names]
    corners_b = np.array(
        [[[x, y, 0.0] for x in (s.front, s.rear) for y in (s.left, s.right)] for s in soles]
    )
    joints = np.array([[model.joint(name).id for name in leg.pitch[:2]] for leg in robot.legs])
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
    """Return the horizontal speeds, in m/s, of corners that touch the floor in two successive
    frames.

    Only planted feet count.
    """
    touching = (corners[..., 2] < TOUCHING) & planted[..., None]
    speed = np.linalg.norm(np.diff(corners[..., :2], axis=0), axis=-1) * fps
    return speed[touching[1:] & touching[:-1]]


def tracking_error(
    human: ScaledHuman, legs: Float[np.ndarray, "time foot 3 3"], yaw: Float[np.ndarray, " time"]
) -> float:
    """Return the mean distance of hips, knees and soles from the human's, in m.

    Each point's mean sideways distance is left out.
    """
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
    """Return the fractions of joint frames at a limit, and of those faster than `max_speed`
    rad/s.
    """
    low, high = robot.joint_range.T
    at_limit = (joint_pos < low + _AT_LIMIT) | (joint_pos > high - _AT_LIMIT)
    return float(at_limit.mean()), float((np.abs(joint_vel) > max_speed).mean())
