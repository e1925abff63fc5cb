"""Mining: every valid stretch, every frame once, nothing made up; and the files that come of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from performances import performance
from scipy.spatial.transform import Rotation

from wildrobot_gym.errors import ConfigError, MotionError
from wildrobot_gym.motion.clip_files import save_clips
from wildrobot_gym.motion.gait.build import stand_clip, walk_clip
from wildrobot_gym.motion.mining import (
    Gates,
    best_segments,
    generate,
    mine,
    save_features,
    search_controller,
)
from wildrobot_gym.motion.mining.commands import followed
from wildrobot_gym.motion.reference import ReferenceDataset
from wildrobot_gym.motion.tracking import Controller, TrackSettings, track
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import FeatureConfig

QUICK = TrackSettings(
    duration_s=2.0, loops=("cycle",), warps=(1.0,), turns=(0.0,), mirror=False, num_threads=1
)


def lengths(
    robot: RobotModel, frames: int, change: object = None, gates: Gates | None = None
) -> list[int]:
    report = mine(robot, [performance(robot, frames, change)], gates)  # type: ignore[arg-type]
    return [segment.num_frames for segment in report.segments]


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        (19, []),
        (20, [20]),
        (49, [49]),
        (50, [50]),
        (59, [50]),
        (120, [120]),
        (200, [200]),
        (450, [200, 200, 50]),
    ],
)
def test_lengths_of_segments(wildrobot: RobotModel, frames: int, expected: list[int]) -> None:
    """A window starts every 10 frames. Overlapping ones are joined up to 200 frames."""
    assert lengths(wildrobot, frames) == expected


def test_what_is_bad_is_left_out(wildrobot: RobotModel) -> None:
    """Frames 100 to 150 hang in the air: no window with ten of them passes."""

    def change(arrays: dict[str, np.ndarray]) -> None:
        arrays["pad_forces"][100:150] = 0.0

    report = mine(wildrobot, [performance(wildrobot, 250, change)])
    assert [s.num_frames for s in report.segments] == [100, 100]
    assert [s.metadata["first_step"] for s in report.segments] == [0, 150]
    clip = report.clips[0]
    assert (clip.windows, clip.valid_windows, clip.segments) == (21, 12, 2)
    assert (clip.mined_s, clip.performed_s, report.mined_s) == (4.0, 5.0, 4.0)
    # Nine windows, those that begin at 60 to 140.
    assert {name: n for name, n in clip.rejects.items() if n} == {
        "load_mean": 9,
        "load_p10": 9,
        "unloaded": 9,
    }
    assert clip.performed["unloaded"] == pytest.approx(0.2)


def test_a_segment_passes_as_a_whole(wildrobot: RobotModel) -> None:
    """Two strong pulls at either end of 60 frames: both windows pass, all sixty do not."""

    def change(arrays: dict[str, np.ndarray]) -> None:
        arrays["harness"][[0, 1, 58, 59], 3] = 0.14 * wildrobot.weight * wildrobot.leg_length

    assert lengths(wildrobot, 60, change) == [50]
    report = mine(wildrobot, [performance(wildrobot, 60, change)])
    assert report.clips[0].valid_windows == 2
    assert lengths(wildrobot, 60, change, Gates(harness_p95=0.2)) == [60]


def test_a_segment_begins_at_the_origin_and_heads_along_x(wildrobot: RobotModel) -> None:
    """The same glide, turned by a right angle and turning at 0.3 rad/s, far from the origin."""
    time = np.arange(60) / 50

    def change(arrays: dict[str, np.ndarray]) -> None:
        heading = Rotation.from_euler("z", (np.pi / 2 + 0.3 * time)[:, None])
        arrays["qpos"][:, 3:7] = heading.as_quat(scalar_first=True)
        arrays["qvel"][:, :3] = heading.apply([0.5, 0.1, 0.0])
        arrays["qvel"][:, 3:6] = [0.0, 0.0, 0.3]
        arrays["qpos"][:, :3] = [7.0, -3.0, 0.45] + np.cumsum(arrays["qvel"][:, :3], axis=0) / 50

    (segment,) = mine(wildrobot, [performance(wildrobot, 60, change)]).segments
    np.testing.assert_allclose(segment.root_pos[0], [0.0, 0.0, 0.45], atol=1e-6)
    np.testing.assert_allclose(segment.root_quat[0], [1.0, 0.0, 0.0, 0.0], atol=1e-6)
    assert segment.qvel is not None
    np.testing.assert_allclose(segment.qvel[0, :6], [0.5, 0.1, 0.0, 0.0, 0.0, 0.3], atol=1e-5)
    np.testing.assert_allclose(
        np.diff(segment.root_pos, axis=0), segment.qvel[1:, :3] / 50, atol=1e-5
    )
    np.testing.assert_allclose(segment.command, [0.5, 0.1, 0.3], atol=1e-4)


def test_a_segment_knows_where_it_is_from(wildrobot: RobotModel) -> None:
    report = mine(
        wildrobot,
        [
            performance(wildrobot, 50),
            performance(wildrobot, 50, name="other"),
            performance(wildrobot, 60),
        ],
    )
    assert [(s.metadata["motion_id"], s.metadata["segment_id"]) for s in report.segments] == [
        ("made", 0),
        ("made", 1),
        ("other", 0),
    ]
    assert [clip.motion_id for clip in report.clips] == ["made", "other"]
    segment = report.segments[0]
    assert (segment.source, segment.licence, segment.fps) == ("here", "free", 50.0)
    assert segment.metadata["score"] == 3.0 and segment.metadata["variant"]["loop"] == "cycle"
    assert segment.metadata["metrics"]["load_mean"] == pytest.approx(1.0)
    np.testing.assert_allclose(segment.pad_forces, wildrobot.weight / 4, rtol=1e-6)


def test_commands_that_vary_are_scaled_by_what_was_followed(wildrobot: RobotModel) -> None:
    """The robot glides at 0.5 m/s, half of the 1 m/s that was commanded 0.7 s before; the other
    parts of the command were zero.
    """
    whole = performance(wildrobot, 300)
    commands = np.zeros((300, 3), np.float32)
    commands[100:200, 0] = 1.0
    whole.qvel[:, 0] = 0.0
    whole.qvel[135:235, 0] = 0.5
    given = replace(whole, commands=commands)
    np.testing.assert_allclose(followed(given, commands), [0.5, 1.0, 1.0], atol=1e-6)
    segments = mine(wildrobot, [given]).segments
    assert sum(segment.num_frames for segment in segments) == 300
    first = segments[0]
    np.testing.assert_allclose(first.commands, 0.5 * commands[: first.num_frames], atol=1e-4)
    assert first.command[0] == pytest.approx(first.commands[:, 0].mean(), abs=1e-4)
    # A steady command is what was performed, as without commands.
    steady = replace(whole, commands=np.full((300, 3), 0.3, np.float32))
    assert all(segment.commands is None for segment in mine(wildrobot, [steady]).segments)


def test_mined_segments_are_performed_physics(wildrobot: RobotModel, tmp_path: Path) -> None:
    """What training reads are the recorded states: joint angles, velocities and forces, digit for
    digit.
    """
    performed = track(wildrobot, [walk_clip(wildrobot, 0.3)], QUICK)
    report = mine(wildrobot, performed)
    assert report.mined_s > 0.5 * report.clips[0].performed_s
    config = FeatureConfig(root_velocity="raw")
    path = save_clips(tmp_path / "reference.npz", report.segments)
    dataset = ReferenceDataset.load(path, wildrobot, config)
    segment, whole = report.segments[0], performed[0]
    rows = slice(
        segment.metadata["first_step"], segment.metadata["first_step"] + segment.num_frames
    )
    features = dataset.features[: segment.num_frames]
    np.testing.assert_array_equal(features[:, :9], whole.qpos[rows, 7:])
    np.testing.assert_array_equal(features[:, 9:18], whole.qvel[rows, 6:])
    np.testing.assert_array_equal(features[:, 24], whole.qpos[rows, 2])
    np.testing.assert_allclose(features[:, 25:], np.tanh(whole.pad_forces[rows] / 10.0), atol=1e-6)
    # The velocities were recorded, so they are the rate of the height.
    rate = np.gradient(features[:, 24], 0.02)
    assert np.corrcoef(rate[5:-5], features[5:-5, 20])[0, 1] > 0.9

    file = np.load(
        save_features(tmp_path / "features.npz", wildrobot, config, report.segments),
        allow_pickle=False,
    )
    np.testing.assert_array_equal(file["features"], dataset.features)
    assert file["segment_lengths"].sum() == len(dataset) and len(file["segment_lengths"]) == len(
        report.segments
    )
    assert list(file["motion_id"]) == ["walk_0.30_plain"] * len(report.segments)
    assert list(file["segment_id"]) == list(range(len(report.segments)))
    np.testing.assert_array_equal(
        file["segment_scores"], [s.metadata["score"] for s in report.segments]
    )
    assert file["per_segment_metrics"][0]["slip"] == pytest.approx(
        segment.metadata["metrics"]["slip"]
    )
    assert str(file["feature_version"]).startswith("v0.6.2-")


def test_versions_differ_between_feature_definitions(wildrobot: RobotModel, tmp_path: Path) -> None:
    segments = mine(wildrobot, [performance(wildrobot, 50)]).segments
    versions = {
        str(
            np.load(save_features(tmp_path / f"{name}.npz", wildrobot, config, segments))[
                "feature_version"
            ]
        )
        for name, config in {
            "a": FeatureConfig(),
            "b": FeatureConfig(),
            "c": FeatureConfig(contacts="none"),
        }.items()
    }
    assert len(versions) == 2
    with pytest.raises(MotionError, match="empty"):
        save_features(tmp_path / "d.npz", wildrobot, FeatureConfig(), [])


def test_generate_goes_clip_by_clip(wildrobot: RobotModel) -> None:
    clips, reported = [stand_clip(wildrobot), walk_clip(wildrobot, 0.3)], []
    report = generate(
        wildrobot,
        clips,
        QUICK,
        generations=0,
        progress=lambda done, total: reported.append((done, total)),
    )
    assert [clip.motion_id for clip in report.clips] == ["stand", "walk_0.30_plain"]
    assert reported[-1] == (2.0, 2) and sorted(reported) == reported
    assert report.mined_s == pytest.approx(sum(s.num_frames for s in report.segments) / 50)
    twins = [clips[1], clips[1].mirrored(wildrobot)]
    both = generate(
        wildrobot, twins, replace(QUICK, mirror=False), generations=0
    )  # two clips of one motion, numbered through
    assert [clip.motion_id for clip in both.clips] == ["walk_0.30_plain"] * 2 and all(
        clip.segments for clip in both.clips
    )
    assert [segment.metadata["segment_id"] for segment in both.segments] == list(
        range(len(both.segments))
    )
    assert len({segment.name for segment in both.segments}) == len(both.segments)
    assert (
        len(generate(wildrobot, twins, replace(QUICK, mirror=True), generations=0).clips) == 1
    )  # its variants are both
    torn, skipped = replace(clips[1], name="torn", fps=1000.0), {}
    rest = generate(wildrobot, [torn, clips[0]], QUICK, generations=0, skipped=skipped)
    assert [clip.motion_id for clip in rest.clips] == ["stand"] and "torn" in skipped["torn"]
    with pytest.raises(MotionError, match=r"Not one clip could be performed\..*torn"):
        generate(wildrobot, [torn], QUICK, generations=0, skipped={})
    with pytest.raises(MotionError, match="Several clips are called 'stand'"):
        generate(wildrobot, [clips[0], clips[0]], QUICK)
    with pytest.raises(MotionError, match="no clip"):
        generate(wildrobot, [], QUICK)


def test_best_segments_come_first(wildrobot: RobotModel) -> None:
    (made,) = mine(wildrobot, [performance(wildrobot, 50)]).segments
    segments = [
        replace(made, metadata={**made.metadata, "score": score, "motion_id": motion})
        for motion, score in [("a", 1.0), ("a", 3.0), ("b", -1.0), ("a", 3.0), ("a", 2.0)]
    ]
    assert best_segments(segments, 2.0) == [segments[i] for i in (1, 2, 3)]
    assert best_segments(segments, 10.0) == segments
    with pytest.raises(ConfigError, match=r"the shortest segment lasts 1\.00 s"):
        best_segments(segments, 0.5)


def test_search_leaves_alone_what_is_off(wildrobot: RobotModel) -> None:
    """Every candidate differs from the start, the same seed finds the same, and the start itself
    may win.
    """
    settings = replace(QUICK, controllers=(Controller(clearance=None, stiffness=None),))
    clip = walk_clip(wildrobot, 0.3)
    found = [
        search_controller(wildrobot, clip, settings, Gates(), generations=1, population=3)
        for _ in range(2)
    ]
    assert found[0] == found[1]
    assert found[0].clearance is None and found[0].stiffness is None and found[0].ankle is not None
