"""Clips: what is kept, what is refused, and mirror images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion import storage
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.robot import RobotModel


def test_a_saved_clip_is_the_clip(clip: MotionClip, wildrobot: RobotModel, tmp_path: Path) -> None:
    loaded = MotionClip.load(clip.save(tmp_path / "new" / "clip.npz")).check(wildrobot)
    assert loaded.description() == clip.description()
    for name in ("root_pos", "root_quat", "joint_pos", "pad_forces"):
        np.testing.assert_allclose(getattr(loaded, name), getattr(clip, name), atol=1e-6)
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["clip.npz"], (
        "no temporary file is left"
    )


def test_a_clip_without_forces_stays_without(clip: MotionClip, tmp_path: Path) -> None:
    assert (
        MotionClip.load(replace(clip, pad_forces=None).save(tmp_path / "clip.npz")).pad_forces
        is None
    )


def test_velocities_as_performed_are_kept(
    clip: MotionClip, wildrobot: RobotModel, tmp_path: Path
) -> None:
    qvel = np.arange(51 * 15, dtype=np.float32).reshape(51, 15)
    performed = replace(clip, qvel=qvel)
    np.testing.assert_array_equal(
        MotionClip.load(performed.save(tmp_path / "a.npz")).check(wildrobot).qvel, qvel
    )
    assert MotionClip.load(clip.save(tmp_path / "b.npz")).qvel is None
    assert performed.resampled(50.0).qvel is qvel and performed.resampled(100.0).qvel is None


def test_velocities_are_mirrored_as_vectors(clip: MotionClip, wildrobot: RobotModel) -> None:
    """Velocity (1, 2, 3) and angular velocity (4, 5, 6): their images are (1, -2, 3) and (-4, 5,
    -6).
    """
    qvel = np.tile([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, *range(10, 19)], (51, 1))
    performed = replace(clip, qvel=qvel)
    image = performed.mirrored(wildrobot)
    assert image.qvel is not None
    np.testing.assert_array_equal(image.qvel[0, :6], [1.0, -2.0, 3.0, -4.0, 5.0, -6.0])
    # waist yaw turns the other way; hip pitches of the two sides have opposite signs, knees the
    # same.
    np.testing.assert_array_equal(image.qvel[0, 6:10], [-10.0, -15.0, -16.0, 17.0])
    np.testing.assert_array_equal(image.mirrored(wildrobot).qvel, qvel)


def test_joints_are_reordered_by_name(clip: MotionClip, wildrobot: RobotModel) -> None:
    order = np.roll(np.arange(9), 4)
    shuffled = replace(
        clip,
        joint_names=tuple(clip.joint_names[i] for i in order),
        joint_pos=clip.joint_pos[:, order],
    )
    velocity = np.concatenate([np.zeros((51, 6)), shuffled.joint_pos], axis=-1)
    checked = replace(shuffled, qvel=velocity).check(wildrobot)
    np.testing.assert_array_equal(checked.qvel[:, 6:], clip.joint_pos)
    assert checked.joint_names == wildrobot.joint_names
    np.testing.assert_array_equal(checked.joint_pos, clip.joint_pos)


def nan_at(values: np.ndarray, frame: int) -> np.ndarray:
    out = np.array(values)
    out[frame, 0] = np.nan
    return out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: {"robot": "other"}, "'other', not 'wildrobot'"),
        (lambda c: {"joint_names": ("elbow", *c.joint_names[1:])}, "elbow.*waist_yaw"),
        (lambda c: {"fps": 0.0}, "fps 0"),
        (lambda c: {"fps": float("nan")}, "fps nan"),
        (lambda c: {"joint_pos": nan_at(c.joint_pos, 7)}, "joint_pos has a NaN.*frame 7"),
        (lambda c: {"pad_forces": nan_at(c.pad_forces, 3)}, "pad_forces has a NaN.*frame 3"),
        (lambda c: {"root_pos": c.root_pos[:-1]}, "root_pos 50.*joint_pos 51"),
        (
            lambda c: {"pad_forces": c.pad_forces[:, :3]},
            r"pad_forces has shape \(51, 3\).*\(frames, 4\)",
        ),
        (lambda c: {"qvel": np.zeros((51, 14))}, r"qvel has shape \(51, 14\).*\(frames, 15\)"),
        (lambda c: {"qvel": nan_at(np.zeros((51, 15)), 9)}, "qvel has a NaN.*frame 9"),
        (lambda c: {"root_quat": 1.1 * c.root_quat}, "length 1.1"),
        (
            lambda c: {
                n: getattr(c, n)[:1] for n in ("root_pos", "root_quat", "joint_pos", "pad_forces")
            },
            "1 frame",
        ),
    ],
)
def test_what_does_not_fit_is_refused(
    clip: MotionClip, wildrobot: RobotModel, change: Any, message: str
) -> None:
    with pytest.raises(MotionError, match=message):
        replace(clip, **change(clip)).check(wildrobot)


def test_the_file_is_named_where_it_is_given(clip: MotionClip, wildrobot: RobotModel) -> None:
    with pytest.raises(MotionError, match=r"some/file\.npz"):
        replace(clip, fps=-1.0).check(wildrobot, "some/file.npz")


def test_files_that_are_no_clips_are_refused(clip: MotionClip, tmp_path: Path) -> None:
    with pytest.raises(MotionError, match="does not exist"):
        MotionClip.load(tmp_path / "absent.npz")
    whole = clip.save(tmp_path / "clip.npz").read_bytes()
    truncated = tmp_path / "truncated.npz"
    truncated.write_bytes(whole[: len(whole) // 2])
    foreign = tmp_path / "foreign.npz"
    np.savez(foreign, a=np.zeros(3))
    text = tmp_path / "text.npz"
    text.write_text("not an archive")
    for path in (truncated, foreign, text):
        with pytest.raises(MotionError, match=f"{path.name}.*truncated or no"):
            MotionClip.load(path)
    other = storage.write(tmp_path / "other.npz", "something else", {}, {})
    with pytest.raises(MotionError, match="'something else'"):
        MotionClip.load(other)
    bare = storage.write(
        tmp_path / "bare.npz", "wildrobot motion clip", {"root_pos": np.zeros((2, 3))}, {}
    )
    with pytest.raises(MotionError, match="has no arrays root_quat, joint_pos"):
        MotionClip.load(bare)


def test_a_pickle_inside_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "pickle.npz"
    np.savez(path, metadata=np.array({"kind": "wildrobot motion clip"}, dtype=object))
    with pytest.raises(MotionError):
        MotionClip.load(path)


def test_the_mirror_image_changes_sides(clip: MotionClip, wildrobot: RobotModel) -> None:
    image = clip.mirrored(wildrobot)
    left, right = (
        wildrobot.joint_names.index("left_hip_pitch"),
        wildrobot.joint_names.index("right_hip_pitch"),
    )
    np.testing.assert_allclose(image.joint_pos[:, right], -clip.joint_pos[:, left])
    np.testing.assert_allclose(image.root_pos[:, 1], -clip.root_pos[:, 1])
    np.testing.assert_allclose(image.root_quat[:, 3], -clip.root_quat[:, 3])
    np.testing.assert_allclose(image.pad_forces, np.tile([6.0, 5.0, 8.0, 7.0], (51, 1)))
    assert image.command == (0.5, -0.02, -0.3)


def test_mirrored_twice_is_the_clip(clip: MotionClip, wildrobot: RobotModel) -> None:
    twice = clip.mirrored(wildrobot).mirrored(wildrobot)
    assert twice.description() == clip.description()
    assert (
        clip.mirrored(wildrobot).motion_id == clip.motion_id
    )  # held out together, or its twin would be learned from
    np.testing.assert_array_equal(twice.joint_pos, clip.joint_pos)
    np.testing.assert_array_equal(twice.root_quat, clip.root_quat)


def test_a_clip_too_short_for_the_rate_is_refused(clip: MotionClip) -> None:
    """Four frames of 240 a second are less than one control step."""
    parts = {
        name: getattr(clip, name)[:4]
        for name in ("root_pos", "root_quat", "joint_pos", "pad_forces")
    }
    with pytest.raises(MotionError, match=r"lasts 0\.013 s, one frame at 50 a second"):
        replace(clip, fps=240.0, **parts).resampled(50.0)


def test_resampling_follows_the_motion(clip: MotionClip) -> None:
    fine = clip.resampled(120.0)
    time = np.arange(fine.num_frames) / 120.0
    assert fine.duration_s == pytest.approx(clip.duration_s, abs=1 / 120)
    np.testing.assert_allclose(
        fine.joint_pos[:, 1], 0.25 + 0.2 * np.sin(2 * np.pi * time), atol=2e-5
    )
    np.testing.assert_allclose(
        2 * np.arctan2(fine.root_quat[:, 3], fine.root_quat[:, 0]), 0.3 * time, atol=1e-6
    )
    np.testing.assert_allclose(fine.pad_forces, np.tile([8.0, 7.0, 6.0, 5.0], (len(time), 1)))
    assert clip.resampled(50.0) is clip
    with pytest.raises(MotionError, match="fps 0"):
        clip.resampled(0.0)


def test_a_short_clip_can_be_resampled(clip: MotionClip) -> None:
    """Two frames are the least that a clip may have, and their quaternions may have opposite
    signs.
    """
    quat = clip.root_quat[:2] * np.array([[1.0], [-1.0]])
    short = replace(
        clip,
        root_pos=clip.root_pos[:2],
        root_quat=quat,
        joint_pos=clip.joint_pos[:2],
        pad_forces=None,
    )
    fine = short.resampled(200.0)
    assert fine.num_frames == 5
    assert np.sum(fine.root_quat[1:] * fine.root_quat[:-1], axis=-1).min() > 0.999


def test_commands_of_frames_are_kept_resampled_and_mirrored(
    clip: MotionClip, wildrobot: RobotModel, tmp_path: Path
) -> None:
    """51 frames at 50 Hz: a yaw rate that rises from 0 to 1 rad/s, and 0.2 m/s to the left."""
    commands = np.zeros((51, 3), np.float32)
    commands[:, 1], commands[:, 2] = 0.2, np.linspace(0.0, 1.0, 51)
    varied = replace(clip, commands=commands)
    loaded = MotionClip.load(varied.save(tmp_path / "varied.npz")).check(wildrobot)
    np.testing.assert_array_equal(loaded.commands, commands)
    np.testing.assert_allclose(varied.commands_at(25.0)[:, 2], np.linspace(0.0, 1.0, 26), atol=1e-6)
    image = varied.mirrored(wildrobot)
    np.testing.assert_allclose(image.commands, commands * [1.0, -1.0, -1.0])
    # Where the command does not vary, each frame has the clip's.
    assert clip.commands is None and clip.commands_at(25.0).shape == (26, 3)
    np.testing.assert_allclose(clip.commands_at(25.0), np.tile(clip.command, (26, 1)), atol=1e-6)
    with pytest.raises(MotionError, match="commands"):
        replace(varied, commands=commands[:50]).check(wildrobot)
