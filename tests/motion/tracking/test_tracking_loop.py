"""Loops: where a clip joins itself, the servos' targets, and independence of the heading."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.dynamics import pad_loads
from wildrobot_gym.motion.gait.build import stand_clip, walk_clip
from wildrobot_gym.motion.states import clip_states
from wildrobot_gym.motion.tracking.legs import read_legs
from wildrobot_gym.motion.tracking.loop import Loop, endless, make_loop, turned
from wildrobot_gym.robot import RobotModel


@pytest.fixture(scope="module")
def walk(wildrobot: RobotModel) -> MotionClip:
    return walk_clip(wildrobot, 0.4)


def loop_of(robot: RobotModel, clip: MotionClip, how: str) -> Loop:
    loop = make_loop(robot, clip, how, 0.3)
    assert loop is not None
    return loop


def test_a_walk_loops_after_whole_cycles(wildrobot: RobotModel, walk: MotionClip) -> None:
    loop = loop_of(wildrobot, walk, "cycle")
    cycles = len(loop) * 0.02 / walk.metadata["period_s"]
    assert cycles == pytest.approx(round(cycles), abs=0.03) and cycles > 4.9
    joints = loop.qpos[:, 7:]
    seam = np.abs(joints[0] - joints[-1]).max()
    assert seam <= np.abs(np.diff(joints, axis=0)).max()
    np.testing.assert_allclose(loop.velocity_h.mean(axis=0), [0.4, 0.0], atol=0.01)


def test_a_clip_that_never_comes_back_has_no_cycle(wildrobot: RobotModel, clip: MotionClip) -> None:
    knees = np.isin(np.arange(9), (3, 7))
    going = clip.joint_pos + np.linspace(0.0, 0.8, len(clip.joint_pos))[:, None] * knees
    assert make_loop(wildrobot, replace(clip, joint_pos=going), "cycle", 0.2) is None


def test_through_the_neutral_pose(wildrobot: RobotModel, walk: MotionClip) -> None:
    loop, frames = loop_of(wildrobot, walk, "neutral"), walk.num_frames
    assert len(loop) == frames + 2 * 15 + 1
    np.testing.assert_allclose(loop.qpos[:frames, 7:], walk.joint_pos, atol=1e-6)
    home = frames + 15
    np.testing.assert_allclose(loop.qpos[home, 7:], wildrobot.home_joint_pos, atol=1e-6)
    np.testing.assert_allclose(loop.up_h[home], [0.0, 0.0, 1.0], atol=1e-6)
    np.testing.assert_allclose(loop.velocity_h[home], 0.0, atol=0.02)
    assert loop.stance[home].all()


def test_commands_go_round_with_the_loop(wildrobot: RobotModel, walk: MotionClip) -> None:
    commands = np.zeros((walk.num_frames, 3))
    commands[:, 0] = np.arange(walk.num_frames)
    loop = endless(wildrobot, replace(walk, commands=commands), "cycle", 0.1, 10.0)
    assert loop is not None and loop.commands.shape == (loop.num_frames, 3)
    steps = np.diff(loop.commands[:, 0])
    assert np.median(steps) == 1.0 and (steps < 0.0).sum() >= 1  # and back at each seam
    plain = endless(wildrobot, walk, "cycle", 0.1, 10.0)
    assert plain is not None and plain.commands is None


def test_targets_lead_to_the_next_frame(wildrobot: RobotModel, walk: MotionClip) -> None:
    loop = loop_of(wildrobot, walk, "cycle")
    np.testing.assert_array_equal(loop.targets, np.roll(loop.qpos[:, 7:], -1, axis=0))
    stand = loop_of(wildrobot, stand_clip(wildrobot), "neutral")
    assert np.abs(stand.weight_targets).max() > 5 * np.abs(stand.motion_targets[:200]).max()


def test_the_lowest_corner_is_on_the_floor(wildrobot: RobotModel, walk: MotionClip) -> None:
    sunken = replace(walk, root_pos=walk.root_pos - [0.0, 0.0, 0.03])
    loop, other = (loop_of(wildrobot, c, "cycle") for c in (walk, sunken))
    np.testing.assert_allclose(loop.qpos, other.qpos, atol=1e-6)


def test_a_heading_makes_no_difference(wildrobot: RobotModel, walk: MotionClip) -> None:
    turn = Rotation.from_euler("z", 1.2)
    quat = (turn * Rotation.from_quat(walk.root_quat, scalar_first=True)).as_quat(scalar_first=True)
    away = replace(
        walk, root_pos=turn.apply(walk.root_pos) + np.array([3.0, -2.0, 0.0]), root_quat=quat
    )
    for how in ("cycle", "neutral"):
        loop, other = (loop_of(wildrobot, c, how) for c in (walk, away))
        for field in fields(Loop):
            np.testing.assert_allclose(
                getattr(loop, field.name), getattr(other, field.name), atol=2e-3, err_msg=field.name
            )


def test_turning_lengthens_one_legs_swing(robot: RobotModel) -> None:
    legs, clip = read_legs(robot), walk_clip(robot, 0.4)
    assert turned(clip, legs, 0.0) is clip
    image = turned(clip, legs, 0.1)
    before, after = (c.joint_pos @ legs.hip_pitch.T for c in (clip, image))
    np.testing.assert_allclose(np.ptp(after, axis=0) / np.ptp(before, axis=0), [1.1, 0.9])
    for c in (clip, image):  # the soles' pitch
        pitch = c.joint_pos @ (legs.hip_pitch + legs.knee + legs.ankle).T
        np.testing.assert_allclose(
            pitch, clip.joint_pos @ (legs.hip_pitch + legs.knee + legs.ankle).T, atol=1e-12
        )


def test_loads_are_found_where_the_source_does_not_know_them(robot: RobotModel) -> None:
    standing = clip_states(robot, replace(stand_clip(robot), pad_forces=None))
    loads = pad_loads(robot, standing, 0.02)
    assert (loads >= 0).all()
    np.testing.assert_allclose(loads.sum(axis=1), robot.weight, rtol=0.02)
    walk = walk_clip(robot, 0.4)
    loads = pad_loads(robot, clip_states(robot, replace(walk, pad_forces=None)), 0.02)
    found, planned = (f[:, robot.pad_ids_of_foot].sum(axis=-1) for f in (loads, walk.pad_forces))
    assert np.median(np.abs(found - planned)) < 0.1 * robot.weight
    alone = planned > 0.99 * planned.sum(axis=1, keepdims=True)
    assert (found[alone] > 0.8 * robot.weight).mean() > 0.9
