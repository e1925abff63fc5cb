"""WildRobotEnv, Gymnasium's checker, and the wrappers users put around both environments."""

from __future__ import annotations

import dataclasses
import inspect
import os
import re
import warnings
from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import RecordVideo, TimeLimit
from gymnasium.wrappers import vector as vw

from wildrobot_gym.env.render import SceneRenderer
from wildrobot_gym.env.single_env import WildRobotEnv
from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.errors import ActionError, ConfigError, PhysicsError, UnknownArgumentError
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.channels import AMP_CHANNELS, observation_table
from wildrobot_gym.task.config import (
    ActionConfig,
    CommandConfig,
    EnvConfig,
    ResetConfig,
    TerminationConfig,
)
from wildrobot_gym.task.reward_terms import reward_table
from wildrobot_gym.task.rewards import TERMS

ROBOTS = ["wildrobot", "wildrobot_8dof"]
SMALL = {"width": 64, "height": 48}


@pytest.mark.parametrize("robot", ROBOTS)
def test_check_env_finds_no_fault(robot: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gym.make("WildRobot-v0", robot=robot, render_mode="rgb_array", **SMALL)
        check_env(env.unwrapped)
        env.close()


def test_check_env_of_the_class() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(WildRobotEnv(**SMALL), skip_render_check=True)


def test_the_specification_names_every_setting() -> None:
    spec = WildRobotEnv.__doc__ or ""
    missing = [f.name for f in dataclasses.fields(EnvConfig) if f"| {f.name}" not in spec]
    for section in (ActionConfig, CommandConfig, ResetConfig, TerminationConfig):
        missing += [f.name for f in dataclasses.fields(section) if f.name not in spec]
    features = ("channels", "root_velocity", "velocity_frame", "velocities", "contacts", "history")
    missing += [name for name in features if name not in spec]
    assert not missing


def test_the_specifications_tables_are_the_registries(wildrobot: RobotModel) -> None:
    spec = inspect.getdoc(WildRobotEnv) or ""
    assert observation_table(wildrobot) in spec
    assert reward_table(TERMS) in spec
    assert {*AMP_CHANNELS} <= {*re.findall(r"\w+", spec)}


def test_a_vector_of_one() -> None:
    single = WildRobotEnv(max_episode_steps=30)
    batch = WildRobotVectorEnv(1, 30, autoreset_mode=AutoresetMode.DISABLED)
    obs, info = single.reset(seed=4)
    rows, infos = batch.reset(seed=4)
    np.testing.assert_array_equal(obs, rows[0])
    np.testing.assert_array_equal(info["amp_obs"], infos["amp_obs"][0])
    rng = np.random.default_rng(0)
    for _ in range(30):
        action = rng.uniform(-0.3, 0.3, 9).astype(np.float32)
        obs, reward, terminated, truncated, info = single.step(action)
        rows, rewards, terminations, truncations, infos = batch.step(action[None])
        np.testing.assert_array_equal(obs, rows[0])
        assert (reward, terminated, truncated) == (rewards[0], terminations[0], truncations[0])
        assert info.keys() == infos.keys()
        for key in info:
            np.testing.assert_array_equal(info[key], infos[key][0])
    assert truncated
    assert isinstance(reward, float)
    assert isinstance(terminated, bool)


def test_the_time_limit_is_gymnasiums() -> None:
    env = gym.make("WildRobot-v0", max_episode_steps=3)
    assert isinstance(env, TimeLimit)
    env.reset(seed=0)
    assert [env.step(np.zeros(9, np.float32))[2:4] for _ in range(3)] == [
        (False, False),
        (False, False),
        (False, True),
    ]
    assert gym.make("WildRobot-v0").spec.max_episode_steps == 500
    assert WildRobotEnv().vector.task.max_episode_steps > 10**6


def test_commands_reach_an_environment_in_its_wrappers() -> None:
    env = gym.make("WildRobot-v0", commands={"resample_interval_s": 0.02})
    env.get_wrapper_attr("set_commands")(vx=0.6)
    obs, _ = env.reset(seed=0)
    np.testing.assert_allclose(obs[27:30], [0.6, 0.0, 0.0])
    env.unwrapped.set_commands([0.1, 0.2, 0.3])
    for _ in range(3):
        obs = env.step(np.zeros(9, np.float32))[0]
        np.testing.assert_allclose(obs[27:30], [0.1, 0.2, 0.3])
    env.unwrapped.release_commands()
    assert (env.step(np.zeros(9, np.float32))[0][27:30] != [0.1, 0.2, 0.3]).any()
    with pytest.raises(ConfigError, match=r"shape \(1, 3\)"):
        env.unwrapped.set_commands([0.1, 0.2])


def test_seeds_of_the_single_env() -> None:
    env, other = WildRobotEnv(), WildRobotEnv()
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = env.reset(seed=1)[0]
    np.testing.assert_array_equal(other.reset(seed=1)[0], first)
    assert (env.reset()[0] != first).any()
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    assert (WildRobotEnv().reset()[0] != WildRobotEnv().reset()[0]).any()


def test_wrong_actions() -> None:
    env = WildRobotEnv()
    with pytest.raises(ActionError, match="before reset"):
        env.step(np.zeros(9))
    env.reset(seed=0)
    with pytest.raises(ActionError, match="finite"):
        env.step(np.full(9, np.nan))
    with pytest.raises(ActionError, match=r"\(1, 9\)"):
        env.step(np.zeros(8))


@pytest.mark.parametrize(
    ("name", "hint"), [("command", "Did you mean 'commands'"), ("num_envs", "make_vec")]
)
def test_an_unknown_keyword_argument_is_pythons_error_and_ours(name: str, hint: str) -> None:
    """TorchRL, for one, passes `frameskip` and tries again without it after Python's TypeError."""
    expected = rf"unexpected keyword argument '{name}'.*{hint}"
    with pytest.raises(UnknownArgumentError, match=expected) as raised:
        gym.make("WildRobot-v0", **{name: {}})
    assert isinstance(raised.value, TypeError) and isinstance(raised.value, ConfigError)


# --- pictures ---


def test_pictures() -> None:
    env = WildRobotEnv(render_mode="rgb_array", **SMALL)
    assert env.render() is None  # nothing to see yet
    env.reset(seed=0)
    first = env.render()
    assert (first.shape, first.dtype) == ((48, 64, 3), np.uint8)
    assert first.std() > 5
    for _ in range(15):
        env.step(np.array([0, 1, 0, 1, 0, 0, 0, 0, 0], np.float32))
    assert (env.render() != first).any()
    env.close()
    batch = WildRobotVectorEnv(2, render_mode="rgb_array", camera="side", **SMALL)
    batch.reset(seed=0)
    frames = batch.render()
    assert isinstance(frames, tuple)
    assert [f.shape for f in frames] == [(48, 64, 3)] * 2
    assert (frames[0] != frames[1]).any()
    batch.close()
    quiet = WildRobotVectorEnv(1)
    quiet.reset(seed=0)
    assert quiet.render() is None


def test_pictures_are_cheap_and_leave_the_model_as_it_was(wildrobot: RobotModel) -> None:
    """No reflection in the floor, a robot with its shadow, and the model's own quality kept."""
    renderer = SceneRenderer(wildrobot, 320, 240)
    quality = wildrobot.model.vis.quality
    before = quality.shadowsize, quality.offsamples
    picture = renderer.frame(wildrobot.home_qpos).astype(int)
    assert (quality.shadowsize, quality.offsamples) == before
    red, green, blue = picture[..., 0], picture[..., 1], picture[..., 2]
    assert ((red > 180) & (green < 160) & (blue < 80)).sum() > 500  # the orange shell
    floor = picture[200:].reshape(-1, 3)
    grey = (floor.max(axis=1) - floor.min(axis=1) < 20) & (floor.mean(axis=1) < 160)
    assert 50 < grey.sum() < 5000  # the shadow
    renderer.close()


@pytest.mark.skipif(
    bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")), reason="there is a screen"
)
def test_a_window_needs_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(PhysicsError, match=r"human.*DISPLAY.*rgb_array"):
        WildRobotEnv(render_mode="human")


def test_the_window_follows_every_step_and_reset_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    shown, slept, clock = [], [], [10.0]
    monkeypatch.setattr("wildrobot_gym.env.render.has_screen", lambda: True)
    window = SimpleNamespace(sync=lambda: shown.append(clock[0]), close=lambda: None)
    monkeypatch.setattr("mujoco.viewer.launch_passive", lambda *_: window)
    monkeypatch.setattr(
        "wildrobot_gym.env.render.time",
        SimpleNamespace(monotonic=lambda: clock[0], sleep=slept.append),
    )
    for env, action in (
        (WildRobotEnv(render_mode="human"), np.zeros(9)),
        (WildRobotVectorEnv(2, render_mode="human"), np.zeros((2, 9))),
    ):
        env.reset(seed=0)
        env.step(action)
        clock[0] += 0.015  # what the policy took
        env.step(action)
        env.close()
    assert len(shown) == 6
    np.testing.assert_allclose(slept, [0.0, 0.02, 0.025] * 2)


def test_what_belongs_to_many_robots_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"it is of many robots.*make_vec"):
        gym.make("WildRobot-v0", num_envs=4)
    with pytest.raises(ConfigError, match="picture size"):
        WildRobotEnv(width=64.5)
    with pytest.raises(ConfigError, match="Unknown camera '3'"):
        WildRobotEnv(camera=3)


def test_videos(tmp_path) -> None:
    env = RecordVideo(
        gym.make("WildRobot-v0", render_mode="rgb_array", max_episode_steps=4, **SMALL),
        str(tmp_path / "single"),
    )
    env.reset(seed=0)
    for _ in range(4):
        env.step(np.zeros(9, np.float32))
    env.close()
    batch = WildRobotVectorEnv(2, 4, render_mode="rgb_array", **SMALL)
    recorded = vw.RecordVideo(
        batch, str(tmp_path / "vector"), video_length=4, step_trigger=lambda step: step == 0
    )
    recorded.reset(seed=0)
    for _ in range(6):
        recorded.step(np.zeros((2, 9), np.float32))
    recorded.close()
    for folder in ("single", "vector"):
        assert [f.stat().st_size > 0 for f in (tmp_path / folder).glob("*.mp4")] != []


# --- vector wrappers ---

WRAPPERS: dict[str, Any] = {
    "RecordEpisodeStatistics": vw.RecordEpisodeStatistics,
    "NormalizeObservation": vw.NormalizeObservation,
    "NormalizeReward": vw.NormalizeReward,
    "ClipAction": vw.ClipAction,
    "ClipReward": lambda env: vw.ClipReward(env, -1, 1),
    "RescaleAction": lambda env: vw.RescaleAction(env, -2.0, 2.0),
    "TransformObservation": lambda env: vw.TransformObservation(env, lambda obs: obs * 2),
    "DtypeObservation": lambda env: vw.DtypeObservation(env, np.float64),
    "FlattenObservation": vw.FlattenObservation,
    "DictInfoToList": vw.DictInfoToList,
    "NumpyToTorch": None,
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_vector_wrappers(name: str) -> None:
    batch = WildRobotVectorEnv(3, 4, reset={"stagger": False})
    if name == "NumpyToTorch":
        pytest.importorskip("array_api_compat", reason="Gymnasium's conversion wrappers need it")
        import torch
        from gymnasium.wrappers.vector.numpy_to_torch import NumpyToTorch

        env: Any = NumpyToTorch(batch)
        action: Any = torch.zeros((3, 9))
    else:
        env, action = WRAPPERS[name](batch), np.zeros((3, 9), np.float32)
    obs, _ = env.reset(seed=0)
    assert obs.shape == (3, 39)
    for step in range(6):
        obs, reward, _, truncated, info = env.step(action)
        assert obs.shape == (3, 39)
        assert reward.shape == (3,)
        assert bool(truncated.all()) == (step == 3)
        if name == "RecordEpisodeStatistics" and step == 3:
            np.testing.assert_array_equal(info["episode"]["l"], 4)
    env.close()


def test_statistics_over_partial_resets() -> None:
    batch = WildRobotVectorEnv(
        3, 4, autoreset_mode=AutoresetMode.DISABLED, reset={"stagger": False}
    )
    env = vw.RecordEpisodeStatistics(batch)
    env.reset(seed=0)
    mask = np.array([True, False, False])
    for step in range(4):
        if step == 2:
            env.reset(options={"reset_mask": mask})
        *_, truncated, info = env.step(np.zeros((3, 9), np.float32))
    np.testing.assert_array_equal(truncated, ~mask)
    np.testing.assert_array_equal(info["episode"]["l"], [0, 4, 4])


def test_a_users_loop_over_stable_baselines_vec_envs() -> None:
    """What a user would write without our batch.

    SB3's own vectorization of the single environment.
    """
    from stable_baselines3.common.vec_env import DummyVecEnv

    env = DummyVecEnv([lambda: gym.make("WildRobot-v0", max_episode_steps=3)] * 2)
    env.seed(0)
    obs = env.reset()
    assert obs.shape == (2, 39)
    for step in range(4):
        obs, _, dones, infos = env.step(np.zeros((2, 9), np.float32))
        assert dones.all() == (step == 2)
    assert infos[0]["amp_obs"].shape == (8 * 29,)
    env.close()
