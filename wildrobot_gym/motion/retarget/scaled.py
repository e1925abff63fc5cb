"""The human at the size of the robot: level floor, start at the origin facing +x, smooth paths, any
frame rate.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import mujoco
import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.human import HumanMotion
from wildrobot_gym.motion.retarget import ground
from wildrobot_gym.motion.retarget.settings import RetargetSettings
from wildrobot_gym.motion.smoothing import low_pass
from wildrobot_gym.robot import RobotModel

_CUTOFF = 8.0  # Hz of the human; walking has little above 6 (Winter 2009), marker noise much.
_HEADING_CUTOFF = 0.2  # Hz; slower than a stride.
_VEER = 0.2  # rad between a human's heading and direction of travel.
LEG_SPAN = (0.2, 2.0)  # m; length of a human's leg


@dataclass(frozen=True)
class ScaledHuman:
    """A human with legs of the robot's length. World as the robot's; feet in the robot's order.

    Attributes:
        fps: Frame rate, in Hz.
        scale: Robot's length for a human's.
        time_scale: Robot's time for a human's.
        hips: (time, 3) midway between the hip joints, in m.
        hip: (time, foot, 3) in m.
        knee: (time, foot, 3) in m.
        ankle: (time, foot, 3) in m.
        toe: (time, foot, 3) in m.
        heading: (time,) without the swing of each step, in rad.
        lean: (time, 2) pitch and roll of the torso, in rad.
        twist: (time,) yaw of the torso beyond the heading, in rad.
        foot_pitch: (time, foot) toes down, 0 when standing, in rad.
    """

    fps: float
    scale: float
    time_scale: float
    hips: Float[np.ndarray, "time 3"]
    hip: Float[np.ndarray, "time foot 3"]
    knee: Float[np.ndarray, "time foot 3"]
    ankle: Float[np.ndarray, "time foot 3"]
    toe: Float[np.ndarray, "time foot 3"]
    heading: Float[np.ndarray, " time"]
    lean: Float[np.ndarray, "time 2"]
    twist: Float[np.ndarray, " time"]
    foot_pitch: Float[np.ndarray, "time foot"]

    @property
    def num_frames(self) -> int:
        return len(self.hips)

    @property
    def time(self) -> Float[np.ndarray, " time"]:
        """Seconds from the first frame."""
        return np.arange(self.num_frames) / self.fps

    def every(self, n: int) -> ScaledHuman:
        """Return every n-th frame."""
        values: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        values = {k: v[::n] if isinstance(v, np.ndarray) else v for k, v in values.items()}
        return ScaledHuman(**{**values, "fps": self.fps / n})


def scaled_human(
    robot: RobotModel, human: HumanMotion, settings: RetargetSettings, fps: float, every: int = 1
) -> ScaledHuman:
    """Scale a human to the robot's legs.

    Args:
        robot: The robot.
        human: The motion.
        settings: Time scale and stride.
        fps: Frame rate in the robot's time, in Hz.
        every: The clip will have every `every`-th frame.

    Raises:
        MotionError: The legs have no human length (wrong units), or the motion is too short.
    """
    thigh, shin = _segment(human, "hip", "knee"), _segment(human, "knee", "ankle")
    plane = ground.floor_plane(human, thigh + shin)
    pos = {body: ground.above(plane, human.position(body)) for body in human.body_names}
    sides = foot_sides(robot)
    ankle = np.stack([pos[f"{side}_ankle"] for side in sides], axis=1)
    toe = np.stack([pos[f"{side}_toe"] for side in sides], axis=1)
    resting = _resting(ankle, toe, human.fps, thigh + shin)
    leg = (
        thigh
        + shin
        + float(np.median(ankle[resting][:, 2]) if resting.any() else ankle[..., 2].min())
    )
    if not LEG_SPAN[0] <= leg <= LEG_SPAN[1]:
        raise MotionError(
            f"Motion {human.name!r} is of a human whose legs are {leg:.3f} m long;"
            f" allowed: {LEG_SPAN[0]} to {LEG_SPAN[1]} m."
            " Check the file's length unit."
        )
    scale = robot.leg_length / leg
    time_scale = float(np.sqrt(scale)) if settings.time_scale is None else settings.time_scale
    old = np.arange(human.num_frames) * time_scale / human.fps
    new = (
        np.arange(int(old[-1] * fps + 1e-6) // every * every + 1) / fps
    )  # ends with a frame that `every` keeps
    if len(new) < every + 1:
        raise MotionError(
            f"Motion {human.name!r} lasts {human.duration_s:.3f} s; too short for two frames of the"
            " robot."
        )

    def bring(values: np.ndarray, cutoff: float = _CUTOFF) -> np.ndarray:
        return CubicSpline(old, low_pass(values, human.fps, cutoff))(new)

    hips = 0.5 * (pos["left_hip"] + pos["right_hip"])
    yaw, lean = _torso(human)
    heading = _heading(yaw, hips, human.fps)
    turn, start = Rotation.from_euler("z", -heading[0]), hips[0] * [1.0, 1.0, 0.0]

    def place(points: np.ndarray) -> np.ndarray:
        moved = turn.apply((points - start).reshape(-1, 3)).reshape(points.shape)
        return bring(moved * (scale * np.array([settings.stride, settings.stride, 1.0])))

    return ScaledHuman(
        fps=fps,
        scale=scale,
        time_scale=time_scale,
        hips=place(hips),
        hip=place(np.stack([pos[f"{side}_hip"] for side in sides], axis=1)),
        knee=place(np.stack([pos[f"{side}_knee"] for side in sides], axis=1)),
        ankle=place(ankle),
        toe=place(toe),
        heading=bring(heading - heading[0], 1e9),
        lean=bring(lean),
        twist=bring(yaw[:, 1] - heading),
        foot_pitch=bring(_foot_pitch(ankle, toe, heading, resting)),
    )


def foot_sides(robot: RobotModel) -> list[str]:
    """Return `left` or `right` for each foot of the robot, by its position in the zero pose."""
    data = mujoco.MjData(robot.model)
    mujoco.mj_kinematics(robot.model, data)
    sides = ["left" if data.site(foot).xpos[1] > 0 else "right" for foot in robot.foot_names]
    if sorted(sides) != ["left", "right"]:
        raise MotionError(
            f"Retargeting needs a left and a right foot; robot {robot.name!r} has"
            f" {list(robot.foot_names)}."
        )
    return sides


def _segment(human: HumanMotion, upper: str, lower: str) -> float:
    """Return the mean length of a leg's segment, in m."""
    return float(
        np.mean(
            [
                np.linalg.norm(
                    human.position(f"{side}_{upper}") - human.position(f"{side}_{lower}"), axis=-1
                )
                for side in ("left", "right")
            ]
        )
    )


def _resting(ankle: np.ndarray, toe: np.ndarray, fps: float, leg: float) -> np.ndarray:
    """Return (time, foot) whether neither ankle nor toe moves, so that the foot lies flat."""
    speeds = [np.linalg.norm(np.gradient(p, 1.0 / fps, axis=0), axis=-1) for p in (ankle, toe)]
    return np.maximum(*speeds) < 0.5 * ground.resting_speed(leg)


def _torso(human: HumanMotion) -> tuple[np.ndarray, np.ndarray]:
    """Return yaw of pelvis and torso (time, 2), unwrapped, and pitch and roll of the torso (time,
    2), in rad.
    """
    angles = [
        Rotation.from_quat(human.rotation(body), scalar_first=True).as_euler("ZYX")
        for body in ("pelvis", "torso")
    ]
    yaw = np.unwrap(np.stack([a[:, 0] for a in angles], axis=-1), axis=0)
    yaw[:, 1] += 2.0 * np.pi * np.round((yaw[:, 0] - yaw[:, 1]).mean() / (2.0 * np.pi))
    return yaw, angles[1][:, 1:]


def _heading(yaw: np.ndarray, hips: np.ndarray, fps: float) -> np.ndarray:
    """Return the direction that the human faces, without the swing of each step, in rad.

    Pelvis and torso swing against each other, so the mixture that moves least is the heading. If it
    is nearly the direction of travel, the difference comes from a crooked skeleton and is removed.
    """
    pelvis, against = np.diff(yaw[:, 0]), np.diff(yaw[:, 1] - yaw[:, 0])
    fraction = np.clip(-(pelvis @ against) / max(against @ against, 1e-12), 0.0, 1.0)
    heading = low_pass(
        (1.0 - fraction) * yaw[:, 0] + fraction * yaw[:, 1], fps, _HEADING_CUTOFF, order=2
    )
    step = np.diff(hips[:, :2], axis=0)
    angle = np.arctan2(step[:, 1], step[:, 0]) - heading[1:]
    weight = np.linalg.norm(step, axis=-1)
    veer = np.arctan2(weight @ np.sin(angle), weight @ np.cos(angle))
    return heading + veer if abs(veer) < _VEER else heading


def _foot_pitch(
    ankle: np.ndarray, toe: np.ndarray, heading: np.ndarray, resting: np.ndarray
) -> np.ndarray:
    """Return the pitch of ankle to toe in the heading's plane, relative to when the foot lies
    flat.
    """
    foot = toe - ankle
    forward = foot[..., 0] * np.cos(heading)[:, None] + foot[..., 1] * np.sin(heading)[:, None]
    pitch = np.unwrap(np.arctan2(-foot[..., 2], forward), axis=0)
    flat = [
        np.median(pitch[resting[:, f], f]) if resting[:, f].any() else np.median(pitch[:, f])
        for f in range(2)
    ]
    return pitch - flat
