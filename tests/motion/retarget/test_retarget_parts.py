"""The parts of retargeting by hand: smoothing, reach, rolling soles, floors, stances, balance,
swings, metrics.
"""

from __future__ import annotations

from dataclasses import replace

import mujoco
import numpy as np
import pytest
from humans import SIZE

from wildrobot_gym.errors import ConfigError
from wildrobot_gym.motion.gait.feet import read_sole
from wildrobot_gym.motion.gait.shape import walk_shape
from wildrobot_gym.motion.human import HumanMotion
from wildrobot_gym.motion.ik import LegIK
from wildrobot_gym.motion.retarget import RetargetSettings, balance, ground
from wildrobot_gym.motion.retarget.heels import needed_pitch, raise_heel
from wildrobot_gym.motion.retarget.reach import MARGIN, STRAIGHTEST, LegReach
from wildrobot_gym.motion.retarget.report import slide_speeds
from wildrobot_gym.motion.retarget.scaled import scaled_human
from wildrobot_gym.motion.retarget.stance import stances
from wildrobot_gym.motion.retarget.steps import RISE_RATE, Stance, planted_sole, ramp, stance_pitch
from wildrobot_gym.motion.retarget.swing import SCUFF, SwingPath, swing_joints
from wildrobot_gym.motion.smoothing import differences, envelope_below, low_pass
from wildrobot_gym.robot import RobotModel

STEP = Stance(down=1.0, flat=1.1, rise=1.3, up=1.5, place=(0.2, 0.1, 0.3), strike=-0.25, lift=0.7)


@pytest.fixture(scope="module")
def reach(wildrobot: RobotModel) -> LegReach:
    return LegReach.of(wildrobot)


# --- smoothing ------------------------------------------------------------------------------------


def test_differences_of_squares() -> None:
    np.testing.assert_allclose(differences(5, 2) @ np.arange(5.0) ** 2, 2.0)


def test_low_pass_halves_a_wave_at_its_cutoff_and_keeps_parabolas() -> None:
    time = np.arange(400) / 100.0
    smooth = low_pass(np.sin(2 * np.pi * 4.0 * time), 100.0, 4.0)
    np.testing.assert_allclose(
        smooth[100:300], 0.5 * np.sin(2 * np.pi * 4.0 * time)[100:300], atol=1e-3
    )
    parabola = np.stack([1.0 - time + 2.0 * time**2, time], axis=-1)
    np.testing.assert_allclose(low_pass(parabola, 100.0, 1.0), parabola, atol=1e-6)
    np.testing.assert_array_equal(low_pass(np.array([3.0, 1.0, 2.0]), 100.0, 1.0), [3.0, 1.0, 2.0])


def test_envelope_stays_below_its_ceiling() -> None:
    time = np.arange(200) / 50.0
    ceiling = np.where(np.abs(time - 2.0) < 0.1, 0.40, np.inf)
    path = envelope_below(np.full(200, 0.44), ceiling, 50.0, 3.5)
    assert np.max(path - ceiling) < 1e-3 and path[0] == pytest.approx(0.44, abs=2e-3)


# --- reach ----------------------------------------------------------------------------------------


def test_lengths_are_the_measured_robots(reach: LegReach) -> None:
    assert (reach.thigh, reach.shin) == pytest.approx((0.1924, 0.18), abs=2e-4)
    np.testing.assert_allclose(reach.low, [-0.0873, 0.0, -0.7854])
    np.testing.assert_allclose(reach.high, [1.5708, 1.3963, 0.7854])


def test_angles_are_where_mujoco_has_the_ankle(robot: RobotModel) -> None:
    reach, data = LegReach.of(robot), mujoco.MjData(robot.model)
    hip, knee, ankle = 0.5, 0.8, -0.2
    chain = robot.leg_joint_names(robot.foot_names[0])
    data.qpos[:] = robot.home_qpos
    lean = 0.1
    data.qpos[3:7] = [np.cos(lean / 2), 0.0, np.sin(lean / 2), 0.0]
    for name, angle in zip((chain[0], chain[-2], chain[-1]), (hip, knee, ankle), strict=True):
        data.qpos[7 + robot.joint_names.index(name)] = angle
    mujoco.mj_kinematics(robot.model, data)
    hip_at, ankle_at = (data.xanchor[robot.model.joint(name).id] for name in (chain[0], chain[-1]))
    ahead, up, pitch = reach.ankle(np.array([hip, knee, ankle]), np.array(lean))
    np.testing.assert_allclose(
        [ahead, up], [ankle_at[0] - hip_at[0], ankle_at[2] - hip_at[2]], atol=1e-3
    )
    assert pitch == pytest.approx(-np.arcsin(data.site(robot.foot_names[0]).xmat[6]), abs=1e-6)
    from_base = reach.hip_from_base(np.array(lean))
    np.testing.assert_allclose(
        from_base, [hip_at[0] - data.qpos[0], hip_at[2] - data.qpos[2]], atol=1e-6
    )


def test_angles_and_ankle_are_inverses(reach: LegReach) -> None:
    joints = np.random.default_rng(0).uniform([-0.08, 0.1, -0.7], [1.0, 1.3, 0.7], size=(50, 3))
    lean = np.linspace(-0.1, 0.2, 50)
    np.testing.assert_allclose(reach.angles(*reach.ankle(joints, lean), lean), joints, atol=1e-9)


def test_highest_hip_under_and_behind(reach: LegReach) -> None:
    """Straight down a leg is as long as it gets; far behind, the thigh is at its limit and the shin
    does the rest.
    """
    under = reach.highest_hip(np.array(0.0), np.array(0.0))
    square = reach.thigh**2 + reach.shin**2 + 2 * reach.thigh * reach.shin * np.cos(STRAIGHTEST)
    assert under == pytest.approx(np.sqrt(square))
    behind = reach.highest_hip(np.array(-0.15), np.array(0.0))
    hip, knee, _ = reach.angles(np.array(-0.15), -behind, np.array(0.0), np.array(0.0))
    assert hip == pytest.approx(reach.low[0] + MARGIN) and knee > STRAIGHTEST
    assert reach.highest_hip(np.array(-0.3), np.array(0.0)) == -np.inf


# --- soles and stances ----------------------------------------------------------------------------


def test_ramp_ends_with_its_slope() -> None:
    h = 1e-4
    np.testing.assert_allclose(
        ramp(np.array([-1.0, 0.0, 1.0, 2.0]), 2.4), [0.0, 0.0, 1.0, 1.0], atol=1e-12
    )
    assert (1.0 - ramp(np.array(1.0 - h), 2.4)) / h == pytest.approx(2.4, rel=1e-3)


def test_planted_sole_rolls_about_its_edges(wildrobot: RobotModel) -> None:
    """The edge on the floor stays on its spot, to the micrometre: nothing slides."""
    sole, time = read_sole(wildrobot, "left_foot"), np.linspace(1.0, 1.5, 60)
    pos, pitch = planted_sole(STEP, sole, time)
    assert pitch[0] == pytest.approx(-0.25) and pitch[-1] == pytest.approx(0.7)
    edge = np.where(pitch > 0, sole.front, sole.rear)
    ahead = np.array([np.cos(0.3), np.sin(0.3)])
    np.testing.assert_allclose(
        pos[:, :2] + (edge * np.cos(pitch))[:, None] * ahead,
        [0.2, 0.1] + edge[:, None] * ahead,
        atol=1e-9,
    )
    np.testing.assert_allclose(pos[:, 2] - edge * np.sin(pitch), 0.0, atol=1e-12)


def test_stance_of_unknown_length_stays_flat() -> None:
    standing = replace(STEP, down=-np.inf, up=np.inf)
    np.testing.assert_array_equal(stance_pitch(standing, np.linspace(-5, 5, 20)), 0.0)
    assert STEP.known and not standing.known


def test_floor_is_found_tilted_and_lifted(walker: HumanMotion) -> None:
    tilted = replace(walker, positions=walker.positions + np.array([0.0, 0.0, 0.2]))
    tilted.positions[..., 2] += 0.02 * tilted.positions[..., 0]
    a, b, c = ground.floor_plane(tilted, leg=SIZE * 0.37)
    assert a == pytest.approx(
        0.2, abs=0.015
    )  # the balls of the feet are a little above the soles while heels rise
    assert (b, c) == pytest.approx((0.02, 0.0), abs=2e-3)
    np.testing.assert_allclose(
        ground.above(np.array([0.2, 0.02, 0.0]), np.array([1.0, 5.0, 0.5])), [1.0, 5.0, 0.28]
    )


def test_stances_are_the_gaits(wildrobot: RobotModel, walker: HumanMotion) -> None:
    shape = walk_shape(0.6)
    human = scaled_human(wildrobot, walker, RetargetSettings(), 200.0)
    assert human.scale == pytest.approx(1 / SIZE, rel=0.02) and human.time_scale == pytest.approx(
        SIZE**-0.5, rel=0.01
    )
    for foot in stances(human, wildrobot.leg_length):
        downs, ups = np.array(foot).T
        np.testing.assert_allclose(np.diff(downs), 1 / shape.cadence, atol=0.03)
        np.testing.assert_allclose(ups - downs, shape.duty / shape.cadence, atol=0.06)


def test_heels_rise_when_the_leg_needs_it(wildrobot: RobotModel, reach: LegReach) -> None:
    sole, settings = read_sole(wildrobot, "left_foot"), RetargetSettings()
    time = np.linspace(1.12, 1.5, 20)
    ahead, hip_up, lean = np.linspace(0.05, -0.22, 20), np.full(20, 0.405), np.zeros(20)
    need, short = needed_pitch(reach, ahead, hip_up, lean, sole, settings.heel_rise)
    assert need[0] == 0.0 and need[-1] > 0.4 and not short.any()
    raised, _ = raise_heel(
        replace(STEP, rise=1.4, lift=0.2), reach, time, ahead, hip_up, lean, sole, settings
    )
    assert raised.rise < 1.4 and np.all(stance_pitch(raised, time) > need - 0.03)
    assert RISE_RATE * raised.lift / (raised.up - raised.rise) < 2.0 * settings.max_joint_speed


# --- balance --------------------------------------------------------------------------------------


def test_load_shares_ramp_in_double_support() -> None:
    left, right = replace(STEP, down=0.0, up=1.0), replace(STEP, down=0.9, up=1.9)
    fraction = balance.load_fraction(np.array([0.5, 0.925, 0.95, 1.4, 2.5]), [[left], [right]])
    np.testing.assert_allclose(
        fraction, [[1, 0], [0.75, 0.25], [0.5, 0.5], [0, 1], [0, 0]], atol=1e-12
    )


def test_balanced_path_is_the_pendulums() -> None:
    """p = sin(Omega t) gives c = sin(Omega t) / (1 + (Omega / omega)^2), away from the clip's
    ends.
    """
    time, omega = np.arange(300) / 50.0, 6.0
    load = np.stack([np.sin(2 * np.pi * time), 0.1 * time], axis=-1)
    want = load / [1 + (2 * np.pi / omega) ** 2, 1.0]
    path = balance.balanced_path(load, want, np.ones(300), 50.0, omega)
    np.testing.assert_allclose(path[50:250], want[50:250], atol=2e-3)


def test_nothing_bears_in_flight() -> None:
    """Without load the base goes straight on, whatever the load's path says there."""
    load = np.where(np.arange(100)[:, None] < 30, 0.0, 9.9) * np.ones(2)
    borne = (np.arange(100) < 30).astype(float)
    path = balance.balanced_path(
        load, 0.01 * np.arange(100.0)[:, None] * np.ones(2), borne, 50.0, 6.0
    )
    assert np.abs(np.diff(path[40:90], 2, axis=0)).max() * 50.0**2 < 0.05 * 9.81


def test_base_turns_against_turning_feet() -> None:
    turned = 0.1 * np.sin(2 * np.pi * 2.0 * np.arange(200) / 50.0)
    turn = balance.steadying_turn(np.diff(turned), np.zeros(200), 50.0)
    assert np.std((turn + turned)[20:-20]) < 0.1 * np.std(turned)
    again = balance.steadying_turn(np.diff(turn + turned), turn, 50.0)
    np.testing.assert_allclose(again, turn, atol=1e-9)  # what was added already is not added again


# --- swings ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("max_speed", [8.0, 6.0])
def test_swing_is_quick_enough_and_clear(
    wildrobot: RobotModel, reach: LegReach, max_speed: float
) -> None:
    """From a trailing toe to a heel ahead in 0.4 s; the human's knee would scuff and would be too
    fast.
    """
    sole, time, zero = read_sole(wildrobot, "left_foot"), np.arange(1, 21) / 50.0, np.zeros(3)
    ends = (np.stack([[-0.05, 0.95, -0.2], zero, zero]), np.stack([[0.75, 0.5, -0.05], zero, zero]))
    human = np.stack(
        [
            np.linspace(-0.05, 0.75, 20),
            0.7 + 0.6 * np.sin(np.linspace(0, 5, 20)),
            np.full(20, -0.1),
        ],
        axis=-1,
    )
    hip_up, lean = np.full(20, 0.41), np.zeros(20)
    path = SwingPath(time, (0.0, 0.42), ends, human)
    joints = swing_joints(path, reach, hip_up, lean, sole, 0.025, max_speed)
    speed = np.diff(joints, axis=0) * 50.0
    assert np.abs(speed).max() < max_speed + 0.3
    assert np.all(joints > reach.low) and np.all(joints < reach.high)
    _, up, pitch = reach.ankle(joints, lean)
    foot = hip_up + up - reach.ankle_height * np.cos(pitch)
    low = foot - np.maximum(sole.front * np.sin(pitch), sole.rear * np.sin(pitch))
    assert low[6:14].min() > SCUFF - 0.002 and low.max() > 0.023
    np.testing.assert_allclose(path.joints(np.zeros(12))[-1], ends[1][0], atol=0.02)


# --- metrics, inverse kinematics, settings --------------------------------------------------------


def test_slide_counts_touching_corners_of_planted_feet_alone() -> None:
    corners = np.zeros((3, 2, 1, 3))
    corners[:, 0, 0, 0] = [0.0, 0.001, 0.003]  # planted, on the floor: 50 and 100 mm/s.
    corners[:, 1, 0] = [[0, 0, 0.1], [1, 0, 0.1], [2, 0, 0.1]]  # planted as well, in the air
    np.testing.assert_allclose(slide_speeds(corners, np.ones((3, 2), bool), 50.0), [0.05, 0.1])
    assert len(slide_speeds(corners, np.zeros((3, 2), bool), 50.0)) == 0


def test_ik_follows_a_heading(wildrobot: RobotModel) -> None:
    """The pose for turned targets is the turned pose."""
    ik, home, yaw = LegIK(wildrobot), wildrobot.home_qpos, 2.0
    target = np.array([[0.06, 0.09, 0.02], [-0.05, -0.095, 0.0]])
    straight, _ = ik.solve(home, target, np.array([0.2, -0.05]))
    turn = np.array(
        [[np.cos(yaw), -np.sin(yaw), 0.0], [np.sin(yaw), np.cos(yaw), 0.0], [0.0, 0.0, 1.0]]
    )
    start = home.copy()
    start[3:7] = [np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)]
    turned, miss = ik.solve(start, target @ turn.T, np.array([0.2, -0.05]), yaw)
    assert miss < 1e-6
    np.testing.assert_allclose(turned[7:], straight[7:], atol=1e-4)
    warm, _ = ik.solve_path(
        turned[None], (target @ turn.T)[None], np.array([[0.2, -0.05]]), np.array([yaw]), True, 1
    )
    np.testing.assert_allclose(warm[0], turned, atol=1e-6)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"fps": 5.0}, "retarget.fps is 5.0; allowed: 20 to 500"),
        ({"stride": float("nan")}, "retarget.stride is nan"),
        ({"time_scale": 0.0}, "retarget.time_scale is 0.0; allowed: 0.2 to 5"),
        ({"balance": -1}, "retarget.balance is -1"),
    ],
)
def test_settings_are_checked(wrong: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RetargetSettings(**wrong)
