"""Robot clips as the tracking tasks of BeyondMimic, mjlab and Isaac Lab read them: .npz with joints
and bodies.

BeyondMimic and mjlab write fps, joint_pos, body_pos_w and body_quat_w (w, x, y, z), some with
joint_names and body_names. Isaac Lab's AMP task calls them dof_positions, body_positions,
body_rotations and dof_names. Bodies are in the world, and the base is the first of them.
Velocities are not read: they follow from the poses.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from wildrobot_gym import npz_io
from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.import_options import ImportOptions
from wildrobot_gym.motion.importers.reading import check_finite, check_fps, read_npz
from wildrobot_gym.motion.importers.robot_clip import robot_clip
from wildrobot_gym.robot import RobotModel

JOINT_ARRAYS = {  # and the arrays that go with it: positions and orientations of bodies, names
    "joint_pos": ("body_pos_w", "body_quat_w", "joint_names"),
    "dof_positions": ("body_positions", "body_rotations", "dof_names"),
}


def load_tracking(path: Path, options: ImportOptions) -> MotionClip:
    """Load a clip from a tracking task's .npz.

    Raises:
        MotionError: The file is damaged, an array is missing or has another shape, the joints are
            not the robot's, or the motion cannot be its own.
    """
    robot = RobotModel.load(options.robot)
    joints = next(name for name in JOINT_ARRAYS if name in npz_io.names(path))
    positions, rotations, names = JOINT_ARRAYS[joints]
    arrays = read_npz(path, (joints, positions, rotations), "clip of a tracking task")
    shapes = {name: arrays[name].shape for name in (joints, positions, rotations)}
    frames = shapes[joints][0] if shapes[joints] else 0
    if (
        len(shapes[joints]) != 2
        or shapes[positions][:1] + shapes[positions][2:] != (frames, 3)
        or shapes[rotations] != (*shapes[positions][:2], 4)
    ):
        raise MotionError(
            f"{path} has {shapes}; allowed: {joints} (frames, joints), {positions} (frames, bodies,"
            f" 3), {rotations} (frames, bodies, 4)."
        )
    order, note = _joint_order(arrays.get(names), shapes[joints][1], robot, path)
    base, found = _base(arrays.get("body_names"), robot)
    root_pos, quat = arrays[positions][:, base], arrays[rotations][:, base]
    for name, values in ((joints, arrays[joints]), (positions, root_pos), (rotations, quat)):
        check_finite(values, path, name)
    rate = options.fps or (arrays["fps"].flat[0] if arrays.get("fps", np.zeros(0)).size else None)
    if rate is None:
        raise MotionError(f"{path} does not say its frame rate (fps). Pass fps.")
    fps = check_fps(rate, path, "fps")
    joint_pos = arrays[joints][:, order]
    notes = (note, f"base: body {found}, {rotations} as w, x, y, z")
    return robot_clip(path, robot, fps, root_pos, quat, joint_pos, options, notes)


def _joint_order(
    names: np.ndarray | None, count: int, robot: RobotModel, path: Path
) -> tuple[list[int], str]:
    """Return the file's column for each joint of the robot, and a note about it.

    Raises:
        MotionError: The file has other joints.
    """
    theirs = [] if names is None else [str(name) for name in names.ravel()]
    if names is None and count == robot.num_joints:
        return list(range(count)), (
            f"joints: those of {robot.name!r} in its order, since the file names none"
        )
    if len(theirs) == count and sorted(theirs) == sorted(robot.joint_names):
        return [theirs.index(name) for name in robot.joint_names], "joints by name"
    raise MotionError(
        f"{path} has {count} joints: {', '.join(theirs) or 'it names none'}. Robot {robot.name!r}"
        f" has {robot.num_joints}: {', '.join(robot.joint_names)}. Pass the robot of the file, or"
        " retarget the human motion to this one."
    )


def _base(names: np.ndarray | None, robot: RobotModel) -> tuple[int, str]:
    """Return index and name of the robot's base among the file's bodies: the first by default."""
    bodies = [] if names is None else [str(name) for name in names.ravel()]
    base = robot.model.body(1).name
    if base in bodies:
        return bodies.index(base), repr(base)
    return 0, repr(bodies[0]) if bodies else "0"
