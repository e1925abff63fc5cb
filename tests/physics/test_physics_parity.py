"""Native against MJX: the same states give the same numbers, and 0.2 s of physics stay together.

Stated tolerance of the horizon: qpos within 0.005 (m, rad), pads and feet within 5 mm, servo
torques within 0.15 N*m. See test_engine_parity.py for ordinary resets of the environment.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

from wildrobot_gym.physics.drive import Drive
from wildrobot_gym.physics.mjx import MjxEngine
from wildrobot_gym.physics.native import NativePhysics
from wildrobot_gym.physics.state import PhysicsState, select
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import EnvConfig
from wildrobot_gym.task.walk import WalkTask

N = 4


class Mjx:
    """MJX's engine for `N` robots, compiled once."""

    def __init__(self, robot: RobotModel) -> None:
        engine = MjxEngine(robot)
        self._init, self._step = (jax.jit(jax.vmap(f)) for f in (engine.init, engine.step))
        self.data: Any = None

    def reset(self, ids: np.ndarray, qpos: np.ndarray, qvel: np.ndarray) -> PhysicsState:
        """Place some robots; the state of all is right for those placed."""
        wide = [np.zeros((N, x.shape[1]), np.float32) for x in (qpos, qvel)]
        wide[0][:, 3] = 1.0
        for all_of, some in zip(wide, (qpos, qvel), strict=True):
            all_of[ids] = some
        mask = np.isin(np.arange(N), ids)
        new, state = self._init(*wide)
        self.data = new if self.data is None else select(mask, new, self.data)
        return state

    def step(self, drive: Drive) -> PhysicsState:
        drive = jax.tree.map(lambda x: x.astype(np.float32), drive)
        self.data, state = self._step(self.data, drive)
        return state


@pytest.fixture(scope="module")
def mjx_physics(wildrobot: RobotModel) -> Mjx:
    """Compiled once for this file; each test resets it."""
    return Mjx(wildrobot)


def starts(robot: RobotModel) -> tuple[np.ndarray, np.ndarray]:
    """A millimetre over the floor, so that the first contacts come softly."""
    rng = np.random.default_rng(0)
    qpos = np.tile(robot.home_qpos, (N, 1))
    qpos[:, 2] += 0.001
    qpos[:, 7:] = np.clip(
        qpos[:, 7:] + rng.uniform(-0.01, 0.01, (N, robot.num_joints)), *robot.joint_range.T
    )
    return qpos, rng.uniform(-0.02, 0.02, (N, robot.model.nv))


def targets(robot: RobotModel, step: int) -> np.ndarray:
    wave = 0.06 * np.sin(0.4 * step + np.arange(robot.num_joints) + np.arange(N)[:, None])
    return np.clip(robot.home_joint_pos + wave, *robot.joint_range.T)


def assert_close(a: PhysicsState, b: PhysicsState, tolerances: dict[str, float]) -> None:
    np.testing.assert_array_equal(a.diverged, b.diverged)
    for name, atol in tolerances.items():
        np.testing.assert_allclose(
            getattr(a, name), getattr(b, name), rtol=0, atol=atol, err_msg=name
        )


def test_same_state_same_numbers(wildrobot: RobotModel, mjx_physics: Mjx) -> None:
    native = NativePhysics(wildrobot, N)
    qpos, qvel = starts(wildrobot)
    ids = np.arange(N)
    a, b = native.reset(ids, qpos, qvel), mjx_physics.reset(ids, qpos, qvel)
    kinematic = dict.fromkeys(
        ("qpos", "qvel", "pad_pos_w", "pad_vel_w", "foot_pos_w", "foot_quat_w"), 2e-6
    )
    assert_close(a, b, {**kinematic, "actuator_forces": 1e-4, "pad_forces": 0.15})


def test_same_state_same_task_outputs(wildrobot: RobotModel, mjx_physics: Mjx) -> None:
    """Observation, reward and done of both engines, each set on the other's states along a
    motion.
    """
    task = WalkTask(wildrobot, EnvConfig(), max_episode_steps=500)
    native = NativePhysics(wildrobot, N)
    advance = jax.jit(jax.vmap(task.advance))
    keys = jax.random.split(jax.random.PRNGKey(0), N)
    begun = jax.vmap(task.blank)(keys)
    ids = np.arange(N)
    native.reset(ids, *starts(wildrobot))
    for step in range(4):
        moved = native.step(Drive(targets(wildrobot, step)))
        qpos, qvel = moved.qpos.astype(float), moved.qvel.astype(float)
        if step == 3:
            qpos[1, 2] = 0.1  # fallen
        action = np.full((N, wildrobot.num_joints), 0.1 * step, np.float32)
        here = advance(begun, NativePhysics(wildrobot, N).reset(ids, qpos, qvel), action)[1]
        there = advance(begun, mjx_physics.reset(ids, qpos, qvel), action)[1]
        np.testing.assert_allclose(here.obs, there.obs, atol=1e-5)
        np.testing.assert_array_equal(here.terminated, there.terminated)
        np.testing.assert_array_equal(here.truncated, there.truncated)
        np.testing.assert_allclose(here.reward, there.reward, atol=1e-4)
    assert here.terminated.tolist() == [False, True, False, False]


@pytest.mark.slow
def test_a_horizon_with_staggered_resets(wildrobot: RobotModel, mjx_physics: Mjx) -> None:
    native = NativePhysics(wildrobot, N)
    qpos, qvel = starts(wildrobot)
    for physics in (native, mjx_physics):
        physics.reset(np.arange(N), qpos, qvel)
    for step in range(10):
        if step in (3, 6):
            again = np.array([step // 3, 3])
            for physics in (native, mjx_physics):
                physics.reset(again, qpos[again], qvel[again])
        a, b = (physics.step(Drive(targets(wildrobot, step))) for physics in (native, mjx_physics))
        assert np.abs(a.actuator_forces).max() < 3.9
    assert_close(
        a, b, {"qpos": 0.005, "pad_pos_w": 0.005, "foot_pos_w": 0.005, "actuator_forces": 0.15}
    )


@pytest.mark.slow
def test_a_broken_robot_restarts_alone(wildrobot: RobotModel, mjx_physics: Mjx) -> None:
    qpos, qvel = starts(wildrobot)
    mjx_physics.reset(np.arange(N), qpos, qvel)
    whole = mjx_physics.step(Drive(targets(wildrobot, 0)))
    broken = qpos.copy()
    broken[2, 8] = np.nan
    mjx_physics.reset(np.arange(N), broken, qvel)
    state = mjx_physics.step(Drive(targets(wildrobot, 0)))
    np.testing.assert_array_equal(state.diverged, [False, False, True, False])
    rows = np.array([0, 1, 3])
    for name, value in vars(state).items():
        if value is None:  # level ground
            continue
        assert np.isfinite(value).all(), name
        np.testing.assert_array_equal(value[rows], getattr(whole, name)[rows], err_msg=name)
    np.testing.assert_allclose(state.qpos[2], wildrobot.home_qpos, atol=1e-6)
