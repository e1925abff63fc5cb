"""Whole motions: the bars of foot slide, penetration and float, and what must not change with
place, direction or side.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from humans import SIZE, around_circle, gait_poses, human_of, moved

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion import importers
from wildrobot_gym.motion.human import HumanMotion
from wildrobot_gym.motion.retarget import Retargeted, RetargetReport, RetargetSettings, retarget
from wildrobot_gym.robot import RobotModel

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.fixture(scope="module")
def walked(wildrobot: RobotModel, walker: HumanMotion) -> Retargeted:
    return retarget(wildrobot, walker)


def check_bars(report: RetargetReport) -> None:
    """Mean slide in stance, penetration and float."""
    assert not report.beyond
    assert (
        report.joint_limit_fraction < 0.01
        and report.velocity_limit_fraction < 0.01
        and report.miss < 3.0
    )


def test_walk_keeps_the_bars(walked: Retargeted) -> None:
    check_bars(walked.report)
    assert walked.report.balance_error < 0.003 and walked.report.balance_error_p95 < 0.015
    assert walked.report.tracking_error < 0.05
    assert walked.report.single_support + walked.report.double_support == pytest.approx(1.0)


def test_walk_is_the_gait_it_was_made_from(wildrobot: RobotModel, walked: Retargeted) -> None:
    """A human who walks as the robot does: Froude scaling gives back speed and time, and the joints
    swing alike.
    """
    own, clip = gait_poses(wildrobot, 0.6, 3.0), walked.clip
    assert clip.duration_s == pytest.approx(3.0, abs=0.05)
    assert clip.command == pytest.approx((0.6, 0.0, 0.0), abs=0.01)
    assert walked.report.scale == pytest.approx(1 / SIZE, rel=0.02)
    for name, alike in (
        ("left_hip_pitch", 0.75),
        ("right_hip_pitch", 0.75),
        ("left_knee_pitch", 0.6),
        ("right_knee_pitch", 0.6),
    ):
        i = wildrobot.joint_names.index(name)
        assert np.corrcoef(clip.joint_pos[:149, i], own[:149, 7 + i])[0, 1] > alike


def test_clip_is_fit_for_use(wildrobot: RobotModel, walked: Retargeted, tmp_path: Path) -> None:
    clip = walked.clip.check(wildrobot)
    assert (clip.fps, clip.source, clip.licence, clip.metadata["kind"]) == (
        50.0,
        "tests",
        "none",
        "retargeted",
    )
    np.testing.assert_allclose(clip.root_pos[0, :2], 0.0, atol=0.05)
    json.dumps(clip.metadata)
    assert clip.metadata["settings"]["stride"] == 1.0 and "foot_slide" in clip.metadata["report"]
    np.testing.assert_allclose(
        type(clip).load(clip.save(tmp_path / "walk.npz")).joint_pos, clip.joint_pos, atol=1e-6
    )


def test_pad_forces_carry_the_weight(wildrobot: RobotModel, walked: Retargeted) -> None:
    forces = walked.clip.pad_forces
    assert forces is not None and forces.min() >= 0.0
    assert forces.sum(axis=1).mean() == pytest.approx(wildrobot.weight, rel=0.02)


def test_twice_the_same(wildrobot: RobotModel, walker: HumanMotion, walked: Retargeted) -> None:
    again = retarget(wildrobot, walker).clip
    np.testing.assert_array_equal(again.joint_pos, walked.clip.joint_pos)
    assert again.metadata == walked.clip.metadata


def test_place_direction_and_floor_do_not_matter(
    wildrobot: RobotModel, walker: HumanMotion, walked: Retargeted
) -> None:
    elsewhere = retarget(wildrobot, moved(walker, 2.0, (3.0, -1.0, 0.3))).clip
    np.testing.assert_allclose(elsewhere.joint_pos, walked.clip.joint_pos, atol=2e-3)
    np.testing.assert_allclose(elsewhere.root_pos, walked.clip.root_pos, atol=1e-3)


def test_mirrored_human_mirrored_clip(
    wildrobot: RobotModel, walker: HumanMotion, walked: Retargeted
) -> None:
    other = {"left": "right", "right": "left"}
    swap = [
        walker.body_names.index(re.sub("left|right", lambda side: other[side[0]], name))
        for name in walker.body_names
    ]
    image = replace(
        walker,
        positions=walker.positions[:, swap] * [1.0, -1.0, 1.0],
        rotations=walker.rotations[:, swap] * [1.0, -1.0, 1.0, -1.0],
    )
    clip, want = retarget(wildrobot, image).clip, walked.clip.mirrored(wildrobot)
    assert np.sqrt(np.mean(np.square(clip.joint_pos - want.joint_pos))) < 0.01


def test_slower_and_shorter(wildrobot: RobotModel, walker: HumanMotion, walked: Retargeted) -> None:
    plain = retarget(wildrobot, walker, RetargetSettings(time_scale=1.0))
    assert plain.clip.duration_s == pytest.approx(np.sqrt(SIZE) * 3.0, abs=0.05)
    assert plain.report.speed == pytest.approx(walked.report.speed / np.sqrt(SIZE), rel=0.02)
    short = retarget(wildrobot, walker, RetargetSettings(stride=0.5, fps=100.0))
    assert short.clip.fps == 100.0 and short.report.speed == pytest.approx(
        0.5 * walked.report.speed, rel=0.03
    )
    for each in (plain, short):
        check_bars(each.report)


def test_turning(wildrobot: RobotModel, walker: HumanMotion) -> None:
    """Around a circle of 6 m at a human's size: heading follows, feet slide only by what no hip can
    turn.
    """
    result = retarget(wildrobot, around_circle(walker, 6.0))
    assert result.clip.command == pytest.approx((0.6, 0.0, 0.6 / 3.0), abs=0.04)
    assert result.report.foot_slide < 25.0 and result.report.penetration < 3.0


def test_standing_stays(robot: RobotModel, stander: HumanMotion) -> None:
    result = retarget(robot, stander)
    assert result.report.foot_slide < 0.5 and result.report.double_support == 1.0
    assert result.clip.command == pytest.approx((0.0, 0.0, 0.0), abs=1e-3)
    assert np.ptp(result.clip.joint_pos, axis=0).max() < 0.05
    forces = result.clip.pad_forces
    assert forces is not None
    np.testing.assert_allclose(forces.reshape(-1, 2, 2).sum(axis=2), robot.weight / 2, rtol=0.02)


def test_eight_joints_walk_as_well(walker: HumanMotion) -> None:
    check_bars(retarget(RobotModel.load("wildrobot_8dof"), walker).report)


def test_bad_motions_are_refused(wildrobot: RobotModel, walker: HumanMotion) -> None:
    with pytest.raises(
        MotionError,
        match=r"legs are .* m long; allowed: 0.2 to 2.0 m. Check the file's length unit",
    ):
        retarget(wildrobot, replace(walker, positions=100.0 * walker.positions))
    with pytest.raises(MotionError, match="too short"):
        retarget(
            wildrobot,
            replace(
                walker, positions=walker.positions[:2], rotations=walker.rotations[:2], fps=1000.0
            ),
        )
    broken = walker.positions.copy()
    broken[7, 2, 1] = np.nan
    with pytest.raises(MotionError, match="first in frame 7"):
        retarget(wildrobot, replace(walker, positions=broken))


def test_a_walk_may_end_anywhere(wildrobot: RobotModel, walker: HumanMotion) -> None:
    """Also just after a touchdown, between two frames of the clip."""
    for frames in range(60, 60 + round(1.2 * walker.fps), 3):
        cut = replace(
            walker, positions=walker.positions[:frames], rotations=walker.rotations[:frames]
        )
        assert retarget(wildrobot, cut, RetargetSettings(balance=0)).clip.num_frames > 1


@pytest.mark.parametrize("frames", [3, 6, 12, 30])
def test_scraps_of_motion_pass(wildrobot: RobotModel, walker: HumanMotion, frames: int) -> None:
    scrap = replace(
        walker, positions=walker.positions[:frames], rotations=walker.rotations[:frames]
    )
    assert retarget(wildrobot, scrap).clip.check(wildrobot).num_frames >= 2


def test_never_planted(wildrobot: RobotModel) -> None:
    """Someone who flies past, legs trailing, is no walk but no crash either."""
    poses = np.tile(wildrobot.home_qpos, (60, 1))
    poses[:, 0] = 3.0 * np.arange(60) / 50.0
    result = retarget(wildrobot, human_of(wildrobot, poses, 50.0))
    assert result.report.flight == 1.0 and result.report.foot_slide == 0.0


@pytest.mark.parametrize(("clip", "time_scale"), [("02_01", None), ("02_01", 1.0), ("02_02", 1.0)])
def test_cmu_walks_keep_the_bars(
    wildrobot: RobotModel, clip: str, time_scale: float | None
) -> None:
    path = DATA / "cmu" / f"{clip}.amc"
    if not path.is_file():
        pytest.skip(f"no {path}: real motion lies beside the checkout, or not at all")
    human = importers.load(path)
    assert isinstance(human, HumanMotion)
    check_bars(retarget(wildrobot, human, RetargetSettings(time_scale=time_scale)).report)
