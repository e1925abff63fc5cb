"""The fused loop: the same learning as over a vector environment, in one compiled call."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import struct
from functional_envs import ITERATION, PointMass, assert_close, point_model
from probe_envs import REFERENCE, SMALL_AMP, assert_trees_equal
from stable_baselines3.common.callbacks import BaseCallback

from amp_sbx import AMPPPO, InfoMetricsCallback, NonFiniteError
from amp_sbx.algorithm.fused_collect import timeout_values
from amp_sbx.common.functional_vector_env import FunctionalVectorEnv

CHANGING = ("rollout/", "reward/", "task/")
POINT = PointMass()
"""One environment, so that all models here share their compiled programs."""


@pytest.fixture(scope="module")
def both():
    """A model by each loop, after the same iterations with AMP."""
    models = {}
    for collect in ("host", "fused"):
        models[collect] = point_model(POINT, collect=collect, amp=SMALL_AMP, reference=REFERENCE)
        models[collect].learn(3 * ITERATION, InfoMetricsCallback(["error"]))
    return models


def test_both_loops_give_equal_parameters_from_equal_keys(both):
    assert both["fused"].fused and not both["host"].fused
    assert_close(both["host"], both["fused"])
    for name in ("key", "num_timesteps", "_n_updates", "task_paid"):
        np.testing.assert_array_equal(getattr(both["host"], name), getattr(both["fused"], name))
    np.testing.assert_allclose(both["host"]._last_obs, both["fused"]._last_obs, atol=1e-5)
    np.testing.assert_array_equal(
        both["host"]._last_episode_starts, both["fused"]._last_episode_starts
    )


def test_both_loops_report_the_same(both):
    """The host's loop logs an update with the next iteration; the fused one with its own."""
    host, fused = both["host"].rows, both["fused"].rows
    assert len(host) == len(fused) == 3
    for i, row in enumerate(fused):
        for name, value in row.items():
            same = host[i] if name.startswith(CHANGING) else host[i + 1] if i < 2 else {}
            if name in same and not name.startswith("time/") and not isinstance(value, str):
                assert value == pytest.approx(same[name], rel=1e-3, abs=1e-5), name
        assert set(host[2]) == set(row)
    assert {"reward/distance", "task/error", "rollout/success_rate"} <= set(fused[0])
    for one, other in zip(*(both[name].ep_info_buffer for name in ("host", "fused")), strict=True):
        assert one["l"] == other["l"]
        assert one["r"] == pytest.approx(other["r"], abs=1e-5)
    assert list(both["host"].ep_success_buffer) == list(both["fused"].ep_success_buffer)


def test_the_statistics_of_running_episodes_reach_the_adapter(both):
    """Sixteen steps of episodes of five: one step into the next, three times."""
    assert (both["fused"].env._episode_lengths == 48 % 5).all()
    np.testing.assert_array_equal(
        both["host"].env._episode_lengths, both["fused"].env._episode_lengths
    )
    np.testing.assert_allclose(
        both["host"].env._episode_returns, both["fused"].env._episode_returns, atol=1e-5
    )


def test_nothing_is_compiled_after_the_first_iteration(caplog):
    model = point_model(POINT, learning_rate="lin_1e-2").learn(ITERATION)
    again = point_model(POINT, learning_rate="lin_1e-3", seed=1)
    with jax.log_compiles(), caplog.at_level("WARNING"):
        model.learn(3 * ITERATION, reset_num_timesteps=False)
        assert not [line for line in caplog.messages if line.startswith("Compiling")]
        again.learn(ITERATION)
    assert not [line for line in caplog.messages if "Compiling jit(run)" in line]


def test_it_finds_the_best_action():
    model = point_model(POINT)
    before = np.mean([row["r"] for row in model.learn(ITERATION).ep_info_buffer])
    model.learn(60 * ITERATION)
    assert np.mean([row["r"] for row in model.ep_info_buffer]) > 0.4 * before
    observations = np.array([[0.3, -0.2], [-0.4, 0.1]], np.float32)
    actions, _ = model.predict(observations, deterministic=True)
    np.testing.assert_allclose(actions[:, 0], observations @ [-1, 1], atol=0.2)


class Count(BaseCallback):
    """Counts its calls, and stops at one of them."""

    def __init__(self, stop_at=None):
        super().__init__()
        self.steps, self.stop_at = [], stop_at

    def _on_step(self):
        self.steps.append(self.num_timesteps)
        return len(self.steps) != self.stop_at


def test_on_step_is_called_once_for_each_call_and_can_stop():
    counted, stopping = Count(), Count(stop_at=2)
    point_model(POINT).learn(3 * ITERATION, counted)
    assert counted.steps == [ITERATION, 2 * ITERATION, 3 * ITERATION]
    model = point_model(POINT).learn(9 * ITERATION, stopping)
    assert model.num_timesteps == 2 * ITERATION


def test_several_iterations_in_a_call_equal_as_many_calls():
    counted = Count()
    one = point_model(POINT).learn(4 * ITERATION)
    two = point_model(POINT, iterations_per_call=2).learn(4 * ITERATION, counted)
    assert_close(one, two)
    assert counted.steps == [2 * ITERATION, 4 * ITERATION]
    assert one.num_timesteps == two.num_timesteps and one._n_updates == two._n_updates
    assert [info["l"] for info in one.ep_info_buffer] == [info["l"] for info in two.ep_info_buffer]


def test_a_resumed_model_equals_one_that_never_stopped(tmp_path):
    straight = point_model(POINT).learn(2 * ITERATION)
    straight.save(tmp_path / "model")
    states = jax.tree.map(jnp.copy, straight.env.vector_env.functional_state)
    starts = straight._last_episode_starts
    straight.learn(2 * ITERATION, reset_num_timesteps=False)

    env = FunctionalVectorEnv(POINT, 8)
    resumed = AMPPPO.load(tmp_path / "model", env=env)
    env.functional_state = states
    resumed._last_obs, resumed._last_episode_starts = np.asarray(states.obs), starts
    resumed.learn(2 * ITERATION, reset_num_timesteps=False)
    assert_trees_equal(straight.get_parameters(), resumed.get_parameters())
    assert_trees_equal(
        straight.env.vector_env.functional_state, resumed.env.vector_env.functional_state
    )
    assert straight.num_timesteps == resumed.num_timesteps


def test_states_borrowed_from_others_stay_readable(both):
    """What the environment's own step made is copied; what the loop gave back is donated."""
    model = point_model(POINT).learn(ITERATION)
    env = model.env.vector_env
    model.env.step(np.zeros((8, 1), np.float32))
    own = env.functional_state
    model._last_obs = np.asarray(own.obs)
    model.learn(ITERATION, reset_num_timesteps=False)
    assert np.isfinite(own.obs).all() and not own.obs.is_deleted()


def test_more_amp_observations_are_collected_between_iterations(both):
    model = point_model(POINT, amp=SMALL_AMP, reference=REFERENCE)
    model.learn(ITERATION)
    amp_obs = model.collect_amp_observations()
    assert amp_obs.shape == (ITERATION, 2) and np.isfinite(amp_obs).all()
    assert model.num_timesteps == ITERATION
    model.learn(ITERATION, reset_num_timesteps=False)
    assert model.num_timesteps == 2 * ITERATION


class Breaking(PointMass):
    """Points with a goal above 0.3 break at their second step."""

    def move(self, state, action):
        broken = (state.obs[1] > 0.3) & (state.steps == 1)
        return jnp.where(broken, jnp.nan, super().move(state, action))


def test_nan_in_one_environment_stays_there(caplog, capsys):
    """Its last observation is NaN, and no time-out's. Compilation is announced with its time."""
    with caplog.at_level("INFO", "amp_sbx"):
        model = point_model(Breaking(), verbose=1).learn(2 * ITERATION)
    lengths = {info["l"] for info in model.ep_info_buffer}
    assert lengths == {2, 5}
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(model.get_parameters()))
    first, second = (line for line in caplog.messages if "compil" in line)
    assert first == "compiling the training iteration ..."
    assert second.startswith("compiled the training iteration in ") and second.endswith(" s")
    assert second in capsys.readouterr().out


def test_an_update_that_is_not_finite_is_not_applied():
    model = point_model(POINT).learn(ITERATION)
    before, env = model.get_parameters(), model.env.vector_env
    states = env.functional_state
    env.functional_state = states.replace(obs=states.obs.at[3, 1].set(jnp.nan))
    with pytest.raises(NonFiniteError, match="NaN or infinity in: observations"):
        model.learn(ITERATION, reset_num_timesteps=False)
    assert_trees_equal(before, model.get_parameters())


@pytest.mark.parametrize("ids", [[], [7], [3, 20], [0, 1, 2, 9, 31]])
def test_time_outs_are_valued_in_a_small_batch_or_together(ids):
    """Two of 32 environments fit the small batch. The others' observations are not read."""
    timed_out = np.isin(np.arange(32), ids)
    observations = np.where(timed_out[:, None], np.arange(32.0)[:, None], np.nan)
    values = timeout_values(
        lambda factor, x: factor * x,
        2.0,
        jnp.asarray(observations, jnp.float32),
        jnp.asarray(timed_out),
    )
    np.testing.assert_array_equal(values, np.where(timed_out, 2.0 * np.arange(32), 0.0))


@struct.dataclass
class Aging:
    """A point, with its steps over all episodes."""

    obs: Any
    point: Any
    age: Any


class BreaksAt:
    """Points whose observations are NaN after their step number `age`."""

    observation_space, action_space = PointMass.observation_space, PointMass.action_space

    def __init__(self, age):
        self.age = age

    def reset(self, key):
        point = POINT.reset(key)
        return Aging(point.obs, point, jnp.int32(0))

    def step(self, state, action):
        point, step = POINT.step(state.point, action)
        obs = jnp.where(state.age + 1 == self.age, jnp.nan, point.obs)
        return Aging(obs, point, state.age + 1), step._replace(obs=obs)


def test_iterations_after_a_broken_one_of_the_same_call_do_not_count():
    """The second of three breaks; the third could learn again."""
    good = point_model(POINT).learn(ITERATION)
    model = point_model(BreaksAt(age=20), iterations_per_call=3)
    with pytest.raises(NonFiniteError, match=r"observations.*, in iteration 2, .* at 256 steps"):
        model.learn(3 * ITERATION)
    assert_close(good, model)
    assert model.num_timesteps == 2 * ITERATION and model._n_updates == good._n_updates
    assert (model.env.vector_env.functional_state.age == 32).all()
