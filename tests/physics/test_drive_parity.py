"""One drawn set of everything, native against MJX: the same robot in the same world."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from wildrobot_gym.config import build
from wildrobot_gym.experiments.bench.everything import EVERYTHING
from wildrobot_gym.physics.drive import Drive
from wildrobot_gym.physics.mjx import MjxEngine
from wildrobot_gym.physics.native import NativePhysics
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import EnvConfig
from wildrobot_gym.task.randomization.world import World

N, STEPS = 4, 4


def drives(robot: RobotModel, fields: dict[str, Any]) -> list[Drive]:
    """A push first, then a force; targets that come late, and play."""
    rng = np.random.default_rng(0)
    home = np.tile(robot.home_joint_pos, (N, 1))
    targets = [home + rng.uniform(-0.05, 0.05, home.shape) for _ in range(STEPS + 1)]
    return [
        Drive(
            targets[step + 1],
            before=targets[step],
            switch=np.array([0, 3, 7, 10]),
            backlash=np.tile([[0.0], [0.004], [0.008], [0.02]], robot.num_joints),
            push=np.full((N, 3), [0.05, -0.04, 0.0]) * (step == 0),
            wrench=np.full((N, 6), [1.0, 0.5, 0.0, 0.0, 0.0, 0.0]) * (step > 0),
            fields=fields,
        )
        for step in range(STEPS)
    ]


@pytest.mark.slow  # MJX compiles for a minute
def test_engines_agree_on_everything(wildrobot: RobotModel) -> None:
    config = build(EnvConfig, EVERYTHING)
    world = World(wildrobot, config.randomization, config.disturbances, config.control_dt)
    home = jnp.asarray(wildrobot.home_joint_pos)
    start = jax.vmap(lambda key: world.start(key, home))(jax.random.split(jax.random.PRNGKey(0), N))
    fields = jax.tree.map(np.asarray, start["fields"])
    assert len(fields) == 10  # all that there are
    qpos = np.tile(wildrobot.home_qpos, (N, 1)).astype(np.float32)
    qvel = np.zeros((N, wildrobot.model.nv), np.float32)
    native, engine = NativePhysics(wildrobot, N, num_threads=1), MjxEngine(wildrobot)
    here = native.reset(np.arange(N), qpos.astype(float), qvel.astype(float), fields)
    data, there = jax.jit(jax.vmap(engine.init))(qpos, qvel, fields)
    np.testing.assert_allclose(here.pad_forces, there.pad_forces, atol=0.15)
    step = jax.jit(jax.vmap(engine.step))
    usual = NativePhysics(wildrobot, N, num_threads=1)
    usual.reset(np.arange(N), qpos.astype(float), qvel.astype(float))
    for drive in drives(wildrobot, fields):
        here = native.step(drive)
        data, there = step(data, jax.tree.map(lambda x: jnp.asarray(x, _kind(x)), drive))
        free = usual.step(Drive(drive.targets))
    np.testing.assert_allclose(here.qpos, there.qpos, atol=5e-4)
    np.testing.assert_allclose(here.actuator_forces, there.actuator_forces, atol=0.02)
    # What is compared is far from the nominal robot, much further than the engines are apart.
    assert np.abs(here.qpos - free.qpos).max(axis=1).min() > 5e-3


def _kind(x: np.ndarray) -> Any:
    return jnp.int32 if np.issubdtype(x.dtype, np.integer) else jnp.float32
