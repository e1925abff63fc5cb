"""What importers of this robot's own motion have in common: the motion becomes a `MotionClip` as it
is.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.import_options import ImportOptions
from wildrobot_gym.motion.plausibility import beyond_limits
from wildrobot_gym.robot import RobotModel


def robot_clip(
    path: Path,
    robot: RobotModel,
    fps: float,
    root_pos: Float[np.ndarray, "time 3"],
    root_quat: Float[np.ndarray, "time 4"],
    joint_pos: Float[np.ndarray, "time joint"],
    options: ImportOptions,
    notes: tuple[str, ...],
) -> MotionClip:
    """Make a checked clip of the part asked for.

    Its command is its own mean velocity in the heading frame.

    Args:
        path: The file.
        robot: The robot.
        fps: Frame rate, in Hz.
        root_pos: (time, 3) in m, or in units of `options.scale` m.
        root_quat: (time, 4) wxyz.
        joint_pos: (time, joint) the robot's joints in its order, in rad.
        options: The part to take, the unit, and the credits.
        notes: What was found out about the file.

    Raises:
        MotionError: The motion does not fit the robot, has too few frames, or cannot be a motion of
            it (see `check_plausible`).
    """
    part = options.part(len(joint_pos), fps, str(path))
    clip = MotionClip(
        name=path.stem,
        robot=robot.name,
        fps=fps,
        joint_names=robot.joint_names,
        root_pos=np.asarray(root_pos, np.float64)[part] * (options.scale or 1.0),
        root_quat=np.asarray(root_quat, np.float64)[part],
        joint_pos=np.asarray(joint_pos, np.float64)[part],
        source=options.source or path.name,
        licence=options.license or "",
    ).check(robot, str(path))
    command = _mean_velocity(clip)
    beyond = [
        f"{name} by {x:.3f} rad"
        for name, x in zip(
            robot.joint_names, beyond_limits(robot, clip.joint_pos).max(axis=0), strict=True
        )
        if x > 1e-6
    ]
    found = (
        f"{clip.num_frames} frames at {fps:g} fps, {clip.duration_s:.2f} s, mean velocity"
        f" {command[0]:.2f} m/s ahead,"
        f" {command[1]:.2f} m/s left, {command[2]:.2f} rad/s",
        f"beyond the joint limits: {', '.join(beyond) or 'nothing'}",
    )
    return replace(clip, command=command, metadata={"notes": [*notes, *found]})


def _mean_velocity(clip: MotionClip) -> tuple[float, float, float]:
    turns = Rotation.from_quat(clip.root_quat, scalar_first=True)
    ahead = turns.apply([1.0, 0.0, 0.0])
    yaw = np.unwrap(np.arctan2(ahead[:, 1], ahead[:, 0]))
    steps = np.diff(clip.root_pos[:, :2], axis=0) * clip.fps
    middle = (yaw[1:] + yaw[:-1]) / 2.0
    forward = steps[:, 0] * np.cos(middle) + steps[:, 1] * np.sin(middle)
    left = steps[:, 1] * np.cos(middle) - steps[:, 0] * np.sin(middle)
    return float(forward.mean()), float(left.mean()), float((yaw[-1] - yaw[0]) / clip.duration_s)
