"""Commands: how they are drawn, approached and held on course."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from wildrobot_gym.config import build
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.task.commands import Commands, known_yaw, sample_command
from wildrobot_gym.task.config import CommandConfig

KEY = jax.random.PRNGKey(0)
NO, YES, STILL = jnp.array(False), jnp.array(True), jnp.zeros(3)
WIDE: dict[str, Any] = {"vx": (-0.2, 0.8), "vy": (-0.1, 0.1), "yaw_rate": (-0.5, 0.5)}


def drawn(n: int = 4000, level: float = 1.0, **settings: Any) -> np.ndarray:
    config = build(CommandConfig, WIDE | settings)
    keys = jax.random.split(KEY, n)
    return np.asarray(jax.vmap(lambda key: sample_command(key, config, level))(keys))


def test_shares_of_standing_and_of_one_axis() -> None:
    commands = drawn(standing_fraction=0.2, axis_fraction=0.5)
    parts = (commands != 0).sum(axis=1)
    assert abs((parts == 0).mean() - 0.2) < 0.03
    assert abs((parts == 1).mean() - 0.4) < 0.03
    alone = commands[parts == 1] != 0
    np.testing.assert_allclose(alone.mean(axis=0), 1 / 3, atol=0.04)


def test_an_axis_without_a_range_is_never_drawn_alone() -> None:
    commands = drawn(vy=(0.0, 0.0), standing_fraction=0.0, axis_fraction=1.0)
    assert ((commands != 0).sum(axis=1) == 1).all()


def test_an_axis_is_drawn_as_often_as_its_share() -> None:
    commands = drawn(standing_fraction=0.0, axis_fraction=1.0, axis_shares=(2.0, 1.0, 0.0))
    np.testing.assert_allclose((commands != 0).mean(axis=0), [2 / 3, 1 / 3, 0], atol=0.03)


def test_the_level_scales_the_ranges() -> None:
    commands = drawn(level=0.5, standing_fraction=0.0)
    np.testing.assert_allclose(commands.min(axis=0), [-0.1, -0.05, -0.25], atol=0.01)
    np.testing.assert_allclose(commands.max(axis=0), [0.4, 0.05, 0.25], atol=0.01)


def test_a_ramp_takes_its_time() -> None:
    config = build(CommandConfig, WIDE | {"ramp_fraction": 1.0, "ramp_s": 0.1})
    commands = Commands(config, 0.02)
    blank = commands.blank()
    command, course = commands.begin(KEY, blank, NO, jnp.float32(0.0), STILL)
    first = np.array(command)
    rows = []
    for step in range(7):
        command, course = commands.next(
            jax.random.fold_in(KEY, 9), command, course, jnp.array(step == 0), NO, jnp.float32(0)
        )
        rows.append(np.array(command))
    goal = np.array(course.goal)
    for step in range(5):
        np.testing.assert_allclose(rows[step], first + (goal - first) * (step + 1) / 5, atol=1e-6)
    np.testing.assert_array_equal(rows[5:], [goal, goal])
    # A command that is held from outside stays.
    held, _ = commands.next(KEY, jnp.ones(3), course, NO, YES, jnp.float32(0))
    np.testing.assert_array_equal(held, 1.0)


def test_without_a_ramp_the_command_jumps() -> None:
    commands = Commands(build(CommandConfig, WIDE | {"heading_gain": 1.0}), 0.02)
    command, course = commands.begin(KEY, commands.blank(), NO, jnp.float32(0.0), STILL)
    command, course = commands.next(KEY, command, course, YES, NO, jnp.float32(0.0))
    np.testing.assert_array_equal(command, course.goal)


def test_what_is_asked_for_approaches_the_command() -> None:
    config = build(CommandConfig, WIDE | {"acceleration": (0.5, 0.25, 1.0)})
    commands = Commands(config, 0.02)
    command = jnp.array([0.035, -0.1, 0.5])
    moving = jnp.array([0.0, 0.05, 0.5])
    _, course = commands.begin(KEY, commands.blank(), NO, jnp.float32(0.0), moving)
    np.testing.assert_array_equal(commands.asked(command, course), moving)
    rows = []
    for _ in range(40):
        command, course = commands.next(KEY, command, course, NO, YES, jnp.float32(0.0))
        rows.append(np.array(commands.effective(command, course, jnp.float32(0.0))))
    np.testing.assert_allclose(rows[0], [0.01, 0.045, 0.5], atol=1e-6)
    np.testing.assert_allclose(rows[2], [0.03, 0.035, 0.5], atol=1e-6)
    # It arrives at the command itself, as standing needs.
    np.testing.assert_array_equal(rows[-1], np.asarray(command))
    command, course = commands.next(KEY, STILL, course, NO, YES, jnp.float32(0.0))
    np.testing.assert_allclose(course.asked, [0.025, -0.095, 0.48], atol=1e-6)


def test_the_environment_shows_what_is_asked_for() -> None:
    """At home an episode begins with standing, with a held command, too."""
    commands = WIDE | {"acceleration": (0.5, 0.5, 1.0)}
    env = gym.make("WildRobot-v0", commands=commands, max_episode_steps=30)
    obs, _ = env.reset(seed=0)
    np.testing.assert_array_equal(obs[27:30], 0.0)
    env.get_wrapper_attr("set_commands")(vx=0.1)
    shown = []
    for _ in range(12):
        obs, *_ = env.step(np.zeros(9))
        shown.append(obs[27])
    np.testing.assert_allclose(shown[:3], [0.01, 0.02, 0.03], atol=1e-6)
    np.testing.assert_allclose(shown[-2:], 0.1, atol=1e-6)
    obs, _ = env.reset(seed=1)
    assert obs[27] == 0.0


def test_the_heading_is_held() -> None:
    config = build(CommandConfig, {"heading_gain": 2.0, "heading_limit": 0.4})
    commands = Commands(config, 0.02)
    command = jnp.array([0.4, 0.0, 0.0])
    _, course = commands.begin(KEY, commands.blank(), NO, jnp.float32(3.0), STILL)
    course = course.replace(heading=jnp.float32(3.0))
    # 0.1 rad off to the right, across the jump of the angle at pi, too.
    seen = commands.effective(command, course, jnp.float32(2.9))
    np.testing.assert_allclose(seen, [0.4, 0.0, 0.2], atol=1e-5)
    seen = commands.effective(command, course, jnp.float32(3.05 - 2 * np.pi))
    np.testing.assert_allclose(seen, [0.4, 0.0, -0.1], atol=1e-5)
    # A correction is limited, and the command to stand is left alone.
    np.testing.assert_allclose(commands.effective(command, course, jnp.float32(2.0))[2], 0.4)
    np.testing.assert_array_equal(commands.effective(jnp.zeros(3), course, jnp.float32(2.0)), 0.0)


def test_the_heading_turns_at_the_commanded_rate_and_waits_for_the_robot() -> None:
    config = build(CommandConfig, {"heading_gain": 2.0, "heading_limit": 0.4})
    commands = Commands(config, 0.02)
    command, turning = jnp.zeros(3), jnp.array([0.0, 0.0, 0.5])
    _, course = commands.begin(KEY, commands.blank(), NO, jnp.float32(0.0), STILL)
    for _ in range(10):
        _, course = commands.next(KEY, turning, course, NO, YES, jnp.float32(0.0))
    np.testing.assert_allclose(course.heading, 0.1, atol=1e-6)
    for _ in range(100):
        _, course = commands.next(KEY, turning, course, NO, YES, jnp.float32(0.0))
    np.testing.assert_allclose(course.heading, 0.4 / 2.0, atol=1e-6)
    _, course = commands.next(KEY, command, course, NO, YES, jnp.float32(0.0))
    np.testing.assert_allclose(course.heading, 0.0, atol=1e-6)


def test_the_curriculum_widens_after_a_success() -> None:
    commands = Commands(build(CommandConfig, WIDE | {"curriculum_start": 0.3}), 0.02)
    course = commands.blank()
    levels = []
    for kept in (YES, YES, NO, NO, NO):
        _, course = commands.begin(KEY, course, kept, jnp.float32(0.0), STILL)
        levels.append(float(course.level))
    np.testing.assert_allclose(levels, [0.4, 0.5, 0.4, 0.3, 0.3], atol=1e-6)


def test_a_heading_that_drifts() -> None:
    draws = {"imu_drift": jnp.array([0.0, 0.0, 0.01])}
    np.testing.assert_allclose(known_yaw(jnp.float32(1.0), draws, jnp.float32(5.0)), 1.05)
    np.testing.assert_allclose(known_yaw(jnp.float32(1.0), {}, jnp.float32(5.0)), 1.0)


def test_the_environment_shows_the_corrected_command_and_keeps_its_level() -> None:
    settings: dict[str, Any] = {
        "commands": WIDE | {"heading_gain": 1.0, "curriculum_start": 0.5},
        "reset": {"joint_noise": 0.0, "velocity_noise": 0.0, "tilt_noise": 0.0},
        "max_episode_steps": 20,
    }
    env = gym.make_vec("WildRobot-v0", 3, autoreset_mode="SAME_STEP", **settings)
    env.reset(seed=0)
    env.unwrapped.set_commands(vx=[0.0, 0.0, 0.3])
    for _ in range(20):
        obs, *_ = env.step(np.zeros((3, 9)))
    task = env.unwrapped._simulation.task_state
    # Standing robots kept their speed of 0 up to the limit, the last one did not walk.
    np.testing.assert_allclose(task.course.level, [0.6, 0.6, 0.5], atol=1e-6)
    np.testing.assert_allclose(env.unwrapped.command[:, 0], [0, 0, 0.3])
    np.testing.assert_allclose(obs[:, 27:29], env.unwrapped.command[:, :2], atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"axis_fraction": 1.5}, "axis_fraction"),
        ({"acceleration": (0.5, 0.0, 1.0)}, "acceleration"),
        ({"acceleration": (0.5, 1.0)}, "acceleration"),
        ({"axis_fraction": 1.0, "axis_shares": (0, 1, 1)}, "axis_shares"),  # only vx has a range
        ({"axis_fraction": 1.0, "axis_shares": (-1, 1, 1)}, "axis_shares"),
        ({"heading_gain": -1.0}, "heading_gain"),
        ({"ramp_s": 0.0}, "ramp_s"),
        ({"curriculum_start": 0.0}, "curriculum_start"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(CommandConfig, settings)


def test_a_curriculum_needs_a_time_limit() -> None:
    with pytest.raises(ConfigError, match="curriculum_start needs episodes that end"):
        gym.make("WildRobot-v0", commands={"curriculum_start": 0.5})
