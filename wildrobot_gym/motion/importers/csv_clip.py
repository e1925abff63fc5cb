"""Robot motion as CSV, one line for each frame.

With a header, columns may have any order: root_x, root_y, root_z (m), root_qw, root_qx, root_qy,
root_qz, every joint of the robot by its name (rad), and `time` (s, evenly spaced). Without `time`,
pass fps.

Without a header, as Unitree's, BeyondMimic's and mjlab's files are: x, y, z, qx, qy, qz, qw, and
the joints in the robot's order. Pass fps.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from wildrobot_gym.errors import MotionError, unknown_name
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.import_options import ImportOptions
from wildrobot_gym.motion.importers.reading import check_finite, check_fps, numbers, read_text
from wildrobot_gym.motion.importers.robot_clip import robot_clip
from wildrobot_gym.robot import RobotModel

_POSITION, _QUAT = ("root_x", "root_y", "root_z"), ("root_qw", "root_qx", "root_qy", "root_qz")
_TIME = "time"
ROBOTS = {29: "Unitree's G1", 23: "Unitree's G1 (23 joints)", 19: "Unitree's H1"}  # by joints


def load_csv(path: Path, options: ImportOptions) -> MotionClip:
    """Load a clip from a .csv.

    Raises:
        MotionError: A column is unknown, missing or there twice, lines differ in length, times are
            uneven, or a value is not finite.
    """
    robot = RobotModel.load(options.robot)
    rows = [
        [cell.strip() for cell in line.split(",")]
        for line in read_text(path).splitlines()
        if line.strip()
    ]
    needed = (*_POSITION, *_QUAT, *robot.joint_names)
    headless = _is_numbers(rows[0])
    if headless:
        rows = [row[:-1] if row[-1] == "" else row for row in rows]  # some end with a comma
        header = _headless_columns(len(rows[0]), robot, path)
    else:
        header, rows = rows[0], rows[1:]
    missing = [name for name in needed if name not in header]
    unknown = [name for name in header if name not in (*needed, _TIME)]
    if missing or unknown or len(set(header)) != len(header):
        hint = f" {unknown_name('column', unknown[0], (*needed, _TIME))}" if unknown else ""
        raise MotionError(
            f"{path} does not fit robot {robot.name!r}. Missing columns:"
            f" {', '.join(missing) or 'none'}.{hint} Its columns, each allowed once:"
            f" {', '.join(header)}."
        )
    for number, row in enumerate(rows, start=1 if headless else 2):
        if len(row) != len(header):
            raise MotionError(
                f"{path}: row {number} has {len(row)} values, the"
                f" {'first row' if headless else 'header'} {len(header)}."
                " Repair or export it again."
            )
    values = numbers([cell for row in rows for cell in row], path, "a row").reshape(-1, len(header))
    check_finite(values, path, "a column")
    columns = dict(zip(header, values.T, strict=True))
    fps = options.fps or _rate(columns.get(_TIME), path)
    root_pos, root_quat = (
        np.stack([columns[name] for name in names], axis=-1) for names in (_POSITION, _QUAT)
    )
    joint_pos = np.stack([columns[name] for name in robot.joint_names], axis=-1)
    given = check_fps(fps, path, "fps")
    notes = (
        f"no header: x, y, z, qx, qy, qz, qw, and the joints of {robot.name!r} in its order"
        if headless
        else "joints by name"
    )
    return robot_clip(path, robot, given, root_pos, root_quat, joint_pos, options, (notes,))


def _is_numbers(row: list[str]) -> bool:
    try:
        [float(cell) for cell in row if cell]
    except ValueError:
        return False
    return any(row)


def _headless_columns(count: int, robot: RobotModel, path: Path) -> list[str]:
    """Return the names of the columns of a file without a header.

    Raises:
        MotionError: It has another number of joints than the robot.
    """
    root = [*_POSITION, *(f"root_q{axis}" for axis in "xyzw")]
    if count != len(root) + robot.num_joints:
        joints = count - len(root)
        hint = f" {joints} joints has {ROBOTS[joints]}." if joints in ROBOTS else ""
        raise MotionError(
            f"{path} has no header and {count} columns: x, y, z, qx, qy, qz, qw and {joints} joints"
            f" without names.{hint} Robot {robot.name!r} has {robot.num_joints}:"
            f" {', '.join(robot.joint_names)}. Pass the robot of the file, retarget the human"
            " motion to this one, or add a header."
        )
    return [*root, *robot.joint_names]


def _rate(time: np.ndarray | None, path: Path) -> float:
    if time is None:
        raise MotionError(
            f"{path} has no column {_TIME!r}, and so no frame rate. Add it (s), or pass fps"
            " (Unitree's files have 30)."
        )
    if len(time) < 2:
        raise MotionError(
            f"{path} has {len(time)} row(s) below its header; at least 2 are needed to know"
            " velocities."
        )
    steps = np.diff(time)
    if (
        steps.min() <= 0 or np.ptp(steps) > 0.1 * steps.mean()
    ):  # times rounded to ms at 100 fps differ by 10 %
        raise MotionError(
            f"{path}: {_TIME} advances by {steps.min():g} to {steps.max():g} s; allowed: evenly."
            " Resample it."
        )
    return len(steps) / float(time[-1] - time[0])
