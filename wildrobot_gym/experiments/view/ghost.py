"""The frame of a reference motion that is nearest to what the robot does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wildrobot_gym.evaluation.cycles import nearest_clips
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.rotations import numpy_yaw

VELOCITY_SCALE = 0.1  # s: a joint velocity counts like the angle it covers in that time


class NearestReference:
    """Finds reference frames by joint positions and velocities.

    Args:
        clips: The reference's clips.
    """

    def __init__(self, clips: Sequence[MotionClip]) -> None:
        self._clips = list(clips)
        self._chosen: tuple[MotionClip, ...] = ()
        self._signature = self._pose = np.zeros((0, 0))

    def pose(self, qpos: np.ndarray, joint_vel: np.ndarray, vx: float) -> np.ndarray:
        """The nearest frame, at the robot's place and heading.

        Args:
            qpos: (nq,) pose of the robot.
            joint_vel: (joint,) its joint velocities, rad/s.
            vx: Commanded forward speed, m/s, which chooses the clips.

        Returns:
            (nq,) pose with the reference's joints, height and tilt.
        """
        self._choose(vx)
        wanted = np.concatenate([qpos[7:], VELOCITY_SCALE * joint_vel])
        nearest = int(np.argmin(((self._signature - wanted) ** 2).sum(axis=1)))
        pose = self._pose[nearest].copy()
        robot, reference = numpy_yaw(np.stack([qpos[3:7], pose[3:7]]))
        half = 0.5 * (robot - reference)
        w, x, y, z = pose[3:7]
        c, s = np.cos(half), np.sin(half)
        pose[:2] = qpos[:2]
        pose[3:7] = (c * w - s * z, c * x - s * y, c * y + s * x, c * z + s * w)  # about z
        return pose

    def _choose(self, vx: float) -> None:
        chosen = tuple(nearest_clips(self._clips, vx))
        if chosen == self._chosen:
            return
        self._chosen = chosen
        speeds = [np.gradient(clip.joint_pos, 1 / clip.fps, axis=0) for clip in chosen]
        joints = np.concatenate([clip.joint_pos for clip in chosen])
        self._signature = np.concatenate([joints, VELOCITY_SCALE * np.concatenate(speeds)], axis=1)
        self._pose = np.concatenate(
            [np.concatenate([c.root_pos, c.root_quat, c.joint_pos], axis=1) for c in chosen]
        ).astype(float)
