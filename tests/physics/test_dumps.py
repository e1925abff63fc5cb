"""Simulations that diverge: each alone ends, and its last steps can be written and repeated."""

import os

import gymnasium as gym
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from wildrobot_gym.cli.main import main
from wildrobot_gym.errors import PhysicsError, RobotError
from wildrobot_gym.physics import dumps
from wildrobot_gym.physics.drive import Drive
from wildrobot_gym.physics.native_jax import NativeEngine
from wildrobot_gym.physics.replay import replay

BLOW = 1e12  # m/s
WORLD = {
    "randomization": {"link_mass": [0.8, 1.2], "action_delay": [0.0, 0.04], "backlash": [0, 0.01]},
    "disturbances": {"push": {"interval_s": [0.1, 0.2], "velocity": [0.0, 0.3]}},
    "terrain": {"kind": "rough", "height": 0.01},
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(dumps.VARIABLE, str(tmp_path / "dumps"))
    monkeypatch.setattr(dumps, "_written", [0])
    return tmp_path / "dumps"


def made(num_envs=4, **settings):
    return gym.make_vec(
        "WildRobot-v0",
        num_envs,
        vectorization_mode="vector_entry_point",
        backend="native",
        autoreset_mode=AutoresetMode.DISABLED,
        **settings,
    ).unwrapped


@pytest.mark.parametrize("settings", [{}, WORLD])
def test_one_simulation_ends_and_its_last_steps_can_be_repeated(settings, folder, capsys):
    env, rng = made(**settings), np.random.default_rng(0)
    env.reset(seed=0)
    for _ in range(8):
        env.step(rng.uniform(-0.1, 0.1, (4, 9)).astype(np.float32))
    assert env.num_diverged == 0 and not folder.exists()
    env._simulation.physics._qvel[2, 0] = BLOW
    _, _, terminated, _, infos = env.step(np.zeros((4, 9), np.float32))
    assert terminated.tolist() == infos["diverged"].tolist() == [False, False, True, False]
    assert env.num_diverged == 1
    env.close()
    (path,) = folder.iterdir()
    steps = list(replay(path))
    assert len(steps) == 9 and [step.diverged for step in steps] == [False] * 8 + [True]
    # The last state is not the one that the step before gave: this test has changed it.
    assert [step.same for step in steps] == [True] * 8 + [False]
    assert main(["robot", "replay", str(path)]) == 0
    assert "It diverges in the last step." in capsys.readouterr().out
    assert list(folder.iterdir()) == [path]  # what is repeated is not written again


def test_inside_jax_the_steps_are_those_of_the_episode(wildrobot, folder):
    engine = NativeEngine(wildrobot)
    home = jnp.tile(jnp.asarray(wildrobot.home_qpos, jnp.float32), (3, 1))
    place = jax.jit(jax.vmap(lambda q: engine.init(q, jnp.zeros(wildrobot.model.nv))[0]))
    step = jax.jit(jax.vmap(engine.step))
    still, drive = jnp.zeros((3, 3)), {"targets": home[:, 7:]}
    rows = place(home)
    for _ in range(4):
        rows, _ = step(rows, Drive(**drive, push=still))
    rows = place(home)  # other episodes
    for _ in range(2):
        rows, _ = step(rows, Drive(**drive, push=still))
    rows, state = step(rows, Drive(**drive, push=still.at[1].set(BLOW)))
    assert state.diverged.tolist() == [False, True, False]
    (path,) = folder.iterdir()
    steps = list(replay(path))
    assert len(steps) == 3 and all(step.same for step in steps)
    assert [step.diverged for step in steps] == [False, False, True]


def test_a_process_writes_few(folder, monkeypatch, wildrobot):
    monkeypatch.setattr(dumps, "MOST_DUMPS", 2)
    env = made()
    env.reset(seed=0)
    env._simulation.physics._qvel[:, 0] = BLOW
    env.step(np.zeros((4, 9), np.float32))
    assert env.num_diverged == 4 and len(os.listdir(folder)) == 2
    env.close()


def test_files_that_are_no_record_are_refused(folder, tmp_path):
    env = made(1)
    env.reset(seed=0)
    env._simulation.physics._qvel[:, 0] = BLOW
    env.step(np.zeros((1, 9), np.float32))
    env.close()
    (path,) = folder.iterdir()
    good, bad = dict(np.load(path)), tmp_path / "bad.npz"
    for change, message in {
        "robot": ({"robot": np.array("nobody")}, "Unknown robot"),
        "length": ({"targets": good["targets"][:0]}, r"targets has the shape \(0, 9\)"),
        "joints": ({"targets": good["targets"][:, :5]}, r"targets has the shape \(1, 5\), not"),
        "empty": ({"targets": good["targets"][:0], "rows": good["rows"][:0]}, "targets has"),
        "state": ({"rows": good["rows"][:, :9]}, "states of 9 numbers"),
        "field": ({"field_color": good["targets"]}, "field_color is no input of the robot"),
        "late": ({"before": good["targets"]}, "before and switch come together"),
        "ground": ({"heights": np.zeros((2, 3)), "cell": 1.0, "tilt": 0.0}, "no square grid"),
        "cell": ({"heights": np.zeros((2, 2)), "cell": 0.0, "tilt": 0.0}, "no square grid"),
        "half": ({"heights": np.zeros((2, 2))}, "a ground has heights, cell, tilt"),
        "period": ({"control_dt": 0.0123}, "bad.npz.*0.0123"),
    }.values():
        np.savez(bad, **good | change)
        with pytest.raises((PhysicsError, RobotError), match=message):
            list(replay(bad))
    bad.write_text("no")
    with pytest.raises(PhysicsError, match=r"bad\.npz is truncated or no record"):
        list(replay(bad))


def test_a_joint_that_is_driven_into_its_stop_stays_there():
    """For 1,000 steps at each end, hanging on its servos or lying on the floor."""
    env = made(2, termination={"min_height": -9.0, "max_tilt": None})
    env.reset(seed=0)
    actions = np.stack([np.ones(9), -np.ones(9)]).astype(np.float32)
    for _ in range(1000):
        obs, reward, _, _, infos = env.step(actions)
        assert np.isfinite(obs).all() and np.isfinite(reward).all()
    assert env.num_diverged == 0 and not infos["diverged"].any()
    env.close()
