"""DeepMimic's motions: JSON with 44 numbers a frame (duration, root position, each joint's
rotation).

Spherical joints are quaternions wxyz; knees and elbows are one angle about z. The file has no
names. The table `deepmimic` has the joints, their columns, and the humanoid's dimensions. X. B.
Peng et al., "DeepMimic", 2018.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from wildrobot_gym import json_io
from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.human import HumanMotion
from wildrobot_gym.motion.import_options import ImportOptions
from wildrobot_gym.motion.importers.assemble import to_human
from wildrobot_gym.motion.importers.reading import check_finite, check_fps, read_text
from wildrobot_gym.motion.importers.skeleton import Recording, Skeleton
from wildrobot_gym.motion.importers.table import Joint, choose_table, shipped_tables

_TABLE = "deepmimic"
_HEAD = 4  # duration and root position.
_UNIT_TOLERANCE = 0.02  # the files are rounded; more than this is another layout of columns


def load_deepmimic(path: Path, options: ImportOptions) -> HumanMotion:
    """Load a motion from a DeepMimic .txt or .json.

    Raises:
        MotionError: The file is truncated or of another kind or width, or durations are uneven. Or
            a value or the length of a quaternion is out of range.
    """
    layout = shipped_tables(_TABLE)[_TABLE]
    _, table = choose_table(options.table or _TABLE, _TABLE, layout.joint_names, str(path))
    frames = _read_frames(path, _HEAD + sum(joint.columns for joint in layout.joints))
    durations = (
        frames[:-1, 0] if len(frames) > 1 else frames[:, 0]
    )  # the last frame's is 0 in some files
    if np.ptp(durations) > 0.01 * durations.mean():
        raise MotionError(
            f"{path}: frames last from {durations.min():g} to {durations.max():g} s; allowed: all"
            " the same. Resample it."
        )
    fps = check_fps(
        options.fps or 1.0 / max(durations.mean(), 1e-9),
        path,
        f"a frame's duration of {durations.mean():g} s",
    )
    offsets = np.array([joint.offset for joint in layout.joints])
    moving = np.tile(offsets, (len(frames), 1, 1))
    moving[:, 0] = frames[:, 1:_HEAD]
    rotations, at = [], _HEAD
    for joint in layout.joints:
        rotations.append(_rotation(joint, frames[:, at : at + joint.columns], path))
        at += joint.columns
    skeleton = Skeleton(layout.joint_names, layout.joint_parents, offsets)
    return to_human(Recording(path, skeleton, fps, tuple(rotations), moving), table, options)


def _read_frames(path: Path, width: int) -> np.ndarray:
    try:
        frames = np.array(json_io.parse(read_text(path), "it")["Frames"], np.float64)
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise MotionError(
            f"{path} is truncated or no DeepMimic motion, which is JSON with Frames, rows of"
            f" {width} numbers"
            f" ({type(error).__name__}: {error}). Download it again."
        ) from error
    if frames.ndim != 2 or frames.shape[1] != width:
        raise MotionError(
            f"{path}: Frames has shape {frames.shape}; allowed: (frames, {width}), the humanoid of"
            " DeepMimic."
        )
    check_finite(frames, path, "Frames")
    return frames


def _rotation(joint: Joint, values: np.ndarray, path: Path) -> Rotation:
    if joint.columns == 4:
        error = np.abs(np.linalg.norm(values, axis=-1) - 1.0)
        if error.max() > _UNIT_TOLERANCE:
            raise MotionError(
                f"{path}: the rotation of {joint.name} in frame {int(error.argmax())} is no unit"
                " quaternion (w, x, y, z);"
                f" allowed: length 1 within {_UNIT_TOLERANCE}. Is it another humanoid's motion?"
            )
        return Rotation.from_quat(values, scalar_first=True)
    return Rotation.from_euler("z", values) if joint.columns else Rotation.identity(len(values))
