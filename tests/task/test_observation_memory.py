"""Sensors, histories and what the critic sees: values by hand, also in the middle of a motion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from state_makers import make_state

from wildrobot_gym.config import build
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.channels import OBSERVATION_CHANNELS, Sample, channel_table
from wildrobot_gym.task.config import EnvConfig, SensorConfig
from wildrobot_gym.task.observations import Observer
from wildrobot_gym.task.sensors import Sensors

KEY = jax.random.PRNGKey(0)


def sensors_of(robot: RobotModel, names: list[str], randomization: Any = (), **config: Any) -> Any:
    channels = [OBSERVATION_CHANNELS[name] for name in names]
    configs = {name: SensorConfig(**settings) for name, settings in config.items()}
    return Sensors(robot, channels, configs, dict(randomization), 0.02)


def run(sensors: Sensors, frames: Any, draws: Any = None) -> np.ndarray:
    """What is measured of `frames`, one control step after the other."""
    state, first = sensors.begin(KEY, jnp.asarray(frames[0], jnp.float32), draws or {})
    out = [first]
    for i, frame in enumerate(frames[1:]):
        key = jax.random.fold_in(KEY, i)
        state, value = sensors.next(key, state, jnp.asarray(frame, jnp.float32), draws or {})
        out.append(value)
    return np.array(out)


def test_a_late_sensor_shows_the_past(wildrobot: RobotModel) -> None:
    frames = [[10.0 * t, 0, 0] for t in range(6)]
    late = sensors_of(wildrobot, ["gyro"], gyro={"delay_s": 0.04})
    np.testing.assert_allclose(run(late, frames)[:, 0], [0, 0, 0, 10, 20, 30])
    # 5 of 20 ms: a quarter of the way back to the frame before.
    part = sensors_of(wildrobot, ["gyro"], gyro={"delay_s": 0.005})
    np.testing.assert_allclose(run(part, frames)[:, 0], [0, 7.5, 17.5, 27.5, 37.5, 47.5])
    drawn = sensors_of(wildrobot, ["gyro"], {"observation_delay": (0.0, 0.02)})
    seen = run(drawn, frames, {"observation_delay": jnp.float32(0.02)})
    np.testing.assert_allclose(seen[:, 0], [0, 0, 10, 20, 30, 40])


def test_each_channel_has_its_own_delay(wildrobot: RobotModel) -> None:
    frames = [[1.0 * t] * 6 for t in range(4)]
    late = sensors_of(wildrobot, ["gyro", "gravity"], gravity={"delay_s": 0.02})
    np.testing.assert_allclose(run(late, frames), [[t] * 3 + [max(t - 1, 0)] * 3 for t in range(4)])


def test_noise_bias_and_steps(wildrobot: RobotModel) -> None:
    frames = np.zeros((2000, 3))
    noisy = run(sensors_of(wildrobot, ["gyro"], gyro={"noise": 0.2}), frames)
    assert abs(noisy.std() - 0.2) < 0.01 and abs(noisy.mean()) < 0.02
    biased = run(sensors_of(wildrobot, ["gyro"], gyro={"bias": 0.1}), frames[:5])
    assert (np.ptp(biased, axis=0) == 0).all() and (abs(biased) <= 0.1).all() and biased.any()
    coarse = run(sensors_of(wildrobot, ["gyro"], gyro={"quantization": 0.5}), [[0.2, 0.3, -0.8]])
    np.testing.assert_allclose(coarse, [[0.0, 0.5, -1.0]])


def test_a_dropout_repeats_the_whole_channel(wildrobot: RobotModel) -> None:
    frames = [[1.0 * t] * 6 for t in range(400)]
    seen = run(sensors_of(wildrobot, ["gyro", "gravity"], gyro={"dropout": 0.25}), frames)
    np.testing.assert_allclose(seen[:, 3], np.arange(400))
    assert (seen[:, :1] == seen[:, :3]).all()
    lost = seen[1:, 0] != np.arange(1, 400)
    assert 0.15 < lost.mean() < 0.35
    np.testing.assert_allclose(seen[1:, 0][lost], seen[:-1, 0][lost])


def test_errors_of_an_episode(wildrobot: RobotModel) -> None:
    names = ["joint_offset", "joint_vel", "gyro", "gravity", "foot_switches"]
    ranges = dict.fromkeys(("joint_zero", "imu_tilt", "imu_drift", "stuck_switch"), (0.0, 1.0))
    frame = np.concatenate([np.full(9, 0.5), np.ones(9), [0, 0, 1], [0, 0, -1], [1, 1, 0, 0]])
    draws = {
        "joint_zero": jnp.full(9, 0.1),
        "imu_tilt": jnp.array([0.1, 0.0]),
        "imu_drift": jnp.array([0.0, 0.0, 0.02]),
        "stuck_switch": jnp.array([0.0, -1.0, 1.0, 0.0]),
    }
    seen = run(sensors_of(wildrobot, names, ranges), [frame], draws)[0]
    np.testing.assert_allclose(seen[:9], 0.4, atol=1e-6)
    np.testing.assert_allclose(seen[9:18], 1.0)
    # An IMU rolled by 0.1 rad sees what is vertical rolled by -0.1.
    up = [0, np.sin(0.1), np.cos(0.1)]
    np.testing.assert_allclose(seen[18:21], np.add(up, [0, 0, 0.02]), atol=1e-6)
    np.testing.assert_allclose(seen[21:24], np.negative(up), atol=1e-6)
    np.testing.assert_allclose(seen[24:], [1, 0, 1, 0])


def test_history_and_privileged_channels(wildrobot: RobotModel) -> None:
    settings = {
        "observation": {"channels": ["gyro", "command"], "history": {"frames": 3, "stride": 2}},
        "privileged": ["root_lin_vel", "foot_contacts"],
    }
    observer = Observer(wildrobot, build(EnvConfig, settings))
    assert (observer.dim, observer.critic_dim) == (18, 25)

    def sample(step: int) -> Sample:
        state = make_state(wildrobot, ang_vel=[0.4 * step, 0, 0], lin_vel=[step, 0, 0])
        return observer.sample(state, jnp.array([step, 0.0, 0.0]), jnp.zeros(9), step, {})

    memory, obs, critic = observer.begin(KEY, sample(0))
    rows = [obs]
    for step in range(1, 6):
        memory, obs, critic = observer.next(KEY, memory, sample(step))
        rows.append(obs)
    # Steps 1, 3 and 5: rates times the factor 0.25.
    np.testing.assert_allclose(obs.reshape(3, 6)[:, 0], [0.1, 0.3, 0.5], atol=1e-6)
    np.testing.assert_allclose(obs.reshape(3, 6)[:, 3], [1, 3, 5])
    np.testing.assert_allclose(rows[1].reshape(3, 6)[:, 3], [0, 0, 1])
    np.testing.assert_allclose(critic[:18], obs)
    np.testing.assert_allclose(critic[18:21], [5, 0, 0], atol=1e-6)
    # Along a motion the rollout's observations come out at once.
    many = jax.tree.map(lambda *x: jnp.stack(x), *[sample(i).state for i in range(6)])
    steps, command = np.arange(6.0), jnp.stack([sample(i).command for i in range(6)])
    along = observer.sample(many, command, jnp.zeros((6, 9)), steps, {})
    np.testing.assert_allclose(observer.along(along, jnp.asarray(steps)), np.stack(rows), atol=1e-6)


def test_the_mirror_of_a_window(robot: RobotModel) -> None:
    settings = {
        "observation": {
            "channels": list(OBSERVATION_CHANNELS),
            "history": {"frames": 2},
        },
        "privileged": ["root_lin_vel", "foot_contacts"],
    }
    mirror = Observer(robot, build(EnvConfig, settings)).mirror()
    for kind in ("obs", "critic", "action"):
        ids, signs = np.array(mirror[f"{kind}_ids"]), np.array(mirror[f"{kind}_signs"])
        x = np.random.default_rng(0).normal(size=len(ids))
        np.testing.assert_allclose(signs * (signs * x[ids])[ids], x)


@pytest.mark.parametrize("mode", ["NEXT_STEP", "SAME_STEP"])
def test_the_env_shows_the_critic_more(mode: str) -> None:
    settings: dict[str, Any] = {
        "observation": {"channels": ["gyro", "foot_switches"], "history": {"frames": 2}},
        "privileged": ["root_height"],
        "max_episode_steps": 3,
    }
    env = gym.make_vec("WildRobot-v0", 2, vector_kwargs={}, autoreset_mode=mode, **settings)
    obs, infos = env.reset(seed=0)
    assert obs.shape == (2, 14) and infos["critic_obs"].shape == (2, 15)
    for _ in range(5):
        obs, _, _, ended, infos = env.step(np.zeros((2, 9)))
        assert (infos["critic_obs"][:, :14] == obs).all()  # the new episode's after a restart
        if mode == "SAME_STEP" and ended.any():
            final = infos["final_info"]["critic_obs"]
            assert (final[0, :14] == infos["final_obs"][0]).all() and (
                final[0, :14] != obs[0]
            ).any()
        np.testing.assert_allclose(env.unwrapped.critic_obs[:, :14], obs)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"observation": {"channels": ["gyros"]}}, "gyro"),
        ({"observation": {"channels": ["gyro", "gyro"]}}, "once"),
        ({"observation": {"channels": []}}, "one at least"),
        ({"observation": {"sensors": {"command": {"noise": 1.0}}}}, "command"),
        ({"observation": {"sensors": {"gyro": {"noise": 0.1}}}}, "channels that are observed"),
        ({"observation": {"sensors": {"gyro": {"delay_s": 0.5}}}}, "0 to 0.2"),
        ({"observation": {"sensors": {"gyro": {"dropout": 1.0}}}}, "dropout"),
        ({"privileged": ["speed"]}, "privileged"),
        ({"observation": {"channels": ["mean_error"]}}, "observation.channels"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(EnvConfig, settings)


def test_the_guide_lists_the_channels() -> None:
    guide = Path(__file__).parents[2] / "docs" / "guides" / "observations.md"
    assert channel_table() in guide.read_text(encoding="utf-8")


def test_a_late_switch_is_open_or_closed(wildrobot: RobotModel) -> None:
    frames = [[float(t >= 2)] * 4 for t in range(6)]
    late = sensors_of(wildrobot, ["foot_switches"], foot_switches={"delay_s": 0.013})
    np.testing.assert_array_equal(run(late, frames)[:, 0], [0, 0, 0, 1, 1, 1])
