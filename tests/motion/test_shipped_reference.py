"""The performed references that ship: what a file itself says of loads, speeds and credits, not
only what is noted in it.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from wildrobot_gym.motion.analysis import analyze
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.clip_files import load_clips
from wildrobot_gym.motion.mining import Gates
from wildrobot_gym.motion.mining.gates import GATE_NAMES
from wildrobot_gym.paths import MOTIONS
from wildrobot_gym.robot import RobotModel

GATES = Gates()
NAMES = {"wildrobot": "walk", "wildrobot_8dof": "walk_8dof"}


@pytest.fixture(scope="module", params=["wildrobot", "wildrobot_8dof"])
def robot(request: pytest.FixtureRequest) -> RobotModel:
    return RobotModel.load(request.param)


@pytest.fixture(scope="module")
def segments(robot: RobotModel) -> list[MotionClip]:
    return load_clips(NAMES[robot.name], robot)


def test_it_is_long_and_of_many_clips_at_all_speeds(
    robot: RobotModel, segments: list[MotionClip]
) -> None:
    analysis = analyze(robot, segments)
    assert (
        analysis.verdict == "go"
        and analysis.seconds >= 180
        and len(analysis.seconds_of_motion) >= 8
    )
    assert analysis.speed_p5 < 0.25 and analysis.speed_p95 > 0.8
    of_source = dict.fromkeys(("02_01", "02_02"), 0.0)
    for motion, seconds in analysis.seconds_of_motion.items():
        if motion[:5] in of_source:
            of_source[motion[:5]] += seconds
    assert min(of_source.values()) >= 20


def test_every_segment_passes_all_gates_and_nothing_held_the_robot(
    robot: RobotModel, segments: list[MotionClip]
) -> None:
    for segment in segments:
        metrics = {name: np.array([value]) for name, value in segment.metadata["metrics"].items()}
        assert GATES.passed(metrics)[0] and set(GATE_NAMES) <= set(metrics)
        assert (
            metrics["harness_p95"][0]
            == metrics["harness_p90"][0]
            == metrics["harness_saturated"][0]
            == 0.0
        )
        load = segment.pad_forces.sum(axis=-1) / robot.weight
        assert load.mean() == pytest.approx(metrics["load_mean"][0], abs=0.002)
        assert np.percentile(load, 10) >= GATES.load_p10 - 0.01
        # Velocities were performed, not derived: they carry the base to where it is.
        moved = np.sum(segment.qvel[1:, 0]) / segment.fps
        assert moved == pytest.approx(segment.root_pos[-1, 0] - segment.root_pos[0, 0], abs=0.02)


def test_the_credits_travel_with_the_clips(segments: list[MotionClip]) -> None:
    human = [segment for segment in segments if segment.metadata["motion_id"].startswith("02_")]
    assert human and all(
        "NSF EIA-0196217" in segment.licence and "mocap.cs.cmu.edu" in segment.source
        for segment in human
    )


def test_its_report_says_where_the_rest_went(robot: RobotModel) -> None:
    report = json.loads((MOTIONS / f"{NAMES[robot.name]}.report.json").read_text())
    of_clip = {clip["motion_id"]: clip for clip in report["clips"]}
    assert of_clip["02_01"]["rejects"]["slip"] > 0 and report["mined_s"] > 180
    assert len(of_clip) == 32 and sum(clip["falls"] for clip in of_clip.values()) <= 3


def test_the_human_reference_is_the_human_part_of_the_first(wildrobot: RobotModel) -> None:
    part = [clip for clip in load_clips("walk", wildrobot) if clip.motion_id.startswith("02_")]
    human = load_clips("walk_human", wildrobot)
    assert [clip.description() for clip in human] == [clip.description() for clip in part]
    for ours, theirs in zip(human, part, strict=True):
        np.testing.assert_array_equal(ours.joint_pos, theirs.joint_pos)
