"""Performances are physics: recorded as it was, whole between resets, and the same again."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.gait.build import stand_clip, walk_clip
from wildrobot_gym.motion.tracking import Controller, Performance, TrackSettings, track
from wildrobot_gym.motion.tracking.settings import GAIN_COUNTS
from wildrobot_gym.robot import RobotModel

PLAIN = TrackSettings(
    duration_s=1.0, loops=("cycle",), warps=(1.0,), turns=(0.0,), mirror=False, num_threads=1
)
NO_HELP = replace(PLAIN, harness=None, controllers=(Controller(**dict.fromkeys(GAIN_COUNTS)),))
ABOUT = ("motion_id", "variant", "source", "licence", "first_step", "fell")
ABOUT += ("commands",)  # None where a clip has one command
ARRAYS = [f.name for f in fields(Performance) if f.name not in ABOUT]


@pytest.fixture(scope="module")
def walk(wildrobot: RobotModel) -> MotionClip:
    return walk_clip(wildrobot, 0.4)


@pytest.fixture(scope="module")
def thrown(wildrobot: RobotModel) -> MotionClip:
    """A standing robot that flies to the left at 3 m/s."""
    clip = stand_clip(wildrobot)
    return replace(
        clip,
        name="thrown",
        root_pos=clip.root_pos + np.arange(clip.num_frames)[:, None] * [0.0, 0.06, 0.0],
    )


def test_standing_stands(robot: RobotModel) -> None:
    performed = track(
        robot, [stand_clip(robot)], replace(PLAIN, loops=("neutral",), duration_s=3.0)
    )
    assert len(performed) == 3  # 5.6 s of loop, a start every two seconds
    for performance in performed:
        assert (
            performance.num_frames == 150 and not performance.fell and performance.first_step == 0
        )
        assert {len(getattr(performance, name)) for name in ARRAYS} == {150}
        load = performance.pad_forces.sum(axis=-1)
        assert load[25:].mean() == pytest.approx(robot.weight, rel=0.02)
        assert np.abs(performance.harness).max() < 0.3 and (performance.harness[:, :3] == 0).all()
        assert np.abs(performance.qpos[:, 2] - robot.home_qpos[2]).max() < 0.01


def test_poses_and_velocities_belong_together(wildrobot: RobotModel, walk: MotionClip) -> None:
    """A pose is where the velocities lead: nothing is overwritten on the way."""
    for performance in track(wildrobot, [walk], PLAIN)[:3]:
        moved = np.diff(performance.qpos[:, 7:], axis=0)
        led = 0.01 * (performance.qvel[1:, 6:] + performance.qvel[:-1, 6:])
        assert np.abs(moved - led).max() < 0.04
        assert np.corrcoef(moved.ravel(), led.ravel())[0, 1] > 0.98


def test_variants(wildrobot: RobotModel, walk: MotionClip) -> None:
    settings = replace(
        PLAIN,
        loops=("cycle", "neutral"),
        warps=(0.8, 1.0),
        turns=(0.0, 0.1),
        mirror=True,
        start_interval_s=2.0,
    )
    variants = [p.variant for p in track(wildrobot, [walk], settings)]
    assert len(set(variants)) == len(variants)
    for name, values in {
        "loop": {"cycle", "neutral"},
        "warp": {0.8, 1.0},
        "turn": {0.0, 0.1},
        "mirrored": {False, True},
    }.items():
        assert {getattr(v, name) for v in variants} == values
    assert {v.start_s for v in variants if v.warp == 0.8 and v.loop == "neutral"} == {
        0.0,
        2.0,
        4.0,
        6.0,
        8.0,
    }


def test_the_mirror_image_performs_the_mirror_image(
    wildrobot: RobotModel, walk: MotionClip
) -> None:
    """As long as the robot's left and right are one (the measured right leg is off by 0.1 mm)."""
    plain, image = track(wildrobot, [walk], replace(PLAIN, mirror=True, start_interval_s=100.0))
    assert (plain.variant.mirrored, image.variant.mirrored) == (False, True)
    ids, signs = wildrobot.joint_mirror_ids, wildrobot.joint_mirror_signs
    np.testing.assert_allclose(image.qpos[:15, 7:][:, ids] * signs, plain.qpos[:15, 7:], atol=5e-3)
    np.testing.assert_allclose(image.qpos[:15, 1], -plain.qpos[:15, 1], atol=5e-3)


def test_bit_for_bit_whatever_the_threads(wildrobot: RobotModel, walk: MotionClip) -> None:
    once, again = (track(wildrobot, [walk], replace(PLAIN, num_threads=n)) for n in (1, 2))
    assert len(once) == len(again)
    for a, b in zip(once, again, strict=True):
        for name in ARRAYS:
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


def test_a_fall_ends_a_performance_and_another_begins(
    wildrobot: RobotModel, thrown: MotionClip
) -> None:
    performed = track(wildrobot, [thrown], replace(NO_HELP, duration_s=3.0, start_interval_s=100.0))
    assert len(performed) > 1 and all(p.fell for p in performed[:-1])
    for performance in performed:
        qpos = performance.qpos
        assert (1 - 2 * (qpos[:, 4] ** 2 + qpos[:, 5] ** 2) > 0.49).all() and (
            qpos[:, 2] > 0.19
        ).all()
        np.testing.assert_allclose(
            qpos[0, :2], [0.0, 0.06], atol=0.03
        )  # placed at the origin, and thrown again
        assert np.abs(np.diff(qpos[:, :3], axis=0)).max() < 0.12, (
            "nothing jumps inside a performance"
        )
    ends = [p.first_step + p.num_frames for p in performed]
    assert [p.first_step for p in performed[1:]] == [end + 1 for end in ends[:-1]], (
        "the row of the fall itself is left out"
    )


def test_without_restarts_a_fall_is_the_end(wildrobot: RobotModel, thrown: MotionClip) -> None:
    performed = track(
        wildrobot,
        [thrown],
        replace(NO_HELP, duration_s=3.0, start_interval_s=100.0, restart_s=None),
    )
    assert [p.fell for p in performed] == [True] and performed[0].num_frames < 100


def test_the_harness_only_shows_what_it_did(wildrobot: RobotModel, thrown: MotionClip) -> None:
    pushed = track(wildrobot, [thrown], replace(PLAIN, start_interval_s=100.0))[0]
    assert (
        0
        < np.linalg.norm(pushed.harness, axis=1).max()
        <= 0.1501 * wildrobot.weight * wildrobot.leg_length
    )
    free = track(wildrobot, [thrown], replace(NO_HELP, start_interval_s=100.0))[0]
    assert not free.harness.any() and not free.harness_saturated.any()


def test_progress_is_reported(wildrobot: RobotModel, walk: MotionClip) -> None:
    reported: list[tuple[int, int]] = []
    track(wildrobot, [walk], PLAIN, lambda done, total: reported.append((done, total)))
    assert reported[0] == (1, 50) and reported[-1] == (50, 50)


def test_what_cannot_be_tracked(wildrobot: RobotModel, walk: MotionClip, clip: MotionClip) -> None:
    with pytest.raises(MotionError, match="no clip to track"):
        track(wildrobot, [], PLAIN)
    with pytest.raises(MotionError, match="'wildrobot', not 'wildrobot_8dof'"):
        track(RobotModel.load("wildrobot_8dof"), [walk], PLAIN)
    still = replace(clip, joint_pos=clip.joint_pos + np.linspace(0.0, 0.3, 51)[:, None])
    with pytest.raises(MotionError, match=r"'test'.*never comes back.*neutral"):
        track(wildrobot, [still], PLAIN)
