"""Environments whose episodes draw the world: reproducible, readable, and saved with the rest."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import wildrobot_gym  # noqa: F401
from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.errors import ActionError
from wildrobot_gym.experiments.bench.everything import EVERYTHING
from wildrobot_gym.task.config import DisturbanceConfig
from wildrobot_gym.task.randomization.catalog import TERMS

N = 6
# Disturbances come often, so that short episodes have them.
SETTINGS: dict[str, Any] = {
    "randomization": {**EVERYTHING["randomization"], "stuck_switch": [0.0, 0.5]},
    "disturbances": {
        "push": {"interval_s": [0.1, 0.3]},
        "force": {"interval_s": [0.1, 0.3], "duration_s": [0.1, 0.1]},
        "payload_drop": {"interval_s": [0.1, 0.3]},
        "friction_patch": {"interval_s": [0.1, 0.3]},
    },
    "privileged": ["draw_link_mass", "draw_action_delay", "disturbance_push"],
}


def make(robot: str = "wildrobot", **settings: Any) -> WildRobotVectorEnv:
    return WildRobotVectorEnv(
        N, 12, robot=robot, **{"backend": "native", "num_threads": 2, **SETTINGS, **settings}
    )


def actions(step: int, joints: int) -> np.ndarray:
    return np.random.default_rng(step).uniform(-0.3, 0.3, (N, joints)).astype(np.float32)


def run(env: WildRobotVectorEnv, first: int, last: int) -> list[np.ndarray]:
    joints = env.robot.num_joints
    seen = []
    for step in range(first, last):
        obs, reward, *_, infos = env.step(actions(step, joints))
        seen += [obs, reward, infos["critic_obs"]]
    return seen


def assert_equal(a: Any, b: Any) -> None:
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("robot", ["wildrobot", "wildrobot_8dof"])
def test_the_seed_decides_everything(robot: str) -> None:
    env, twin = make(robot), make(robot)
    for e in (env, twin):
        e.reset(seed=5)
    draws, same = env.randomization, twin.randomization
    assert set(draws) == set(SETTINGS["randomization"])
    for name, value in draws.items():
        np.testing.assert_array_equal(value, same[name])
        low, high = SETTINGS["randomization"][name]
        if name != "stuck_switch":
            assert low <= value.min() < value.max() <= high
        assert value.shape[0] == N
    assert draws["servo_kp"].shape == (N, env.robot.num_joints)
    seen = run(env, 0, 15)  # over a restart: an episode has 12 steps
    assert_equal(seen, run(twin, 0, 15))
    assert all(np.isfinite(x).all() for x in seen)
    assert env.num_diverged == 0
    later = env.randomization
    assert all(np.any(later[name] != draws[name]) for name in draws)
    env.reset(seed=6)
    assert np.any(env.randomization["link_mass"] != draws["link_mass"])


def test_only_environments_that_restart_draw_again() -> None:
    env = make(autoreset_mode="DISABLED")
    env.reset(seed=0)
    run(env, 0, 3)
    before = env.randomization
    mask = np.array([True, False, False, True, False, False])
    env.reset(options={"reset_mask": mask})
    for name, value in env.randomization.items():
        np.testing.assert_array_equal(value[~mask], before[name][~mask])
        if name != "stuck_switch":
            assert (value[mask] != before[name][mask]).any()


def test_a_saved_state_continues_bit_for_bit() -> None:
    env, other = make(), make()
    env.reset(seed=1)
    run(env, 0, 4)
    saved = env.get_state()
    want = run(env, 4, 16)
    other.reset(seed=9)
    run(other, 0, 2)
    other.set_state(saved)
    np.testing.assert_array_equal(other.randomization["servo_kp"], saved_kp(env, saved))
    assert_equal(run(other, 4, 16), want)


def saved_kp(env: WildRobotVectorEnv, saved: Any) -> np.ndarray:
    env.set_state(saved)
    return env.randomization["servo_kp"]


def test_a_reading_is_what_the_joint_is_without_the_encoders_zero() -> None:
    settings = {"randomization": {"joint_zero": [-0.05, 0.05]}, "disturbances": {}}
    env = make(**settings, privileged=())
    obs, _ = env.reset(seed=0)
    zero = env.randomization["joint_zero"]
    offset = np.asarray(env.physics_state.joint_pos) - env.robot.home_joint_pos - zero
    np.testing.assert_allclose(obs[:, :9], offset, atol=1e-6)


def test_the_critic_sees_the_draws() -> None:
    env = make()
    _, infos = env.reset(seed=0)
    draws = env.randomization
    critic = infos["critic_obs"][:, env.task.obs_dim :]
    np.testing.assert_allclose(critic[:, 0], draws["link_mass"] / 1.2, rtol=1e-5)
    np.testing.assert_allclose(critic[:, 1], draws["action_delay"] / 0.04, rtol=1e-5)
    assert critic.shape == (N, 5)


@pytest.mark.slow  # nothing keeps the compiled program of 'native-jax'
def test_host_and_functional_environments_draw_the_same() -> None:
    """One random stream: the same draws and, but for rounding, the same motion."""
    host, inside = make(), make(backend="native-jax")
    for env in (host, inside):
        env.reset(seed=2)
    for name, value in host.randomization.items():
        np.testing.assert_array_equal(value, inside.randomization[name])
    for a, b in zip(run(host, 0, 6), run(inside, 0, 6), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-3)


def test_one_robot_has_its_draws_too() -> None:
    env = gym.make("WildRobot-v0", randomization={"payload": [0.1, 0.2]})
    with pytest.raises(ActionError, match="before reset"):
        _ = env.unwrapped.randomization
    env.reset(seed=0)
    assert 0.1 <= env.unwrapped.randomization["payload"] <= 0.2


def test_a_followed_clip_can_be_disturbed_too() -> None:
    env = gym.make_vec(
        "WildRobotTrack-v0",
        N,
        reference="walk_synthetic",
        randomization={"link_mass": [0.8, 1.2], "action_delay": [0.0, 0.02]},
        disturbances={"push": {"interval_s": [0.1, 0.1]}},
        backend="native",
    )
    env.reset(seed=0)
    draws = env.unwrapped.randomization["link_mass"]
    assert len(np.unique(draws)) == N
    for step in range(8):
        obs, *_ = env.step(actions(step, 9))
    assert np.isfinite(obs).all()
    assert env.unwrapped.randomization["action_delay"].max() <= 0.02


def test_everything_is_everything() -> None:
    assert set(EVERYTHING["randomization"]) == set(TERMS)
    assert set(EVERYTHING["disturbances"]) == set(vars(DisturbanceConfig()))


def test_without_randomization_nothing_is_drawn() -> None:
    env = make(randomization={}, disturbances={}, privileged=())
    env.reset(seed=0)
    assert env.randomization == {}
    assert env._simulation.task_state.world == {}
