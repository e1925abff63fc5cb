"""Clips as the tracking tasks of BeyondMimic, mjlab and Isaac Lab have them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.gait.build import walk_clip
from wildrobot_gym.motion.importers import ImportOptions, load
from wildrobot_gym.robot import RobotModel

FRAMES = 20


@pytest.fixture(scope="module")
def walk(wildrobot: RobotModel) -> MotionClip:
    return walk_clip(wildrobot, 0.3)


def tracking(clip: MotionClip) -> dict[str, Any]:
    """The first frames as mjlab's csv_to_npz writes them: two bodies, the base first."""
    pos, quat = clip.root_pos[:FRAMES], clip.root_quat[:FRAMES]
    return {
        "fps": np.array([clip.fps]),
        "joint_pos": clip.joint_pos[:FRAMES].astype(np.float32),
        "joint_vel": np.zeros((FRAMES, 9)),
        "body_pos_w": np.stack([pos, pos + 1.0], axis=1),
        "body_quat_w": np.stack([quat, quat], axis=1),
    }


def written(folder: Path, arrays: dict[str, Any]) -> Path:
    path = folder / "motion.npz"
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


def check_walk(clip: Any, walk: MotionClip) -> None:
    assert isinstance(clip, MotionClip) and clip.fps == walk.fps
    for name in ("root_pos", "root_quat", "joint_pos"):
        np.testing.assert_allclose(getattr(clip, name), getattr(walk, name)[:FRAMES], atol=1e-6)


def test_joints_without_names_are_the_robot_s(tmp_path: Path, walk: MotionClip) -> None:
    clip: Any = load(written(tmp_path, tracking(walk)))
    check_walk(clip, walk)
    assert "since the file names none" in clip.metadata["notes"][0]


def test_names_decide_the_order_of_joints_and_bodies(
    tmp_path: Path, wildrobot: RobotModel, walk: MotionClip
) -> None:
    arrays = tracking(walk)
    arrays["joint_pos"] = arrays["joint_pos"][:, ::-1]
    arrays["joint_names"] = np.array(wildrobot.joint_names[::-1])
    for name in ("body_pos_w", "body_quat_w"):
        arrays[name] = arrays[name][:, ::-1]
    arrays["body_names"] = np.array(["torso", wildrobot.model.body(1).name])
    check_walk(load(written(tmp_path, arrays)), walk)


def test_isaac_lab_s_names_are_read(
    tmp_path: Path, wildrobot: RobotModel, walk: MotionClip
) -> None:
    ours = tracking(walk)
    arrays = {
        "fps": np.array(50),
        "dof_names": np.array(wildrobot.joint_names),
        "dof_positions": ours["joint_pos"],
        "body_positions": ours["body_pos_w"],
        "body_rotations": ours["body_quat_w"],
    }
    check_walk(load(written(tmp_path, arrays)), walk)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda a: {"joint_pos": np.zeros((FRAMES, 29))},
            "has 29 joints: it names none. Robot 'wildrobot' has 9: waist_yaw, left_hip_pitch",
        ),
        (
            lambda a: {"joint_names": np.array([f"joint_{i}" for i in range(9)])},
            "has 9 joints: joint_0, joint_1, .*Robot 'wildrobot' has 9: waist_yaw",
        ),
        (lambda a: {"body_quat_w": None}, "has no body_quat_w"),
        (lambda a: {"body_pos_w": np.zeros((FRAMES, 3))}, r"allowed: joint_pos \(frames, joints\)"),
        (lambda a: {"body_pos_w": np.zeros((FRAMES, 3, 3))}, "allowed: joint_pos"),
        (lambda a: {"joint_pos": np.zeros(9)}, "allowed: joint_pos"),
        (lambda a: {"fps": None}, "does not say its frame rate"),
        (lambda a: {"fps": np.array([0])}, "fps means 0"),
        (lambda a: {"body_pos_w": np.full((FRAMES, 2, 3), np.nan)}, "body_pos_w has a NaN"),
        (lambda a: {"body_pos_w": 100.0 * a["body_pos_w"]}, "in centimeters. Pass scale 0.01"),
        (lambda a: {"joint_pos": np.degrees(a["joint_pos"])}, "as degrees"),
    ],
)
def test_what_does_not_fit_is_named(
    tmp_path: Path, walk: MotionClip, change: Any, message: str
) -> None:
    arrays = tracking(walk)
    with pytest.raises(MotionError, match=rf"motion\.npz.*{message}"):
        load(written(tmp_path, arrays | change(arrays)))


def test_a_frame_rate_and_a_part_can_be_given(tmp_path: Path, walk: MotionClip) -> None:
    clip: Any = load(
        written(tmp_path, tracking(walk) | {"fps": None}), ImportOptions(fps=50.0, end=0.1)
    )
    assert (clip.fps, clip.num_frames) == (50.0, 6)
