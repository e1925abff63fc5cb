"""The native engine.

What it returns, resets, frozen environments, blow-ups, determinism, saved states.
"""

from __future__ import annotations

import re

import mujoco
import numpy as np
import pytest

from wildrobot_gym.errors import PhysicsError
from wildrobot_gym.physics import make_engine
from wildrobot_gym.physics.drive import Drive
from wildrobot_gym.physics.native import NativePhysics
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel

N = 4


@pytest.fixture(autouse=True)
def in_own_folder(tmp_path, monkeypatch) -> None:
    """MuJoCo writes its warnings of blow-ups to a log in the present folder."""
    monkeypatch.chdir(tmp_path)


def starts(robot: RobotModel, n: int = N, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    qpos = np.tile(robot.home_qpos, (n, 1))
    qpos[:, 7:] = np.clip(
        qpos[:, 7:] + rng.uniform(-0.02, 0.02, (n, robot.num_joints)), *robot.joint_range.T
    )
    return qpos, rng.uniform(-0.1, 0.1, (n, robot.model.nv))


def started(robot: RobotModel, n: int = N) -> NativePhysics:
    physics = NativePhysics(robot, n, num_threads=2)
    physics.reset(np.arange(n), *starts(robot, n))
    return physics


def targets(robot: RobotModel, step: int, n: int = N) -> np.ndarray:
    wave = 0.2 * np.sin(0.4 * step + np.arange(robot.num_joints) + np.arange(n)[:, None])
    return np.clip(robot.home_joint_pos + wave, *robot.joint_range.T)


def assert_same(a: PhysicsState, b: PhysicsState, rows=slice(None)) -> None:
    for name in set(a.__dataclass_fields__) - {"ground"}:
        np.testing.assert_array_equal(getattr(a, name)[rows], getattr(b, name)[rows], err_msg=name)


def test_reset_places_the_robots(robot: RobotModel) -> None:
    physics = NativePhysics(robot, N)
    qpos, qvel = starts(robot)
    before = physics.step(Drive(targets(robot, 0)))
    state = physics.reset(np.array([1, 3]), qpos[[1, 3]], qvel[[1, 3]])
    np.testing.assert_array_equal(state.qpos[[1, 3]], qpos[[1, 3]].astype(np.float32))
    np.testing.assert_array_equal(state.qvel[[1, 3]], qvel[[1, 3]].astype(np.float32))
    assert_same(state, before, [0, 2])
    assert state.qpos.dtype == np.float32
    assert_same(physics.reset(np.array([], int), qpos[:0], qvel[:0]), state)


def test_a_standing_robot_weighs_what_it_weighs(robot: RobotModel) -> None:
    physics = NativePhysics(robot, 1)
    for _ in range(150):
        state = physics.step(Drive(robot.home_joint_pos[None]))
    assert state.pad_forces.sum() == pytest.approx(robot.mass * 9.81, rel=2e-3)
    assert robot.mass * 9.81 == pytest.approx(33.1, abs=0.05)
    assert state.qpos[0, 2] == pytest.approx(robot.home_qpos[2], abs=3e-3)
    assert np.abs(state.qvel).max() < 1e-3
    assert np.abs(state.pad_pos_w[..., 2]).max() < 2e-3


def test_sensors_belong_to_the_end_of_the_step(robot: RobotModel) -> None:
    physics = started(robot)
    for step in range(5):
        state = physics.step(Drive(targets(robot, step)))
    data = mujoco.MjData(robot.model)
    for i in range(N):
        data.qpos[:], data.qvel[:] = state.qpos[i], state.qvel[i]
        mujoco.mj_forward(robot.model, data)
        for p, pad in enumerate(robot.pad_names):
            np.testing.assert_allclose(state.pad_pos_w[i, p], data.site(pad).xpos, atol=1e-6)
            velocity = np.zeros(6)
            mujoco.mj_objectVelocity(
                robot.model, data, mujoco.mjtObj.mjOBJ_SITE, data.site(pad).id, velocity, 0
            )
            np.testing.assert_allclose(state.pad_vel_w[i, p], velocity[3:], atol=1e-5)
        for f, foot in enumerate(robot.foot_names):
            np.testing.assert_allclose(state.foot_pos_w[i, f], data.site(foot).xpos, atol=1e-6)
            quat = np.zeros(4)
            mujoco.mju_mat2Quat(quat, data.site(foot).xmat)
            assert abs(quat @ state.foot_quat_w[i, f]) == pytest.approx(1, abs=1e-5)
    assert (np.abs(state.actuator_forces) <= robot.force_limit + 1e-5).all()


def test_what_is_returned_is_a_copy(wildrobot: RobotModel) -> None:
    physics, twin = started(wildrobot), started(wildrobot)
    state = physics.step(Drive(targets(wildrobot, 0)))
    twin.step(Drive(targets(wildrobot, 0)))
    kept = state.qpos.copy()
    state.pad_forces[:] = 1e6
    state.qvel[:] = np.nan
    after = physics.step(Drive(targets(wildrobot, 1)))
    np.testing.assert_array_equal(state.qpos, kept)
    assert_same(after, twin.step(Drive(targets(wildrobot, 1))))


def test_bit_for_bit_whatever_the_number_of_threads(wildrobot: RobotModel) -> None:
    one, two = (
        NativePhysics(wildrobot, N, num_threads=1),
        NativePhysics(wildrobot, N, num_threads=2),
    )
    for physics in (one, two):
        physics.reset(np.arange(N), *starts(wildrobot))
    for step in range(20):
        assert_same(
            one.step(Drive(targets(wildrobot, step))), two.step(Drive(targets(wildrobot, step)))
        )


def test_frozen_environments_do_not_move(wildrobot: RobotModel) -> None:
    physics, free = started(wildrobot), started(wildrobot)
    before = physics.step(Drive(targets(wildrobot, 0)))
    free.step(Drive(targets(wildrobot, 0)))
    frozen = np.array([True, False, False, True])
    after = physics.step(Drive(targets(wildrobot, 1)), frozen)
    assert_same(after, before, frozen)
    assert_same(after, free.step(Drive(targets(wildrobot, 1))), ~frozen)
    assert_same(physics.step(Drive(targets(wildrobot, 2)), np.ones(N, bool)), after)


def test_a_blow_up_ends_one_environment_and_touches_no_other(wildrobot: RobotModel) -> None:
    physics, twin = started(wildrobot), started(wildrobot)
    others = [0, 1, 3]
    # Twice running, and once more after a step in peace.
    for step, broken in enumerate([True, True, False, True]):
        if broken:
            physics.batch.bind("qpos")[2, 9] = np.nan
        state, calm = (
            physics.step(Drive(targets(wildrobot, step))),
            twin.step(Drive(targets(wildrobot, step))),
        )
        np.testing.assert_array_equal(state.diverged, [False, False, broken, False])
        assert_same(state, calm, others)
        for name in set(state.__dataclass_fields__) - {"ground"}:
            assert np.isfinite(getattr(state, name)).all(), name
        if broken:
            np.testing.assert_array_equal(state.qpos[2], wildrobot.home_qpos.astype(np.float32))
    assert (physics.num_diverged, twin.num_diverged) == (3, 0)
    physics.batch.bind("qvel")[0] = 1e12
    np.testing.assert_array_equal(
        physics.step(Drive(targets(wildrobot, 9))).diverged, [True, False, False, False]
    )


def test_a_blow_up_right_after_a_reset_is_seen(wildrobot: RobotModel) -> None:
    physics = started(wildrobot)
    for count in (1, 2):
        physics.batch.bind("qpos")[1, 7] = np.inf
        assert physics.step(Drive(targets(wildrobot, 0))).diverged[1]
        qpos, qvel = starts(wildrobot)
        assert not physics.reset(np.array([1]), qpos[[1]], qvel[[1]]).diverged.any()
        assert physics.num_diverged == count


def test_saved_states_continue_bit_for_bit(wildrobot: RobotModel) -> None:
    physics = started(wildrobot)
    for step in range(7):
        last = physics.step(Drive(targets(wildrobot, step)))
    saved = {k: v.copy() for k, v in physics.get_state().items()}
    wanted = [physics.step(Drive(targets(wildrobot, step))) for step in range(7, 12)]
    other = NativePhysics(wildrobot, N)
    assert_same(other.set_state(saved), last)
    for name, array in other.get_state().items():  # it may be saved again at once
        np.testing.assert_array_equal(array, saved[name])
    qpos, qvel = starts(wildrobot)
    twin = NativePhysics(wildrobot, N)
    twin.set_state(saved)
    state = twin.reset(np.array([1]), qpos[[1]], qvel[[1]])  # the others stay as restored
    for name, array in vars(state).items():
        if name != "ground":
            np.testing.assert_array_equal(array[0], getattr(last, name)[0])
    assert not np.array_equal(state.pad_forces[1], last.pad_forces[1])
    for step, want in zip(range(7, 12), wanted, strict=True):
        assert_same(other.step(Drive(targets(wildrobot, step))), want)
    with pytest.raises(PhysicsError, match="another robot or number of environments"):
        NativePhysics(wildrobot, N + 1).set_state(saved)
    with pytest.raises(PhysicsError, match=r"has no forces, rows, sensordata"):
        physics.set_state({"leaf_0": np.zeros(3)})


@pytest.mark.parametrize("control_dt", [0.021, 0.0005, 0.0, 1.002, 1e38])
def test_control_period_must_fit(wildrobot: RobotModel, control_dt: float) -> None:
    with pytest.raises(
        PhysicsError, match=rf"control_dt is {re.escape(f'{control_dt:g}')} s.*multiples.*0\.002"
    ):
        NativePhysics(wildrobot, 1, control_dt)


def test_control_period_counts_substeps(wildrobot: RobotModel) -> None:
    coarse, fine = NativePhysics(wildrobot, 1, 0.02), NativePhysics(wildrobot, 1, 0.004)
    one = coarse.step(Drive(targets(wildrobot, 0, 1)))
    for _ in range(5):
        five = fine.step(Drive(targets(wildrobot, 0, 1)))
    # Position sensors are brought up to date between control steps, nothing else differs.
    np.testing.assert_allclose(one.qpos, five.qpos, atol=1e-6)


def test_unknown_backend(wildrobot: RobotModel) -> None:
    with pytest.raises(PhysicsError, match=r"'nativ'.*Did you mean 'native'.*mjx"):
        make_engine("nativ", wildrobot)


def test_pushes_reach_the_floor_and_end_with_a_reset(robot: RobotModel) -> None:
    physics = NativePhysics(robot, 2)
    physics.push_base(np.array([[0, 0, 10.0, 0, 0, 0], [0] * 6]))
    for _ in range(150):
        state = physics.step(Drive(np.tile(robot.home_joint_pos, (2, 1))))
    np.testing.assert_allclose(
        state.pad_forces.sum(axis=-1), [robot.weight - 10.0, robot.weight], rtol=5e-3
    )
    physics.reset(np.arange(2), np.tile(robot.home_qpos, (2, 1)), np.zeros((2, robot.model.nv)))
    for _ in range(150):
        state = physics.step(Drive(np.tile(robot.home_joint_pos, (2, 1))))
    np.testing.assert_allclose(state.pad_forces.sum(axis=-1), robot.weight, rtol=5e-3)
