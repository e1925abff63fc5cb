"""GMR's pickles: motion retargeted to this robot, as a dictionary with fps, root_pos (m), root_rot
(xyzw), dof_pos.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.import_options import ImportOptions
from wildrobot_gym.motion.importers.reading import check_finite, check_fps
from wildrobot_gym.motion.importers.robot_clip import robot_clip
from wildrobot_gym.motion.importers.safe_pickle import load_pickle
from wildrobot_gym.robot import RobotModel

_KEYS = ("fps", "root_pos", "root_rot", "dof_pos")


def load_gmr(path: Path, options: ImportOptions) -> MotionClip:
    """Load a clip from a GMR pickle, whose joints must be the robot's, in its order.

    Raises:
        MotionError: The pickle asks for more than arrays, a key is missing, the joints are another
            robot's, or a value is not finite.
    """
    data = load_pickle(path)
    if missing := [key for key in _KEYS if key not in data]:
        raise MotionError(
            f"{path} is no GMR motion: it has no {', '.join(missing)}; it has"
            f" {', '.join(map(str, data))}, needed are"
            f" {', '.join(_KEYS)}."
        )
    robot = RobotModel.load(options.robot)
    if data.get("robot", robot.name) != robot.name:
        raise MotionError(
            f"{path} is a clip of robot {data['robot']!r}, not of {robot.name!r}. Pass robot, or"
            " retarget it again."
        )
    arrays = {}
    for key, width in (("root_pos", 3), ("root_rot", 4), ("dof_pos", robot.num_joints)):
        values = data[key]
        if (
            not isinstance(values, np.ndarray)
            or values.ndim != 2
            or values.shape[1] != width
            or values.dtype.kind not in "fiu"
        ):
            raise MotionError(
                f"{path}: {key} is {_describe(values)}; allowed: (frames, {width}) numbers. Robot"
                f" {robot.name!r} has the joints"
                f" {', '.join(robot.joint_names)}; for a clip of another robot pass robot, or"
                " retarget the motion again."
            )
        check_finite(values, path, key)
        arrays[key] = values
    fps = check_fps(options.fps or data["fps"], path, "fps")
    quat = arrays["root_rot"][:, [3, 0, 1, 2]]
    notes = (
        "root_rot: x, y, z, w",
        f"dof_pos: the joints of {robot.name!r} in its order, since the file names none",
    )
    source, licence = _origin(data, path)
    options = replace(options, source=options.source or source, license=options.license or licence)
    return robot_clip(path, robot, fps, arrays["root_pos"], quat, arrays["dof_pos"], options, notes)


def _origin(data: dict[str, Any], path: Path) -> tuple[str, str]:
    """Return source and license of the human clip that the file names, by the last folders of its
    path.
    """
    human = str(data.get("source_file", path.name)).replace("\\", "/").split("/")
    licence = (
        "AMASS licence, non-commercial research"
        if "amass" in [part.lower() for part in human]
        else ""
    )
    return f"GMR, from {'/'.join(human[-3:])}", licence


def _describe(values: object) -> str:
    return (
        f"an array of shape {values.shape}"
        if isinstance(values, np.ndarray)
        else f"a {type(values).__name__}"
    )
