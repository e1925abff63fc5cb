"""The generated walks: pendulum and foot paths by hand, then properties of every clip of the
shipped reference.
"""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.gait import feet, lipm, tune
from wildrobot_gym.motion.gait.build import STYLES, WALK_SPEEDS, stand_clip
from wildrobot_gym.motion.gait.cycle import GaitCycle, walk_cycle
from wildrobot_gym.motion.gait.shape import (
    TUNED,
    TUNED_SPEEDS,
    GaitStyle,
    human_cadence,
    walk_shape,
)
from wildrobot_gym.motion.ik import LegIK
from wildrobot_gym.motion.states import clip_states
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel

LOADED = 0.10  # of the weight (EVALUATION.md)


@pytest.fixture(scope="module", params=(*WALK_SPEEDS, 0.9, 1.0))
def cycle(request: pytest.FixtureRequest, wildrobot: RobotModel) -> GaitCycle:
    return walk_cycle(wildrobot, request.param)


# --- parts by hand --------------------------------------------------------------------------------


def test_the_pendulum_of_one_harmonic() -> None:
    """p = sin(Omega t) gives x = sin(Omega t) / (1 + (Omega / omega)^2)."""
    t = np.arange(64) / 64
    com = lipm.com_from_zmp(np.sin(2 * np.pi * t), period_s=0.5, omega=5.0)
    np.testing.assert_allclose(
        com, np.sin(2 * np.pi * t) / (1 + (4 * np.pi / 5.0) ** 2), atol=1e-12
    )


def test_pendulum_there_and_back() -> None:
    zmp = np.random.default_rng(0).normal(size=(64, 2))
    com = lipm.com_from_zmp(zmp, 0.7, 5.5)
    np.testing.assert_allclose(lipm.zmp_from_com(com, 0.7, 5.5), zmp, atol=1e-9)
    np.testing.assert_allclose(lipm.com_from_zmp(np.ones(64), 0.7, 5.5), 1.0)


def test_sole_of_the_measured_robot(wildrobot: RobotModel) -> None:
    sole = feet.read_sole(wildrobot, "left_foot")
    assert [ids for _, ids in sole.rows] == [(1,), (0,)]  # the heel, then the toe
    edges = [sole.front, sole.rear, sole.left, sole.right]
    np.testing.assert_allclose(edges, [0.0944, -0.0546, 0.047, -0.043], atol=1e-4)


def test_the_foot_rolls_over_its_edges(wildrobot: RobotModel) -> None:
    """In stance the lowest corner of the sole stays on the floor and on its spot."""
    shape = walk_shape(0.6)
    path = feet.plan(feet.read_sole(wildrobot, "left_foot"), shape, stride=0.45)
    s = np.linspace(0, shape.duty, 50)
    x, _, pitch = path(s)
    np.testing.assert_allclose(path.lowest_corner(s), 0.0, atol=1e-9)
    edge = np.where(pitch > 0, path.sole.front, path.sole.rear)
    np.testing.assert_allclose(x + edge * np.cos(pitch), edge, atol=1e-9)
    assert pitch[0] == pytest.approx(-shape.heel_strike) and pitch[-1] == pytest.approx(
        shape.heel_rise
    )


def test_the_foot_path_is_smooth_and_closes(wildrobot: RobotModel) -> None:
    path = feet.plan(feet.read_sole(wildrobot, "left_foot"), walk_shape(0.6), stride=0.45)
    h = 1e-4
    for s in (path.shape.flat_at, path.shape.rise_at, path.shape.duty):
        before, after = (
            np.array(path(s + side * np.array([2 * h, h, 0.0]) + side * 1e-9)) for side in (-1, 1)
        )
        np.testing.assert_allclose(before[:, 2], after[:, 2], atol=1e-6)
        np.testing.assert_allclose(
            (before[:, 2] - before[:, 1]) / h, (after[:, 1] - after[:, 2]) / h, atol=2e-2
        )
    start, end = np.array(path(np.array([0.0]))), np.array(path(np.array([1.0])))
    np.testing.assert_allclose((end - start).ravel(), [0.45, 0.0, 0.0], atol=1e-9)


def test_ik_puts_feet_where_they_are_wanted(robot: RobotModel) -> None:
    home = robot.home_qpos
    data = mujoco.MjData(robot.model)
    target = np.array([[0.06, 0.09, 0.02], [-0.05, -0.095, 0.0]])
    pose, miss = LegIK(robot).solve(home, target, np.array([0.1, -0.05]))
    assert miss < 1e-6
    np.testing.assert_array_equal(pose[:7], home[:7])
    data.qpos[:] = pose
    mujoco.mj_kinematics(robot.model, data)
    for foot, pos, pitch in zip(robot.foot_names, target, (0.1, -0.05), strict=True):
        np.testing.assert_allclose(data.site(foot).xpos, pos, atol=1e-6)
        assert -np.arcsin(data.site(foot).xmat[6]) == pytest.approx(pitch, abs=2e-3)


def test_cadence_is_near_the_froude_scaled_humans() -> None:
    assert human_cadence(0.84) == pytest.approx(1.36)
    for speed in (0.6, 0.7, 0.8, 0.9, 1.0):
        assert 0.85 < walk_shape(speed).cadence / human_cadence(speed) < 1.3
    assert all(
        0.9 <= walk_shape(v).cadence * style.cadence <= 2.2
        for v in WALK_SPEEDS
        for style in STYLES.values()
    )


def test_speeds_and_styles_out_of_reach_are_refused(wildrobot: RobotModel) -> None:
    with pytest.raises(MotionError, match=r"2.0 m/s; allowed: 0.1 to 1.1"):
        walk_cycle(wildrobot, 2.0)
    with pytest.raises(MotionError, match="out of the legs' reach"):
        walk_cycle(wildrobot, 1.0, GaitStyle(crouch=-0.03))


# --- the cycles' dynamics -------------------------------------------------------------------------


def test_the_load_is_where_it_was_planned(cycle: GaitCycle) -> None:
    """Inverse dynamics of the whole robot finds the zero-moment point within 5 mm (root mean
    square) of the plan.
    """
    error = np.sqrt(np.mean(np.square(cycle.demand.zmp - cycle.planned_zmp), axis=0))
    assert error.max() < 0.005


def test_the_floor_carries_the_weight_and_never_pulls(
    cycle: GaitCycle, wildrobot: RobotModel
) -> None:
    weight = wildrobot.mass * lipm.GRAVITY
    assert cycle.demand.force[:, 2].mean() == pytest.approx(weight, rel=0.01)
    assert cycle.demand.force[:, 2].min() > 0.3 * weight
    np.testing.assert_allclose(cycle.pad_forces.sum(axis=1), cycle.demand.force[:, 2], atol=1e-6)
    assert cycle.pad_forces.min() >= 0


def test_servos_are_not_asked_for_the_impossible(cycle: GaitCycle, wildrobot: RobotModel) -> None:
    saturated = np.abs(cycle.demand.torque) >= 0.98 * wildrobot.force_limit
    allowed = 0.0 if cycle.speed <= 0.6 else 0.07 if cycle.speed <= 0.8 else 0.20
    assert saturated.mean() <= allowed


def test_the_table_is_what_the_search_may_find(wildrobot: RobotModel) -> None:
    for speed, numbers in zip(TUNED_SPEEDS, np.array(TUNED).T, strict=True):
        low, high = tune.bounds(speed)
        assert (numbers >= low - 0.03 * (high - low)).all() and (
            numbers <= high + 0.03 * (high - low)
        ).all(), speed
    cost = [
        0.5 * np.sum(tune.residuals(wildrobot, 0.6, n) ** 2) for n in (np.array(TUNED).T[2], low)
    ]
    assert cost[0] < 0.5 < cost[1]


# --- every clip of the shipped reference ----------------------------------------------------------


def test_clips_are_complete(robot: RobotModel, default_clips: list[MotionClip]) -> None:
    names = [c.name for c in default_clips]
    assert len(set(names)) == len(names) == 2 * len(WALK_SPEEDS) * len(STYLES)
    for clip in default_clips:
        clip.check(robot)
        assert clip.pad_forces is not None


def test_joints_keep_their_limits(robot: RobotModel, default_clips: list[MotionClip]) -> None:
    low, high = robot.joint_range.T
    for clip in default_clips:
        assert (clip.joint_pos >= low - 1e-4).all() and (clip.joint_pos <= high + 1e-4).all(), (
            clip.name
        )


def test_speeds_are_the_named_ones(robot: RobotModel, default_clips: list[MotionClip]) -> None:
    for clip in default_clips:
        frames = round(clip.metadata["period_s"] * clip.fps * 6)
        traveled = clip.root_pos[frames] - clip.root_pos[0]
        assert traveled[0] / (frames / clip.fps) == pytest.approx(clip.command[0], rel=0.02), (
            clip.name
        )
        assert abs(traveled[1]) < 0.01, clip.name


def test_joints_are_slow_enough(
    default_clips: list[MotionClip], default_states: list[PhysicsState]
) -> None:
    for clip, state in zip(default_clips, default_states, strict=True):
        fastest = np.abs(state.qvel[:, 6:]).max()
        assert fastest < 8.0, (clip.name, fastest)


def test_stance_feet_neither_float_nor_sink_nor_slide(
    robot: RobotModel, default_clips: list[MotionClip], default_states: list[PhysicsState]
) -> None:
    for clip, state in zip(default_clips, default_states, strict=True):
        weight = robot.mass * lipm.GRAVITY
        for foot_pads in robot.pad_ids_of_foot:
            lowest = _lowest_corner(robot, state, foot_pads)
            loaded = state.pad_forces[:, foot_pads].sum(axis=1) > LOADED * weight
            assert np.abs(lowest[loaded]).max() < 3e-3, clip.name
            assert lowest.min() > -3e-3, clip.name
        # A flat foot under load stays where it is; a rocking one turns about its edge.
        flat = np.abs(_pitch(state.foot_quat_w)) < 0.01
        for foot, foot_pads in enumerate(robot.pad_ids_of_foot):
            loaded = (state.pad_forces[:, foot_pads].sum(axis=1) > 0.5 * weight) & flat[:, foot]
            speed = np.linalg.norm(state.pad_vel_w[:, foot_pads, :2], axis=-1)
            assert not loaded.any() or speed[loaded].mean() < 0.02, (
                clip.name,
                speed[loaded].mean(),
            )


def test_walks_look_natural_by_the_benchmarks_metrics(
    robot: RobotModel, default_clips: list[MotionClip], default_states: list[PhysicsState]
) -> None:
    weight = robot.mass * lipm.GRAVITY
    for clip, state in zip(default_clips, default_states, strict=True):
        load = np.stack(
            [state.pad_forces[:, p].sum(axis=1) > LOADED * weight for p in robot.pad_ids_of_foot]
        )
        single = np.mean(load.sum(axis=0) == 1)
        assert load.any(axis=0).all(), f"{clip.name} flies"
        assert 0.50 <= single <= 0.85, (clip.name, single)
        for foot, foot_pads in enumerate(robot.pad_ids_of_foot):
            lowest = _lowest_corner(robot, state, foot_pads)
            touchdowns = np.flatnonzero(np.diff(load[foot].astype(int)) == 1)
            assert 0.9 <= len(touchdowns) / clip.duration_s <= 2.2, clip.name
            swings = np.split(lowest, touchdowns)[1:-1]
            assert np.median([s.max() for s in swings]) >= 0.02, clip.name


def test_forces_sum_to_the_weight(robot: RobotModel, default_clips: list[MotionClip]) -> None:
    for clip in default_clips:
        assert clip.pad_forces.sum(axis=1).mean() == pytest.approx(
            robot.mass * lipm.GRAVITY, rel=0.03
        ), clip.name


def test_walks_are_symmetric(robot: RobotModel) -> None:
    """The mirror image of a cycle is the same cycle half a period later; the torso's mass is 2.5 mm
    off center.
    """
    cycle = walk_cycle(robot, 0.6)
    half = len(cycle.qpos) // 2
    mirrored = cycle.qpos[:, 7:][:, robot.joint_mirror_ids] * robot.joint_mirror_signs
    np.testing.assert_allclose(np.roll(mirrored, half, axis=0), cycle.qpos[:, 7:], atol=1e-2)
    np.testing.assert_allclose(np.roll(-cycle.qpos[:, 1], half), cycle.qpos[:, 1], atol=4e-3)


def test_cycles_close_and_are_smooth(robot: RobotModel) -> None:
    cycle = walk_cycle(robot, 0.4)
    first, forces = cycle.at(np.array([0.1, 0.1 + 3 * cycle.period_s]))
    np.testing.assert_allclose(first[1, 0] - first[0, 0], 3 * cycle.period_s * 0.4)
    np.testing.assert_allclose(first[0, 1:], first[1, 1:], atol=1e-9)
    np.testing.assert_allclose(forces[0], forces[1], atol=1e-9)
    dense, _ = cycle.at(np.linspace(0, 2 * cycle.period_s, 1000))
    steps = np.diff(dense[:, 7:], axis=0)
    assert np.abs(np.diff(steps, axis=0)).max() < 1e-3  # no jump in velocity anywhere


def test_standing_stands(robot: RobotModel) -> None:
    stand = stand_clip(robot)
    state = clip_states(robot, stand)
    assert stand.command == (0.0, 0.0, 0.0)
    assert np.ptp(state.foot_pos_w, axis=0).max() < 1e-3
    assert 1e-3 < np.ptp(state.qpos[:, 0]) < 0.02 and np.abs(state.qvel[:, :3]).max() < 0.02
    assert state.pad_forces.min() > 1.0


def _lowest_corner(robot: RobotModel, state, pads: np.ndarray) -> np.ndarray:
    """Height of a foot's lowest corner in every frame: pad centers less their half sizes along the
    tilted sole.
    """
    foot = int(np.flatnonzero([pads[0] in ids for ids in robot.pad_ids_of_foot])[0])
    w, x, y, z = np.moveaxis(state.foot_quat_w[:, foot].astype(float), -1, 0)
    down_x, down_y = np.abs(2 * (x * z - w * y)), np.abs(2 * (y * z + w * x))
    half = robot.pad_half_size[pads]
    center = state.pad_pos_w[:, pads, 2].astype(float)
    return np.min(center - down_x[:, None] * half[:, 0] - down_y[:, None] * half[:, 1], axis=1)


def _pitch(quat: np.ndarray) -> np.ndarray:
    w, x, y, z = np.moveaxis(quat, -1, 0)
    return np.arcsin(2 * (w * y - x * z))
