"""The reference dataset: windows that never span clips, samples, initial states with their real
past, and its file.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion import storage
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.clip_files import load_clips, save_clips
from wildrobot_gym.motion.gait.build import build_clips, default_reference_path, walk_clip
from wildrobot_gym.motion.reference import ReferenceDataset
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import FeatureConfig, HistoryConfig
from wildrobot_gym.task.features import feature_dim, feature_layout
from wildrobot_gym.task.history import window

CONFIG = FeatureConfig(history=HistoryConfig(frames=3, stride=2))


@pytest.fixture
def dataset(wildrobot: RobotModel, clip: MotionClip) -> ReferenceDataset:
    """Two clips that cannot be confused: the second is 20 mm higher, runs at 0.3 m/s and ends
    earlier.
    """
    other = replace(
        clip,
        name="other",
        root_pos=clip.root_pos[:31] * [0.6, 1.0, 1.0] + [0.0, 0.0, 0.02],
        root_quat=clip.root_quat[:31],
        joint_pos=clip.joint_pos[:31],
        pad_forces=clip.pad_forces[:31],
        command=(0.3, 0.0, 0.3),
    )
    return ReferenceDataset.from_clips(wildrobot, CONFIG, [clip, other])


def test_windows_stay_inside_clips(dataset: ReferenceDataset, wildrobot: RobotModel) -> None:
    windows = dataset.windows
    assert (
        windows.shape == (47 + 27, feature_dim(feature_layout(wildrobot, CONFIG)))
        and windows.dtype == np.float32
    )
    heights = windows.reshape(len(windows), 3, -1)[:, :, 24]
    np.testing.assert_allclose(
        heights, np.repeat([0.4589, 0.4789], [47, 27])[:, None].repeat(3, 1), atol=1e-5
    )


def test_frames_know_their_clip(dataset: ReferenceDataset) -> None:
    assert len(dataset) == 82 == len(dataset.features)
    np.testing.assert_array_equal(dataset.clip_ids, np.repeat([0, 1], [51, 31]))
    assert [c.name for c in dataset.clips] == ["test", "other"]


def test_better_segments_are_drawn_more_often(
    dataset: ReferenceDataset, wildrobot: RobotModel
) -> None:
    """Scores 2 and 0 at temperature 2: e to 1 for each window; segments of one motion share its
    id.
    """
    first, second = (
        replace(c, metadata={"score": s, "motion_id": "m"})
        for c, s in zip(dataset.clips, (2, 0), strict=True)
    )
    weights, motions = ReferenceDataset.from_clips(wildrobot, CONFIG, [first, second]).sampling(2.0)
    assert len(weights) == len(motions) == len(dataset.windows)
    assert weights[0] / weights[-1] == pytest.approx(np.e)
    assert set(motions) == {0}
    weights, motions = dataset.sampling()
    assert set(weights) == {1.0}
    np.testing.assert_array_equal(motions, np.repeat([1, 0], [47, 27]))  # by name: other, test
    with pytest.raises(MotionError, match="temperature of sampling is 0"):
        dataset.sampling(0)


def test_statistics_scale_a_channel_alike_at_every_age(dataset: ReferenceDataset) -> None:
    mean, std = dataset.statistics()
    np.testing.assert_allclose(
        mean.reshape(3, -1), np.tile(dataset.features.mean(axis=0), (3, 1)), atol=1e-5
    )
    np.testing.assert_allclose(
        std.reshape(3, -1), np.tile(dataset.features.std(axis=0), (3, 1)), atol=1e-5
    )


def test_sequences_run_on_inside_one_clip(dataset: ReferenceDataset) -> None:
    sequences = dataset.sample_sequences(np.random.default_rng(1), 300, 31)
    assert sequences.shape == (300, 31, 29)
    assert np.ptp(sequences[:, :, 24], axis=1).max() < 1e-5
    rows = {row.tobytes(): i for i, row in enumerate(dataset.features[:51])}
    first = next(s for s in sequences if s[0, 24] < 0.47)
    start = rows[first[0].tobytes()]
    np.testing.assert_array_equal(first, dataset.features[start : start + 31])
    # Only the longer clip has 51 frames.
    assert dataset.sample_sequences(np.random.default_rng(1), 4, 51).shape == (4, 51, 29)
    with pytest.raises(MotionError, match="1 to 51"):
        dataset.sample_sequences(np.random.default_rng(1), 4, 52)


def test_initial_states_bring_their_real_past(dataset: ReferenceDataset) -> None:
    states = dataset.initial_states()
    assert states.qpos.shape == (74, 16) and states.history.shape == (74, 4, 29)
    np.testing.assert_array_equal(states.qpos[:, :2], 0.0)
    np.testing.assert_allclose(states.qvel[:, 0], np.repeat([0.5, 0.3], [47, 27]), atol=1e-4)
    np.testing.assert_allclose(states.commands[[0, -1]], [[0.5, 0.02, 0.3], [0.3, 0.0, 0.3]])
    np.testing.assert_array_equal(
        window(states.history, states.features, CONFIG.history), dataset.windows
    )
    np.testing.assert_array_equal(states.clip_ids, np.repeat([0, 1], [47, 27]))


def test_a_saved_dataset_is_the_dataset(
    dataset: ReferenceDataset, wildrobot: RobotModel, tmp_path: Path
) -> None:
    path = dataset.save(tmp_path / "reference.npz")
    loaded = ReferenceDataset.load(path, wildrobot, CONFIG)
    np.testing.assert_allclose(loaded.features, dataset.features, atol=1e-4)
    assert [c.description() for c in loaded.clips] == [c.description() for c in dataset.clips]
    other = ReferenceDataset.load(
        path, wildrobot, FeatureConfig(contacts="none", root_velocity="raw")
    )
    assert other.features.shape == (82, 25), "a file serves any feature config"


def test_clips_with_and_without_forces_share_a_file(
    clip: MotionClip, wildrobot: RobotModel, tmp_path: Path
) -> None:
    path = save_clips(tmp_path / "mixed.npz", [clip, replace(clip, name="blind", pad_forces=None)])
    assert [c.pad_forces is None for c in load_clips(path, wildrobot)] == [False, True]
    assert [c.qvel for c in load_clips(path, wildrobot)] == [None, None]
    with pytest.raises(MotionError, match="'blind' has no pad forces"):
        ReferenceDataset.load(path, wildrobot, CONFIG)


def test_clips_with_and_without_velocities_share_a_file(
    clip: MotionClip, wildrobot: RobotModel, tmp_path: Path
) -> None:
    qvel = np.full((51, 15), 0.5)
    path = save_clips(tmp_path / "mixed.npz", [clip, replace(clip, name="performed", qvel=qvel)])
    kinematic, performed = load_clips(path, wildrobot)
    assert kinematic.qvel is None
    np.testing.assert_array_equal(performed.qvel, qvel)
    states = ReferenceDataset.load(path, wildrobot, CONFIG).initial_states()
    np.testing.assert_array_equal(states.qvel[states.clip_ids == 1], 0.5)


def test_starts_have_the_command_of_their_frame(
    clip: MotionClip, wildrobot: RobotModel, tmp_path: Path
) -> None:
    """All three parts of it, also beside a clip whose command does not vary."""
    commands = np.linspace([0.0, -0.1, 0.0], [0.5, 0.1, 1.0], 51)
    varied = replace(clip, name="varied", commands=commands)
    path = save_clips(tmp_path / "mixed.npz", [clip, varied])
    steady, loaded = load_clips(path, wildrobot)
    assert steady.commands is None
    np.testing.assert_allclose(loaded.commands, commands, atol=1e-6)
    states = ReferenceDataset.load(path, wildrobot, CONFIG).initial_states()
    np.testing.assert_allclose(states.commands[states.clip_ids == 0], [clip.command] * 47)
    np.testing.assert_allclose(states.commands[states.clip_ids == 1], commands[4:], atol=1e-6)


def test_an_empty_dataset_is_refused(wildrobot: RobotModel, tmp_path: Path) -> None:
    with pytest.raises(MotionError, match="empty"):
        ReferenceDataset.from_clips(wildrobot, CONFIG, [])
    with pytest.raises(MotionError, match="empty"):
        _ = ReferenceDataset(wildrobot, CONFIG).windows
    with pytest.raises(MotionError, match="no clips at all"):
        save_clips(tmp_path / "none.npz", [])


def test_what_does_not_fit_is_refused(
    dataset: ReferenceDataset, clip: MotionClip, wildrobot: RobotModel, tmp_path: Path
) -> None:
    eight = RobotModel.load("wildrobot_8dof")
    with pytest.raises(MotionError, match="'wildrobot', not 'wildrobot_8dof'"):
        ReferenceDataset.load(dataset.save(tmp_path / "a.npz"), eight, CONFIG)
    with pytest.raises(MotionError, match="one robot; got other, wildrobot"):
        save_clips(tmp_path / "b.npz", [clip, replace(clip, robot="other")])
    arrays = ("root_pos", "root_quat", "joint_pos", "pad_forces")
    short = replace(clip, **{name: getattr(clip, name)[:4] for name in arrays})
    with pytest.raises(MotionError, match=r"4 control steps long.*needs 5"):
        dataset.add(short)
    two_frames = {"lengths": np.array([3]), **{name: np.zeros((2, 4)) for name in arrays}}
    damaged = storage.write(
        tmp_path / "c.npz", "wildrobot reference", two_frames, {"clips": [clip.description()]}
    )
    with pytest.raises(MotionError, match=r"c\.npz.*add up to 3"):
        load_clips(damaged, wildrobot)
    with pytest.raises(MotionError, match="wildrobot motion clip"):
        load_clips(clip.save(tmp_path / "d.npz"), wildrobot)


def test_layouts_that_differ_are_both_named(
    dataset: ReferenceDataset, wildrobot: RobotModel
) -> None:
    dataset.check_layout(feature_layout(wildrobot, CONFIG))
    with pytest.raises(MotionError, match=r"channels.*definitions.*the checkpoint"):
        dataset.check_layout(
            feature_layout(wildrobot, FeatureConfig(contacts="none")), "the checkpoint"
        )


def test_a_shipped_walk_is_what_the_generator_makes(
    robot: RobotModel, default_clips: list[MotionClip]
) -> None:
    shipped = {clip.name: clip for clip in default_clips}
    walk = walk_clip(robot, 0.4)
    for made in (walk, walk.mirrored(robot)):
        old = shipped[made.name]
        np.testing.assert_allclose(old.joint_pos, made.joint_pos, atol=2e-3)
        np.testing.assert_allclose(old.root_pos, made.root_pos, atol=1e-3)


@pytest.mark.slow
def test_the_shipped_reference_is_what_the_generator_makes(
    robot: RobotModel, default_clips: list[MotionClip]
) -> None:
    """After an intended change, run `python -m wildrobot_gym.motion.gait.build`."""
    assert default_reference_path(robot.name).stat().st_size < 1_000_000
    made = build_clips(robot)
    assert [c.name for c in default_clips] == [c.name for c in made]
    for old, new in zip(default_clips, made, strict=True):
        np.testing.assert_allclose(old.joint_pos, new.joint_pos, atol=2e-3)
        np.testing.assert_allclose(old.root_pos, new.root_pos, atol=1e-3)
