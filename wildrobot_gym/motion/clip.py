"""A motion clip: the poses of one robot over time, with their source.

World frame: x forward, y left, z up. Joint angles are in the robot's order and signs, in rad.
Quaternions are wxyz and turn the base to the world. `motion.states` derives missing velocities.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion import storage
from wildrobot_gym.motion.clip_arrays import OPTIONAL, POSES, check_arrays, check_optional
from wildrobot_gym.motion.clip_description import read_description
from wildrobot_gym.motion.clip_names import MIRRORED, mirrored_name
from wildrobot_gym.motion.plausibility import check_plausible
from wildrobot_gym.npz_io import Wanted
from wildrobot_gym.robot import RobotModel

KIND = "wildrobot motion clip"


@dataclass(frozen=True)
class MotionClip:
    """Poses at a constant frame rate.

    Attributes:
        name: Name of the motion, such as `walk_0.60`.
        robot: Name of the robot that the clip fits.
        fps: Frame rate, in Hz.
        joint_names: (joint,) meaning of the columns of `joint_pos`.
        root_pos: (time, 3) position of the base in the world, in m.
        root_quat: (time, 4) orientation of the base, wxyz.
        joint_pos: (time, joint) joint angles, in rad.
        pad_forces: (time, pad) normal forces in the robot's pad order, in N. None if not known.
        qvel: (time, nv) velocities as performed, in MuJoCo's order. None if not known.
        command: (vx m/s, vy m/s, yaw rate rad/s) that the motion follows, in the heading frame.
            Where it varies, the mean of `commands`.
        commands: (time, 3) command of each frame. None if it does not vary.
        source: Where the motion is from, for the credits.
        licence: License of the motion.
        metadata: Anything else, as JSON types.
    """

    name: str
    robot: str
    fps: float
    joint_names: tuple[str, ...]
    root_pos: Float[np.ndarray, "time 3"]
    root_quat: Float[np.ndarray, "time 4"]
    joint_pos: Float[np.ndarray, "time joint"]
    pad_forces: Float[np.ndarray, "time pad"] | None = None
    qvel: Float[np.ndarray, "time nv"] | None = None
    command: tuple[float, float, float] = (0.0, 0.0, 0.0)
    commands: Float[np.ndarray, "time 3"] | None = None
    source: str = ""
    licence: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return len(self.joint_pos)

    @property
    def duration_s(self) -> float:
        """Time from the first frame to the last, in seconds."""
        return (self.num_frames - 1) / self.fps

    @property
    def seconds(self) -> float:
        """Number of frames times the frame period, in seconds.

        It adds up over the parts of a motion.
        """
        return self.num_frames / self.fps

    @property
    def motion_id(self) -> str:
        """Name of the motion that the clip is a part or a variant of.

        The default is its own name.
        """
        return str(self.metadata.get("motion_id", self.name)).removesuffix(MIRRORED)

    @property
    def qpos(self) -> Float[np.ndarray, "time nq"]:
        """(time, nq) poses in MuJoCo's order, float64."""
        parts = [self.root_pos, self.root_quat, self.joint_pos]
        return np.concatenate(parts, axis=-1, dtype=np.float64)

    def commands_at(self, fps: float) -> Float[np.ndarray, "time 3"]:
        """Return the command of each frame of the clip `resampled` to a frame rate."""
        clip = self if self.commands is None else self.resampled(fps)
        commands = self.command if clip.commands is None else clip.commands
        same = abs(fps - clip.fps) < 1e-9
        frames = clip.num_frames if same else _frames_at(self.duration_s, fps)
        return np.array(np.broadcast_to(np.asarray(commands, np.float32), (frames, 3)))

    def description(self) -> dict[str, Any]:
        """Return everything that is not an array, as JSON types."""
        return {
            "name": self.name,
            "robot": self.robot,
            "fps": self.fps,
            "joint_names": list(self.joint_names),
            "command": list(self.command),
            "source": self.source,
            "licence": self.licence,
            "metadata": dict(self.metadata),
        }

    def save(self, path: str | Path) -> Path:
        """Write the clip as .npz in one step, and return the path."""
        arrays = {
            name: getattr(self, name)
            for name in (*POSES, *OPTIONAL)
            if getattr(self, name) is not None
        }
        return storage.write(
            path,
            KIND,
            {k: np.asarray(v, np.float32) for k, v in arrays.items()},
            self.description(),
        )

    @classmethod
    def load(cls, path: str | Path) -> MotionClip:
        """Read a file that `save` wrote. Call `check` before use.

        Raises:
            MotionError: The file is missing, truncated or of another kind.
        """
        arrays, description = storage.read(path, KIND, dict.fromkeys(POSES, Wanted(2)))
        check_optional(arrays, str(path))
        return from_parts(arrays, description, str(path))

    def check(self, robot: RobotModel, where: str | None = None) -> MotionClip:
        """Check that the clip fits a robot.

        Args:
            robot: The robot.
            where: Name of the clip in messages, such as the path of a file.

        Returns:
            The clip in the robot's joint order.

        Raises:
            MotionError: The robot, the joints or the shapes differ, or there are fewer than two
                frames. Or fps, a value or the length of a quaternion is out of range. Or no robot
                can move like that (see `check_plausible`).
        """
        where = where or f"Clip {self.name!r}"
        if self.robot != robot.name:
            raise MotionError(
                f"{where} is for robot {self.robot!r}, not {robot.name!r}. Retarget it."
            )
        if sorted(self.joint_names) != sorted(robot.joint_names):
            raise MotionError(
                f"{where} has the joints {list(self.joint_names)},"
                f" robot {robot.name!r} has {list(robot.joint_names)}."
                " Retarget the clip to this robot."
            )
        if not 0 < self.fps < np.inf:
            raise MotionError(
                f"{where} has fps {self.fps}; allowed: a positive number of frames a second."
            )
        joints = len(self.joint_names)
        widths = {"root_pos": 3, "root_quat": 4, "joint_pos": joints}
        widths |= {"pad_forces": len(robot.pad_names), "qvel": 6 + joints, "commands": 3}
        arrays = {n: getattr(self, n) for n in widths if getattr(self, n) is not None}
        check_arrays(arrays, widths, where)
        clip = self if self.joint_names == robot.joint_names else self._reordered(robot)
        check_plausible(robot, clip.qpos, clip.fps, where)
        return clip

    def _reordered(self, robot: RobotModel) -> MotionClip:
        order = np.array([self.joint_names.index(name) for name in robot.joint_names])
        qvel = None if self.qvel is None else self.qvel[:, [*range(6), *(6 + order)]]
        return replace(
            self, joint_names=robot.joint_names, joint_pos=self.joint_pos[:, order], qvel=qvel
        )

    def resampled(self, fps: float) -> MotionClip:
        """Return the motion at another frame rate, without velocities.

        Poses follow C2 splines. Forces and commands are interpolated linearly. A `RotationSpline`
        keeps the angular velocity continuous, and slerp would not.

        Args:
            fps: The new frame rate, in Hz.

        Raises:
            MotionError: `fps` is not positive, or the clip is too short for it.
        """
        if not 0 < fps < np.inf:
            raise MotionError(
                f"Clip {self.name!r} cannot be resampled to fps {fps}; allowed: a positive number."
            )
        if abs(fps - self.fps) < 1e-9:
            return self
        old = np.arange(self.num_frames) / self.fps
        new = np.arange(_frames_at(self.duration_s, fps)) / fps
        if len(new) < 2:
            raise MotionError(
                f"Clip {self.name!r} lasts {self.duration_s:.3f} s, one frame at {fps:g} a second;"
                " at least 2 are needed to know velocities. Use a longer clip."
            )
        # Here, because environments resample nothing.
        from scipy.interpolate import CubicSpline
        from scipy.spatial.transform import Rotation, RotationSpline

        new = np.minimum(new, old[-1])
        rotations = Rotation.from_quat(self.root_quat, scalar_first=True)

        def linear(values: np.ndarray | None) -> np.ndarray | None:
            if values is None:
                return None
            return np.stack([np.interp(new, old, column) for column in values.T], axis=-1)

        return replace(
            self,
            fps=float(fps),
            root_pos=CubicSpline(old, self.root_pos)(new),
            root_quat=_continuous(RotationSpline(old, rotations)(new).as_quat(scalar_first=True)),
            joint_pos=CubicSpline(old, self.joint_pos)(new),
            pad_forces=linear(self.pad_forces),
            commands=linear(self.commands),
            qvel=None,
        )

    def mirrored(self, robot: RobotModel) -> MotionClip:
        """Return the mirror image in the robot's x-z plane. Mirroring twice gives the clip back."""
        ids, signs = robot.joint_mirror_ids, robot.joint_mirror_signs
        qvel = self.qvel
        if qvel is not None:
            # The base's linear velocity is a vector, its angular velocity a pseudovector.
            qvel = qvel[:, [*range(6), *(6 + ids)]] * np.concatenate(
                [[1.0, -1.0, 1.0, -1.0, 1.0, -1.0], signs]
            )
        vx, vy, yaw_rate = self.command
        return replace(
            self,
            name=mirrored_name(self.name),
            root_pos=self.root_pos * np.array([1.0, -1.0, 1.0]),
            # A rotation is a pseudovector: its x and z parts change sign, its y part (pitch) stays.
            root_quat=self.root_quat * np.array([1.0, -1.0, 1.0, -1.0]),
            joint_pos=np.asarray(self.joint_pos)[:, ids] * signs,
            pad_forces=None
            if self.pad_forces is None
            else np.asarray(self.pad_forces)[:, robot.pad_mirror_ids],
            qvel=qvel,
            command=(vx, -vy, -yaw_rate),
            commands=None if self.commands is None else self.commands * np.array([1.0, -1.0, -1.0]),
        )


def from_parts(
    arrays: Mapping[str, np.ndarray], description: Mapping[str, Any], where: str
) -> MotionClip:
    """Make a clip from its arrays and its `MotionClip.description`.

    Raises:
        MotionError: An entry of the description is missing or wrong; `where` names the file.
    """
    parts = {name: arrays.get(name) for name in (*POSES, *OPTIONAL)}
    return MotionClip(**read_description(description, where) | parts)


def _frames_at(duration_s: float, fps: float) -> int:
    return int(np.floor(duration_s * fps + 1e-6)) + 1


def _continuous(quat: np.ndarray) -> np.ndarray:
    """Return the same rotations with signs that keep successive quaternions close."""
    flips = np.sign(np.sum(quat[1:] * quat[:-1], axis=-1))
    return quat * np.concatenate([[1.0], np.cumprod(np.where(flips < 0, -1.0, 1.0))])[:, None]
