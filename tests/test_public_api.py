"""The public names of both packages, and the block of code that shows them."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from run_helpers import SMALL
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

import amp_sbx
import wildrobot_gym as wr
from amp_sbx import AMPPPO, FeatureError, GymnasiumVecEnv, ReferenceFeatures
from wildrobot_gym.task.config import TrackEnvConfig
from wildrobot_gym.training.reference import env_config

ERRORS = {
    "ActionError",
    "ConfigError",
    "MissingPackageError",
    "MotionError",
    "PhysicsError",
    "RobotError",
    "RunError",
    "UnknownArgumentError",
    "WildRobotError",
}
NAMES = {
    "demonstrations",
    "evaluate",
    "export_policy",
    "load_policy",
    "load_reference",
    "train",
} | ERRORS
IMPORT_COST = """
import json, resource, sys, time
before = resource.getrusage(resource.RUSAGE_SELF)
import wildrobot_gym
after = resource.getrusage(resource.RUSAGE_SELF)
heavy = ["jax", "torch", "sbx", "stable_baselines3", "mujoco", "amp_sbx"]
print(json.dumps({
    "seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
    "heavy": [name for name in heavy if name in sys.modules],
    "gl": "MUJOCO_GL" in __import__("os").environ,
}))
"""


@pytest.fixture(scope="module")
def env():
    env = gym.make_vec("WildRobot-v0", num_envs=8)
    yield env
    env.close()


@pytest.fixture(scope="module")
def reference(env):
    return wr.load_reference("walk", env)


def test_root_shows_its_public_names_only() -> None:
    _ = wr.evaluate  # importing submodules adds none
    shown = {name for name in dir(wr) if not name.startswith("__")}
    assert shown == NAMES == set(wr.__all__)
    assert all(issubclass(getattr(wr, name), wr.WildRobotError) for name in ERRORS)
    public = {name for name in dir(amp_sbx) if not name.startswith("__")}
    assert public == set(amp_sbx.__all__)
    with pytest.raises(AttributeError, match="no attribute 'load_polciy'"):
        _ = wr.load_polciy


def test_the_version_is_the_distributions() -> None:
    assert wr.__version__ == version("wildrobot")


def test_import_is_light(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a new process, since this one has imported all. It counts CPU time, not the clock's."""
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    command = [sys.executable, "-c", IMPORT_COST]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    found = json.loads(done.stdout)
    assert found["seconds"] <= 1.0
    assert found["heavy"] == [] and not found["gl"]


def test_an_own_model_learns_from_the_reference(env: VectorEnv, reference, tmp_path) -> None:
    """The first half of the block, in small, in Gymnasium's default autoreset mode."""
    assert env.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP
    small = {"n_steps": 8, "batch_size": 32, "n_epochs": 1}
    amp = {"weight": 0.4, "discriminator_hidden": [32], "batch_size": 64, "update_steps": 1}
    model = AMPPPO("MlpPolicy", env, amp=amp, reference=reference, **small)
    model.clone_behavior(*wr.demonstrations(env, reference), {"steps": 20})
    model.learn(64, progress_bar=False)
    assert model.num_timesteps == 64
    np.testing.assert_array_equal(model.reference.features, reference.windows)
    np.testing.assert_array_equal(model.reference.weights, reference.weights.astype(np.float32))
    model.save(tmp_path / "my_walk")
    assert (tmp_path / "my_walk.zip").is_file()


def test_train_returns_a_run_whose_policy_loads(tmp_path) -> None:
    overrides = dict(item.split("=") for item in SMALL[1:])
    overrides |= {"n_timesteps": 64.0, "eval.every": 0}
    numbers = {key: float(value) for key, value in overrides.items()}
    run = wr.train("smoke", seed=1, overrides=numbers, out=tmp_path / "run")
    assert run.finished and run.status == "finished" and run.num_timesteps == 64
    assert run.path == tmp_path / "run" and run.policy == tmp_path / "run" / "final.zip"
    policy = wr.load_policy(run.policy)
    assert policy.path == run.policy and policy.reference == "walk_synthetic"
    assert policy.model.seed == 1


def test_a_shipped_policy_walks_and_is_evaluated() -> None:
    """The second half of the block."""
    policy = wr.load_policy("walk")
    assert policy.reference == "walk" and policy.command.vx == (0.0, 0.9)

    single = policy.make_env()
    obs, _ = single.reset(seed=0)
    single.get_wrapper_attr("set_commands")(vx=0.6)
    action, state = policy.predict(obs)
    assert action.shape == single.action_space.shape and state is None
    single.close()

    many = policy.make_vec_env(2)
    obs, _ = many.reset(seed=0)
    many.set_commands(vx=0.6)
    np.testing.assert_array_equal(policy(obs), policy.predict(obs)[0])
    assert policy(obs).shape == many.action_space.shape
    many.close()

    results = wr.evaluate(policy, commands=[0.2, 0.6], episodes=1, style=False)
    assert list(results.to_json()["commands"]) == ["0.2", "0.6"]


def test_references_fit_every_kind_of_environment(env: VectorEnv, reference) -> None:
    """One robot, several, wrapped, and Stable-Baselines3's vector environments."""
    single = gym.make("WildRobot-v0")
    kinds = [
        single,
        env,
        RecordEpisodeStatistics(env),
        gym.make_vec("WildRobot-v0", num_envs=2, vectorization_mode="sync"),
        VecNormalize(DummyVecEnv([lambda: single])),
        GymnasiumVecEnv(env),
    ]
    assert all(env_config(kind) == env_config(env) for kind in kinds)
    assert reference.layout == env.unwrapped.amp_layout
    assert reference.windows.shape[1] == env.unwrapped.task.feature_dim
    assert len(reference.weights) == len(reference.windows)
    assert reference.motions == sorted(set(reference.motions)) and len(reference.motions) > 1
    with pytest.raises(wr.ConfigError, match="CartPoleEnv, no WildRobot environment"):
        wr.load_reference("walk", gym.make("CartPole-v1"))
    with pytest.raises(wr.ConfigError, match="Did you mean 'walk'"):
        wr.load_reference("wlak", env)


def test_demonstrations_are_of_the_walking_environment(reference) -> None:
    track = SimpleNamespace(config=TrackEnvConfig())  # what is read of WildRobotTrack-v0
    with pytest.raises(wr.ConfigError, match="need WildRobot-v0"):
        wr.demonstrations(track, reference)


def test_frames_are_not_taken_for_windows(reference) -> None:
    """A dataset has `features`, its single frames, which are not what the discriminator sees."""

    class Frames:
        features = reference.features

    with pytest.raises(FeatureError):
        ReferenceFeatures.coerce(Frames())
    taken = ReferenceFeatures.coerce(reference)
    assert taken is not None and taken.feature_dim == reference.windows.shape[1]


def test_an_environment_imports_only_what_it_needs() -> None:
    """Each of these takes a good part of a second, at every start of every program."""
    code = "import sys, wildrobot_gym.env.single_env; not_needed = 'scipy', 'torch', 'mujoco.mjx'"
    code += "; print([name for name in not_needed if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
