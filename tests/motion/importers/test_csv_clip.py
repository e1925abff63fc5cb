"""CSV clips: a header names every column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.importers import ImportOptions, load
from wildrobot_gym.robot import RobotModel

ROWS = 6


def written(folder: Path, robot: RobotModel, change: Any = None) -> Path:
    """0.1 m/s ahead and a turn of 0.5 rad/s at 20 fps; each joint holds its number times 0.01.

    Columns are shuffled.
    """
    time = np.arange(ROWS) / 20.0
    columns: dict[str, Any] = {
        f"{name}": 0.01 * i + 0.0 * time for i, name in enumerate(robot.joint_names)
    }
    columns |= {
        "time": time,
        "root_z": 0.46 + 0.0 * time,
        "root_qw": np.cos(0.25 * time),
        "root_qx": 0.0 * time,
    }
    columns |= {
        "root_x": 0.1 * time,
        "root_y": 0.0 * time,
        "root_qy": 0.0 * time,
        "root_qz": np.sin(0.25 * time),
    }
    if change is not None:
        change(columns)
    path = folder / "clip.csv"
    rows = [
        ", ".join(columns),
        *(",".join(str(x) for x in row) for row in zip(*columns.values(), strict=True)),
    ]
    path.write_text("\n".join(rows) + "\n")
    return path


def test_columns_are_read_by_name(tmp_path: Path, wildrobot: RobotModel) -> None:
    clip: Any = load(written(tmp_path, wildrobot), ImportOptions(source="me", license="CC0"))
    assert (clip.fps, clip.num_frames, clip.joint_names) == (20.0, ROWS, wildrobot.joint_names)
    np.testing.assert_allclose(clip.joint_pos[2], 0.01 * np.arange(9))
    np.testing.assert_allclose(clip.root_pos[-1], [0.025, 0.0, 0.46])
    np.testing.assert_allclose(clip.root_quat[-1], [np.cos(0.0625), 0, 0, np.sin(0.0625)])
    yaw = 0.5 * (np.arange(ROWS - 1) + 0.5) / 20.0  # in the middle of each step, which goes along x
    np.testing.assert_allclose(
        clip.command, [0.1 * np.cos(yaw).mean(), -0.1 * np.sin(yaw).mean(), 0.5], atol=1e-9
    )
    assert (clip.source, clip.licence) == ("me", "CC0")
    assert clip.metadata["notes"][-1] == "beyond the joint limits: nothing"


def test_joints_beyond_their_limits_are_noted(tmp_path: Path, wildrobot: RobotModel) -> None:
    clip: Any = load(written(tmp_path, wildrobot, put("left_knee_pitch", 1, -0.1)))
    assert clip.metadata["notes"][-1] == "beyond the joint limits: left_knee_pitch by 0.100 rad"


def test_a_part_can_be_taken(tmp_path: Path, wildrobot: RobotModel) -> None:
    clip: Any = load(written(tmp_path, wildrobot), ImportOptions(start=0.05, end=0.15))
    np.testing.assert_allclose(clip.root_pos[:, 0], [0.005, 0.01, 0.015])


def test_without_times_the_rate_is_an_option(tmp_path: Path, wildrobot: RobotModel) -> None:
    path = written(tmp_path, wildrobot, lambda columns: columns.pop("time"))
    assert load(path, ImportOptions(fps=25.0)).fps == 25.0
    with pytest.raises(MotionError, match=r"clip\.csv has no column 'time'.*pass fps"):
        load(path)


def put(name: str, row: int, value: Any) -> Any:
    def change(columns: dict[str, Any]) -> None:
        columns[name] = [*columns[name]]
        columns[name][row] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("waist_yaw"), "Missing columns: waist_yaw"),
        (
            lambda c: c.update(waist=c.pop("waist_yaw")),
            "Unknown column 'waist'. Did you mean 'waist_yaw'",
        ),
        (put("root_y", 2, "nan"), "NaN or infinity.*first in frame 2"),
        (put("root_y", 2, "left"), "no number.*left"),
        (put("root_y", 2, "1,2"), "row 4 has 18 values, the header 17"),
        (put("time", 2, 0.3), "evenly"),
        (put("root_qw", 2, 3.0), "root_quat in frame 2"),
    ],
)
def test_what_does_not_fit_is_named(
    tmp_path: Path, wildrobot: RobotModel, change: Any, message: str
) -> None:
    with pytest.raises(MotionError, match=rf"clip\.csv.*{message}"):
        load(written(tmp_path, wildrobot, change))


def test_a_header_alone_or_one_row_is_no_motion(tmp_path: Path, wildrobot: RobotModel) -> None:
    path = written(tmp_path, wildrobot)
    lines = path.read_text().splitlines()
    for rows in (1, 2):
        path.write_text("\n".join(lines[:rows]))
        with pytest.raises(MotionError, match=rf"clip\.csv has {rows - 1} row"):
            load(path)
        with pytest.raises(MotionError, match=rf"clip\.csv has {rows - 1} frame"):
            load(path, ImportOptions(fps=50.0))


def headless(folder: Path, robot: RobotModel, joints: int | None = None, end: str = "") -> Path:
    """The same motion as Unitree's files have it: no header, quaternion x, y, z, w, joints."""
    time = np.arange(ROWS) / 20.0
    count = robot.num_joints if joints is None else joints
    columns = [0.1 * time, 0.0 * time, 0.46 + 0.0 * time, 0.0 * time, 0.0 * time]
    columns += [np.sin(0.25 * time), np.cos(0.25 * time)]
    columns += [0.01 * i + 0.0 * time for i in range(count)]
    path = folder / "walk1_subject1.csv"
    path.write_text("\n".join(",".join(map(str, row)) + end for row in np.transpose(columns)))
    return path


@pytest.mark.parametrize("end", ["", ",", " "])
def test_a_file_without_a_header_is_read_by_position(
    tmp_path: Path, wildrobot: RobotModel, end: str
) -> None:
    clip: Any = load(headless(tmp_path, wildrobot, end=end), ImportOptions(fps=20.0))
    named: Any = load(written(tmp_path, wildrobot))
    for name in ("root_pos", "root_quat", "joint_pos"):
        np.testing.assert_allclose(getattr(clip, name), getattr(named, name), atol=1e-12)
    assert "no header: x, y, z, qx, qy, qz, qw" in clip.metadata["notes"][0]


def test_another_robot_s_file_is_told_with_both_lists(
    tmp_path: Path, wildrobot: RobotModel
) -> None:
    with pytest.raises(
        MotionError,
        match=r"walk1_subject1\.csv has no header and 36 columns: .* 29 joints without names\."
        r" 29 joints has Unitree's G1\. Robot 'wildrobot' has 9: waist_yaw, .*Pass the robot",
    ):
        load(headless(tmp_path, wildrobot, joints=29), ImportOptions(fps=30.0))
    with pytest.raises(MotionError, match=r"no frame rate.*pass fps \(Unitree's files have 30\)"):
        load(headless(tmp_path, wildrobot))
    path = headless(tmp_path, wildrobot)
    path.write_text(path.read_text().replace("0.46", "0.46,1", 1))
    with pytest.raises(MotionError, match=r"row 2 has 16 values, the first row 17|17 columns"):
        load(path, ImportOptions(fps=20.0))
