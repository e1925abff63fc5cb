"""Walks that follow commands: identities of the plan by hand, then properties of whole clips."""

from __future__ import annotations

from itertools import pairwise

import mujoco
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.gait import lipm
from wildrobot_gym.motion.gait.build import clip_of_walk, commanded_clip
from wildrobot_gym.motion.gait.commanded import CommandedWalk, commanded_walk
from wildrobot_gym.motion.gait.cycle import walk_cycle
from wildrobot_gym.motion.gait.feet import read_sole
from wildrobot_gym.motion.gait.kinds import KINDS, at_rest_around, planned
from wildrobot_gym.motion.gait.schedule import RATE, Schedule
from wildrobot_gym.motion.gait.steps import Steps
from wildrobot_gym.motion.gait.upper import UpperBody
from wildrobot_gym.motion.ik import LegIK
from wildrobot_gym.motion.states import clip_states
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import numpy_yaw

SECONDS = 1.6  # of each command; short, so that the clips are quickly made
COMMANDS = {
    "turn": (0.0, 0.0, 0.3),
    "sideways": (0.0, 0.1, 0.0),
    "backward": (-0.15, 0.0, 0.0),
    "curve": (0.3, 0.0, 0.3),
}


def parts_of(name: str) -> list[tuple[float, tuple[float, float, float]]]:
    return at_rest_around([(SECONDS, COMMANDS[name])])


@pytest.fixture(scope="module", params=COMMANDS)
def walk(request: pytest.FixtureRequest, wildrobot: RobotModel) -> tuple[str, CommandedWalk]:
    return request.param, commanded_walk(wildrobot, Schedule.of(parts_of(request.param)))


@pytest.fixture(scope="module")
def turn(wildrobot: RobotModel) -> MotionClip:
    return commanded_clip(wildrobot, parts_of("turn"), "turn", "turn")


# --- the plan by hand -----------------------------------------------------------------------------


def test_the_path_is_what_was_commanded() -> None:
    """0.4 m/s for 2 s go 0.8 m; 0.5 rad/s for 2 s turn by 1 rad; both are a circle of 0.8 m
    radius.
    """
    straight = Schedule.of(at_rest_around([(2.0, (0.4, 0.0, 0.0))]))
    np.testing.assert_allclose(straight.path[-1], [0.8, 0.0, 0.0], atol=1e-9)
    circle = Schedule.of(at_rest_around([(2.0, (0.4, 0.0, 0.5))]))
    np.testing.assert_allclose(circle.path[-1, 2], 1.0)
    # Speed and turn rate rise and fall together, so the path is a part of the circle.
    center = np.array([0.0, 0.8])
    np.testing.assert_allclose(np.linalg.norm(circle.path[:, :2] - center, axis=1), 0.8, atol=1e-4)


def test_the_path_follows_its_command_and_does_not_foresee_it() -> None:
    schedule = Schedule.of([(1.0, (0.0, 0.0, 0.0)), (2.0, (0.4, 0.0, 0.0))])
    assert not schedule.velocity[schedule.time <= 1.25].any()
    assert schedule.velocity[-1, 0] == pytest.approx(0.4)
    assert schedule.onset(0.0) == pytest.approx(1.0)


def test_the_pendulum_between_rests() -> None:
    """A constant load keeps the mass on it, and the solution fits x - x'' / omega^2 = p."""
    assert lipm.com_between_rests(np.ones((50, 2)), 0.01, 5.0) == pytest.approx(1.0)
    time = np.arange(300) / 100.0
    load = np.where((time > 1.0) & (time < 2.0), 0.1, 0.0)
    x = lipm.com_between_rests(load, 0.01, 5.0)
    bend = np.diff(x, 2) / 0.01**2
    np.testing.assert_allclose(x[1:-1] - bend / 25.0, load[1:-1], atol=1e-9)
    np.testing.assert_allclose(x[[0, -1]], 0.0, atol=1e-12)


def test_steps_begin_beside_the_path_and_end_there(wildrobot: RobotModel) -> None:
    schedule = Schedule.of(at_rest_around([(2.0, (0.0, 0.1, 0.0))]))
    home, wide = np.array([0.09, -0.09]), np.array([0.1, -0.1])
    steps = Steps.plan(schedule, 0.8, 0.6, home, wide)
    for foot, of_foot in enumerate(steps.of_foot):
        np.testing.assert_allclose(of_foot[0].place, 0.0)
        np.testing.assert_allclose(of_foot[-1].place, schedule.path[-1])
        assert of_foot[0].aside == of_foot[-1].aside == home[foot]
        assert len({step.aside for step in of_foot[1:-1]}) == 1
        downs = np.array([step.down for step in of_foot[1:]])
        np.testing.assert_allclose(np.diff(downs), 0.8)
    # The left foot goes first to the left, and each foot lifts off after the other has landed.
    every = sorted((s for of_foot in steps.of_foot for s in of_foot[1:]), key=lambda s: s.down)
    assert every[0].foot == 0
    for before, after in pairwise(every):
        assert before.foot != after.foot and after.up > before.down
    load = steps.load_fraction(schedule.time)
    np.testing.assert_allclose(load.sum(axis=1), 1.0)
    np.testing.assert_allclose(load[[0, -1]], 0.5)
    for step in every:  # nothing bears load in the air
        flying = (schedule.time > step.up) & (schedule.time < step.down)
        assert load[flying, step.foot].max() < 1e-9


def test_no_command_no_step(wildrobot: RobotModel) -> None:
    steps = Steps.plan(Schedule.of([(2.0, (0.0, 0.0, 0.0))]), 0.8, 0.6, np.ones(2), np.ones(2))
    assert [len(of_foot) for of_foot in steps.of_foot] == [1, 1] and not steps.bouts


def test_kinds_are_scaled_by_froude(wildrobot: RobotModel) -> None:
    made = {name: parts for _, name, parts in planned(wildrobot, tuple(KINDS))}
    assert made["turn_0.3"][1] == (3.6, (0.0, 0.0, 0.3))
    assert all(parts[0][1] == parts[-1][1] == (0.0, 0.0, 0.0) for parts in made.values())
    with pytest.raises(MotionError, match=r"'turns'.*Did you mean 'turn'"):
        list(planned(wildrobot, ["turns"]))


# --- whole walks ----------------------------------------------------------------------------------


def test_it_goes_where_it_was_sent_and_stands(walk: tuple[str, CommandedWalk]) -> None:
    """A turn rate of w for t s turns the robot by w t, and a speed of v moves it by v t."""
    name, made = walk
    path, qpos = made.schedule.path, made.qpos
    np.testing.assert_allclose(qpos[-1, :2], path[-1, :2], atol=0.01)
    turned = np.unwrap(numpy_yaw(qpos[:, 3:7]))
    assert turned[-1] - turned[0] == pytest.approx(COMMANDS[name][2] * SECONDS, abs=0.02)
    np.testing.assert_allclose(qpos[[0, -1], 7:], qpos[[0], 7:].repeat(2, axis=0), atol=0.02)
    assert np.abs(np.diff(qpos[[0, 1, -2, -1], 7:], axis=0)[[0, 2]]).max() * RATE < 0.06
    assert made.misses.max() < 2e-3


def test_the_load_is_inside_the_soles(
    walk: tuple[str, CommandedWalk], wildrobot: RobotModel
) -> None:
    """Inverse dynamics finds the zero-moment point at its plan, which runs along the soles."""
    _, made = walk
    error = np.sqrt(np.mean(np.square(made.zmp - made.planned_zmp), axis=0))
    assert error.max() < 0.004 and np.abs(made.zmp - made.planned_zmp).max() < 0.02
    assert made.pad_forces.min() >= 0.0
    weight = wildrobot.mass * lipm.GRAVITY
    assert made.pad_forces.sum(axis=1).mean() == pytest.approx(weight, rel=0.01)


def test_joints_keep_their_limits_and_are_slow(
    walk: tuple[str, CommandedWalk], wildrobot: RobotModel
) -> None:
    _, made = walk
    low, high = wildrobot.joint_range.T
    joints = made.qpos[:, 7:]
    assert (joints >= low - 1e-4).all() and (joints <= high + 1e-4).all()
    assert np.abs(np.diff(joints, axis=0)).max() * RATE < 8.0


def test_soles_stand_on_their_spots(walk: tuple[str, CommandedWalk], wildrobot: RobotModel) -> None:
    """A loaded sole does not move; in a turn it twists about its middle. Feet never cross."""
    name, made = walk
    clip = clip_of_walk(wildrobot, made, name, name)
    state = clip_states(wildrobot, clip)
    soles = middles(wildrobot, state)
    for foot, pads in enumerate(wildrobot.pad_ids_of_foot):
        loaded = state.pad_forces[:, pads].sum(axis=1) > 0.6 * wildrobot.weight
        loaded &= np.abs(state.foot_quat_w[:, foot, 2]) < 0.005  # flat
        speed = np.linalg.norm(np.diff(soles[:, foot], axis=0), axis=1) * clip.fps
        assert speed[loaded[1:]].mean() < 0.02
    left = np.stack([-np.sin(state.yaw), np.cos(state.yaw)], axis=-1)
    width = np.sum((soles[:, 0] - soles[:, 1]) * left, axis=-1)
    sole = read_sole(wildrobot, wildrobot.foot_names[0])
    assert width.min() > sole.left - sole.right  # the soles' inner edges stay apart


def test_a_clip_has_the_command_of_each_frame(turn: MotionClip, wildrobot: RobotModel) -> None:
    turn.check(wildrobot)
    assert turn.commands.shape == (turn.num_frames, 3)
    assert not turn.commands[:, :2].any() and not turn.commands[[0, -1]].any()
    assert np.mean(turn.commands[:, 2] == 0.3) == pytest.approx(SECONDS / turn.duration_s, abs=0.01)
    assert turn.command[2] == pytest.approx(turn.commands[:, 2].mean(), abs=1e-4)
    assert turn.metadata["kind"] == "turn"


def test_the_mirror_of_a_left_turn_is_the_right_turn(
    turn: MotionClip, wildrobot: RobotModel
) -> None:
    """The torso's mass is 2.5 mm off center, hence the tolerance."""
    right = commanded_clip(wildrobot, at_rest_around([(SECONDS, (0.0, 0.0, -0.3))]))
    image = turn.mirrored(wildrobot)
    np.testing.assert_array_equal(image.commands, right.commands)
    np.testing.assert_allclose(image.joint_pos, right.joint_pos, atol=0.02)
    np.testing.assert_allclose(image.root_pos, right.root_pos, atol=0.006)


def test_too_fast_is_refused(wildrobot: RobotModel) -> None:
    with pytest.raises(MotionError, match=r"out of the legs' reach after \d"):
        commanded_walk(wildrobot, Schedule.of(at_rest_around([(0.8, (-0.9, 0.0, 0.0))])))


def middles(robot: RobotModel, state: PhysicsState) -> np.ndarray:
    """The middles of the soles on the floor, (time, foot, 2)."""
    out = []
    for foot, name in enumerate(robot.foot_names):
        sole = read_sole(robot, name)
        yaw = numpy_yaw(state.foot_quat_w[:, foot])
        ahead = 0.5 * (sole.front + sole.rear)
        shift = ahead * np.stack([np.cos(yaw), np.sin(yaw)], axis=-1)
        out.append(state.foot_pos_w[:, foot, :2] + shift)
    return np.stack(out, axis=1)


# --- any robot ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sprout() -> RobotModel:
    """Legs with hip yaw and ankle roll, feet of four balls, arms and a waist; 0.64 of the size."""
    return RobotModel.load("sprout")


@pytest.fixture(scope="module")
def curve(sprout: RobotModel) -> CommandedWalk:
    return commanded_walk(sprout, Schedule.of(at_rest_around([(1.6, (0.2, 0.0, 0.5))], 0.8)))


def test_legs_choose_what_their_joints_allow(wildrobot: RobotModel, sprout: RobotModel) -> None:
    assert LegIK(wildrobot).turns == ((1,), (1,))  # pitch alone
    assert LegIK(sprout).turns == ((1, 0, 2), (1, 0, 2))


def test_a_leg_with_yaw_and_roll_holds_them(sprout: RobotModel) -> None:
    pose, miss = LegIK(sprout).solve(
        sprout.home_qpos, np.array([[0.03, 0.05, 0.01], [-0.02, -0.05, 0.0]]), np.array([0.1, 0.0]),
        np.array([0.2, -0.1]),
    )  # fmt: skip
    assert miss < 1e-4
    data = mujoco.MjData(sprout.model)
    data.qpos[:] = pose
    mujoco.mj_kinematics(sprout.model, data)
    for foot, angles in zip(sprout.foot_names, ((0.2, 0.1, 0.0), (-0.1, 0.0, 0.0)), strict=True):
        turn = Rotation.from_matrix(data.site(foot).xmat.reshape(3, 3)).as_euler("ZYX")
        np.testing.assert_allclose(turn, angles, atol=3e-3)


def test_another_robot_walks_in_a_curve_without_twisting_a_sole(
    sprout: RobotModel, curve: CommandedWalk
) -> None:
    assert curve.misses.max() < 2e-3
    assert np.abs(curve.zmp - curve.planned_zmp).max() < 0.02
    clip = clip_of_walk(sprout, curve, "curve", "curve").check(sprout)
    state = clip_states(sprout, clip)
    turned = np.unwrap(numpy_yaw(clip.root_quat))
    assert turned[-1] == pytest.approx(0.8, abs=0.02)
    for foot, pads in enumerate(sprout.pad_ids_of_foot):
        loaded = state.pad_forces[:, pads].sum(axis=1) > 0.6 * sprout.weight
        twist = np.abs(np.diff(np.unwrap(numpy_yaw(state.foot_quat_w[:, foot])))) * clip.fps
        assert twist[loaded[1:]].mean() < 0.03  # rad/s; the robot turns at 0.5


def test_arms_swing_against_the_legs(sprout: RobotModel, curve: CommandedWalk) -> None:
    """The left hand is ahead while the right foot is."""
    upper = UpperBody.of(sprout)
    assert [sprout.joint_names[i] for i, _ in upper.waist] == ["waist_turn"]
    assert [sprout.joint_names[i] for i, _, _ in upper.arms] == [
        "shoulder_swing_l",
        "shoulder_swing_r",
    ]
    spread = np.array([0.1, -0.1])  # left foot ahead, then the right one
    joints = np.tile(sprout.home_joint_pos, (2, 1))
    upper.pose(joints, np.zeros(2), spread)
    left, right = (sprout.joint_names.index(f"shoulder_swing_{side}") for side in "lr")
    assert joints[0, left] > 0.0 > joints[1, left]  # about +y: backward as the left foot is ahead
    np.testing.assert_allclose(joints[:, left], -joints[:, right])
    assert np.ptp(curve.qpos[:, 7 + left]) > 0.05
    held = [i for i, name in enumerate(sprout.joint_names) if name.startswith(("elbow", "head"))]
    np.testing.assert_allclose(np.ptp(curve.qpos[:, 7:][:, held], axis=0), 0.0)


def test_a_sole_of_four_balls_shares_its_load(sprout: RobotModel) -> None:
    sole = read_sole(sprout, "left_foot")
    np.testing.assert_allclose([sole.front, sole.rear], [0.056, -0.038])
    np.testing.assert_allclose([sole.left, sole.right], [0.030, -0.022])
    forces = np.zeros((1, len(sprout.pad_names)))
    sole.split_load(forces, np.array([0.009]), np.array([40.0]))  # midway between both rows
    np.testing.assert_allclose(forces[0, sprout.pad_ids_of_foot[0]], 10.0)


def test_straight_walks_of_another_robot(sprout: RobotModel) -> None:
    cycle = walk_cycle(sprout, 0.3)
    assert cycle.misses.max() < 2e-3
    assert cycle.period_s < 1.0 / 1.15  # shorter legs step more quickly
    assert np.sqrt(np.mean(np.square(cycle.demand.zmp - cycle.planned_zmp))) < 0.005
