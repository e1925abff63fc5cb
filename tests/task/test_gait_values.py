"""Gait metrics of a step by hand; their means are the walk benchmark's."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from state_makers import make_state, step_fields

from wildrobot_gym.config import build
from wildrobot_gym.evaluation.gait_events import find_events
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import EnvConfig
from wildrobot_gym.task.gait import gait_metrics
from wildrobot_gym.task.rewards import RewardInputs
from wildrobot_gym.task.walk import WalkTask

DT = 0.02

GOLDEN = [
    # One of two feet lands after 40 ms; 20 ms is flicker.
    ("gait_cadence", {"touchdown_air_time": [0.04, 0.02]}, 25.0),
    ("gait_cadence", {"touchdown_air_time": [0.0, 0.02]}, 0.0),
    ("gait_double_support", {"foot_loaded": np.array([True, True])}, 1.0),
    ("gait_double_support", {"foot_loaded": np.array([True, False])}, 0.0),
    ("gait_flight", {"foot_loaded": np.array([False, False])}, 1.0),
    ("gait_flight", {"foot_loaded": np.array([True, False])}, 0.0),
    # The mean of a foot's two pads, 0.2 and 0 m/s, is no more than 0.1 m/s; 0.22 and 0 is.
    ("gait_slip", {"pad_vel_w": [[0.2, 0, 0], [0, 0, 0], [0.22, 0, 0], [0, 0, 0]]}, 0.5),
    ("gait_slip", {"pad_vel_w": [[9, 0, 0]] * 4, "foot_loaded": np.array([False, False])}, 0.0),
    ("gait_saturation", {"actuator_forces": [4, -4, 3.93, 3.91, 0, 0, 0, 0, 0]}, 3 / 9),
]


@pytest.mark.parametrize(("name", "changes", "want"), GOLDEN)
def test_golden(wildrobot: RobotModel, name: str, changes: dict, want: float) -> None:
    found = gait_metrics(wildrobot, RewardInputs(**step_fields(wildrobot, **changes)), DT)
    assert float(found[name]) == pytest.approx(want)


def test_means_of_an_episode_are_those_of_the_benchmark(wildrobot: RobotModel) -> None:
    """With any loads: walking, flicker of contact, and flight."""
    rng = np.random.default_rng(0)
    num_steps = 300
    force = np.where(rng.random((num_steps, 2)) < 0.5, 0.0, 16.0)
    force = np.repeat(force, rng.integers(1, 4, num_steps), axis=0)[:num_steps]
    task = WalkTask(wildrobot, build(EnvConfig, {}), None)
    state = make_state(wildrobot)
    key = jax.random.key(0)
    now, _ = task.begin(task.blank(key), task.draw_start(key), state)

    def step(now, feet):
        pads = jnp.repeat(feet / 2, 2)
        now, out = task.advance(now, state.replace(pad_forces=pads), jnp.zeros(9))
        return now, out.metrics

    _, metrics = jax.lax.scan(step, now, jnp.asarray(force, jnp.float32))
    events = find_events(force[:, None], np.zeros((num_steps, 1, 2)), wildrobot.weight, DT)
    down = events.loaded.sum(axis=-1)
    want = {
        "gait_cadence": events.touchdown.sum() / 2 / (num_steps * DT),
        "gait_double_support": (down == 2).mean(),
        "gait_flight": (down == 0).mean(),
    }
    assert min(want.values()) > 0.05
    for name, value in want.items():
        assert float(metrics[name].mean()) == pytest.approx(value, rel=1e-5), name


def test_an_episode_that_begins_in_a_swing_counts_from_its_first_step(
    wildrobot: RobotModel,
) -> None:
    """The air time of another episode does not reach into it, and no liftoff is seen."""
    task = WalkTask(wildrobot, build(EnvConfig, {}), None)
    key = jax.random.key(0)
    in_the_air = make_state(wildrobot, pad_forces=np.array([0, 0, 16.0, 16.0]))
    landed = make_state(wildrobot)
    now = task.blank(key)
    for _ in range(2):  # the first episode ends in a swing, too
        now, _ = task.begin(now, task.draw_start(key), in_the_air)
        seen = []
        for state in (*[in_the_air] * 3, landed, landed, in_the_air):
            now, out = task.advance(now, state, jnp.zeros(9))
            seen.append(float(out.metrics["gait_cadence"]))
        assert seen == [0, 0, 0, pytest.approx(0.5 / DT), 0, 0]


def test_the_mean_error_follows_in_a_stride(wildrobot: RobotModel) -> None:
    """A first-order lag: after one time constant, 40 steps, 1 - (39/40)^40 = 64 % of a change."""
    task = WalkTask(wildrobot, build(EnvConfig, {"privileged": ["mean_error"]}))
    key = jax.random.PRNGKey(0)
    still = make_state(wildrobot)
    now, _ = task.begin(task.blank(key), task.draw_start(key), still)
    moving = make_state(wildrobot, lin_vel=[0.5, -0.1, 0], ang_vel=[0, 0, 1.0])
    now = dataclasses.replace(
        now, command=jnp.array([0.2, -0.1, 0.0]), command_held=jnp.array(True)
    )
    for _ in range(40):
        now, output = task.advance(now, moving, jnp.zeros(wildrobot.num_joints))
    expected = (1 - (39 / 40) ** 40) * np.array([0.3, 0.0, 1.0])
    np.testing.assert_allclose(now.mean_error, expected, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(output.critic_obs[-3:], now.mean_error)
