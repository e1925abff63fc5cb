"""Reference files: many clips of one robot in one .npz file.

A file holds the clips themselves: poses, pad forces, and velocities where they are known. It holds
no features; `ReferenceDataset` computes those for the feature settings of a run.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion import storage
from wildrobot_gym.motion.clip import MotionClip, from_parts
from wildrobot_gym.motion.clip_arrays import OPTIONAL, POSES, check_optional
from wildrobot_gym.npz_io import Wanted
from wildrobot_gym.paths import motion_file
from wildrobot_gym.robot import RobotModel

KIND = "wildrobot reference"
_WANTED = {
    "lengths": Wanted(1, "iu"),
    **dict.fromkeys(POSES, Wanted(2)),
    "pad_forces": Wanted(2, finite=False),  # NaN where a clip has none
}


def save_clips(path: str | Path, clips: Iterable[MotionClip]) -> Path:
    """Write clips into one reference file.

    The arrays of all clips follow each other; `lengths` and a JSON description tell them apart. A
    clip without pad forces, velocities or commands of its frames has NaN there. If no clip has
    velocities or such commands, the file has none.

    Args:
        path: The file, .npz.
        clips: Clips of one robot.

    Returns:
        The path.

    Raises:
        MotionError: There is no clip, the clips are of several robots, or the file cannot be
            written.
    """
    clips = list(clips)
    robots = sorted({clip.robot for clip in clips})
    if len(robots) != 1:
        raise MotionError(
            "A reference file holds clips of one robot; got"
            f" {', '.join(robots) or 'no clips at all'}."
        )
    arrays = {
        name: np.concatenate([getattr(c, name) for c in clips], dtype=np.float32) for name in POSES
    }
    for name in OPTIONAL:
        width = max(
            [0, *[np.shape(getattr(c, name))[1] for c in clips if getattr(c, name) is not None]]
        )
        if width or name in _WANTED:
            parts = [
                np.full((c.num_frames, width), np.nan)
                if getattr(c, name) is None
                else getattr(c, name)
                for c in clips
            ]
            arrays[name] = np.concatenate(parts, dtype=np.float32)
    arrays["lengths"] = np.array([c.num_frames for c in clips])
    return storage.write(
        path, KIND, arrays, {"robot": robots[0], "clips": [c.description() for c in clips]}
    )


def load_clips(path: str | Path, robot: RobotModel) -> list[MotionClip]:
    """Load the clips of a reference file.

    Args:
        path: A file, or the name of a shipped reference such as `walk`.
        robot: The robot that the clips must fit.

    Returns:
        The clips, in the robot's joint order.

    Raises:
        MotionError: The file is missing, truncated, of another kind, or of another robot.
    """
    path = motion_file(path)
    arrays, metadata = storage.read(path, KIND, _WANTED)
    if (name := metadata.get("robot", robot.name)) != robot.name:
        raise MotionError(
            f"{path} is for robot {name!r}, not {robot.name!r}."
            " Choose a reference of this robot, or retarget the motion to it."
        )
    lengths, descriptions = arrays.pop("lengths"), metadata.get("clips", [])
    check_optional(arrays, str(path))
    frames = {name: len(array) for name, array in arrays.items()}
    if (
        not isinstance(descriptions, list)
        or len(lengths) != len(descriptions)
        or (lengths < 0).any()
        or any(count != lengths.sum() for count in frames.values())
    ):
        raise MotionError(
            f"{path}: the lengths of its {len(lengths)} clips add up to {lengths.sum()} frames, the"
            f" arrays have {frames}, or as many are not described. Build it again."
        )
    ends = np.cumsum(lengths)
    clips = []
    for description, first, end in zip(descriptions, ends - lengths, ends, strict=True):
        parts = {name: array[first:end] for name, array in arrays.items()}
        parts = {
            name: part
            for name, part in parts.items()
            if name not in OPTIONAL or not np.isnan(part).all()
        }
        clip = from_parts(parts, description, str(path))
        clips.append(clip.check(robot, f"{path}, clip {clip.name!r}"))
    return clips
