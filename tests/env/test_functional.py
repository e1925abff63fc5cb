"""The environments as pure functions: one step, restarts, scan, saving, and against the host."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from wildrobot_gym.env.functional import FunctionalEnv, FunctionalWildRobot
from wildrobot_gym.env.restarts import restart_where, restarting
from wildrobot_gym.env.tasks import track_task
from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.errors import ConfigError, PhysicsError
from wildrobot_gym.physics import make_engine
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import TrackEnvConfig

N, LIMIT = 4, 6


@pytest.fixture(scope="module")
def env() -> FunctionalWildRobot:
    return FunctionalWildRobot(engine="native-jax", max_episode_steps=LIMIT, num_threads=1)


@pytest.fixture(scope="module")
def functions(env: FunctionalWildRobot) -> tuple[Any, Any]:
    """Reset and step for a batch."""
    return jax.jit(jax.vmap(env.reset)), jax.jit(jax.vmap(env.step))


def keys(seed: int = 0) -> jax.Array:
    return jax.random.split(jax.random.key(seed), N)


def actions(step: int) -> jax.Array:
    wave = 0.7 * step + np.arange(9) + 2.0 * np.arange(N)[:, None]
    return jnp.asarray(0.3 * np.sin(wave), jnp.float32)


def shapes(tree: Any) -> Any:
    return [(x.shape, x.dtype, x.weak_type) for x in jax.tree.leaves(tree)]


def equal(a: Any, b: Any, rows: Any = slice(None)) -> None:
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_array_equal(np.asarray(x)[rows], np.asarray(y)[rows])


def test_a_step_gives_what_its_fields_say(functions: tuple[Any, Any]) -> None:
    reset, step = functions
    state = first = reset(keys())
    total = np.zeros(N)
    for i in range(1, LIMIT + 1):
        before, (state, out) = state, step(state, actions(i))
        assert shapes(state) == shapes(before)  # a carry of scan
        total += np.asarray(out.reward)
        np.testing.assert_allclose(np.sum(list(out.terms.values()), axis=0), out.reward, atol=1e-6)
        np.testing.assert_allclose(out.episode_return, total, atol=1e-5)
        assert out.episode_length.tolist() == [i] * N
        assert out.truncated.tolist() == [i == LIMIT] * N
        assert not np.asarray(out.terminated | out.diverged).any()
        equal(out.obs, state.obs)
        assert (np.asarray(out.obs) == np.asarray(out.final_obs)).all() == (i < LIMIT)
    # The next episode's first state: no action yet, another pose, a window of one frame.
    np.testing.assert_array_equal(state.obs[:, -9:], 0)
    assert np.abs(np.asarray(out.final_obs)[:, -9:]).max() > 0
    assert (np.asarray(state.obs) != np.asarray(first.obs)).any(axis=1).all()
    windows = np.asarray(state.amp_obs).reshape(N, -1, 29)
    np.testing.assert_array_equal(windows, np.repeat(windows[:, -1:], windows.shape[1], axis=1))
    assert (np.asarray(out.amp_obs) != np.asarray(state.amp_obs)).any(axis=1).all()
    assert state.episode_return.tolist() == [0.0] * N
    assert state.task.step_count.tolist() == [0] * N


@pytest.mark.slow
def test_scan_and_one_alone_give_the_same(
    env: FunctionalWildRobot, functions: tuple[Any, Any]
) -> None:
    reset, step = functions
    start = state = reset(keys())
    many = jnp.stack([actions(i) for i in range(LIMIT + 2)])
    outputs = []
    for action in many:
        state, out = step(state, action)
        outputs.append(out)
    scanned, stacked = jax.jit(lambda s, a: jax.lax.scan(jax.vmap(env.step), s, a))(start, many)
    # Programs of another shape round otherwise, and contacts amplify that.
    np.testing.assert_allclose(scanned.obs, state.obs, atol=1e-4)
    np.testing.assert_allclose(stacked.obs, [out.obs for out in outputs], atol=1e-4)
    np.testing.assert_allclose(stacked.reward, [out.reward for out in outputs], atol=1e-4)
    np.testing.assert_array_equal(stacked.truncated, [out.truncated for out in outputs])
    one = jax.tree.map(lambda x: x[1], start)
    alone = jax.jit(env.step)
    for i, action in enumerate(many):
        one, out = alone(one, action[1])
        np.testing.assert_allclose(out.obs, outputs[i].obs[1], atol=1e-4)
        assert bool(out.truncated) == bool(outputs[i].truncated[1])


def test_a_saved_state_continues_bit_for_bit(functions: tuple[Any, Any]) -> None:
    reset, step = functions
    state, _ = step(reset(keys(3)), actions(0))
    leaves, tree = jax.tree.flatten(state)
    saved = [np.array(leaf) for leaf in leaves]
    assert all(leaf.dtype != object for leaf in saved)
    elsewhere = jax.tree.unflatten(tree, [jnp.asarray(leaf) for leaf in saved])
    for i in range(LIMIT + 1):
        state, out = step(state, actions(i))
        elsewhere, other = step(elsewhere, actions(i))
        equal((state, out), (elsewhere, other))


def test_a_fall_and_a_blow_up_stay_alone(
    functions: tuple[Any, Any], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # MuJoCo's log
    reset, step = functions
    state = reset(keys(1))
    rows = np.array(state.engine).view(np.float64)
    rows[1, 3] = 0.75  # time, x, y, height
    rows[2, 1 + 8] = np.nan
    broken = state.replace(engine=jnp.asarray(rows.view(np.uint32)))
    others = np.array([True, False, False, True])
    whole, want = step(state, actions(0))
    state, out = step(broken, actions(0))
    assert out.terminated.tolist() == [False, True, True, False]
    assert out.diverged.tolist() == [False, False, True, False]
    equal((state, out), (whole, want), others)
    assert state.task.step_count.tolist() == [1, 0, 0, 1]
    floats = [x for x in jax.tree.leaves((state, out)) if jnp.issubdtype(x.dtype, jnp.floating)]
    finite = [np.isfinite(x) | np.isposinf(x) for x in floats]  # double_support_time begins at inf
    assert all(np.all(x) for x in finite)


def test_the_host_environment_steps_alike(functions: tuple[Any, Any]) -> None:
    """The same seed gives the same episodes with physics on the host and inside JAX."""
    make = {"max_episode_steps": LIMIT, "autoreset_mode": "SAME_STEP", "num_threads": 1}
    host, inside = (WildRobotVectorEnv(N, backend=b, **make) for b in ("native", "native-jax"))
    assert host.functional is None
    assert isinstance(inside.functional, FunctionalEnv)
    np.testing.assert_allclose(host.reset(seed=2)[0], inside.reset(seed=2)[0], atol=1e-5)
    for i in range(LIMIT + 3):
        a, b = (e.step(np.asarray(actions(i))) for e in (host, inside))
        for x, y in zip(a[:4], b[:4], strict=True):
            np.testing.assert_allclose(x, y, atol=1e-5)
        assert a[4].keys() == b[4].keys()
    state = inside.functional_state
    inside.functional_state = state.replace(obs=state.obs + 1.0)
    np.testing.assert_array_equal(inside.functional_state.obs, state.obs + 1.0)


def test_first_episodes_are_cut_at_random_with_stagger(env: FunctionalWildRobot) -> None:
    config = dataclasses.replace(
        env.task.config, reset=dataclasses.replace(env.task.config.reset, stagger=True)
    )
    staggered = FunctionalWildRobot(config, "native-jax", max_episode_steps=1000, num_threads=1)
    limits = jax.vmap(staggered._first_limit)(jax.random.split(jax.random.PRNGKey(0), 500))
    assert limits.min() >= 1 and limits.max() <= 1000
    assert 400 < limits.mean() < 600
    assert env._first_limit(jax.random.PRNGKey(0)) is None
    endless = FunctionalWildRobot(config, "native-jax", max_episode_steps=None, num_threads=1)
    assert endless._first_limit(jax.random.PRNGKey(0)) is None


@pytest.mark.slow
def test_the_tracking_task_as_functions() -> None:
    robot = RobotModel.load("wildrobot")
    task = track_task(robot, TrackEnvConfig(), "walk_synthetic", 20)
    env = FunctionalEnv(task, make_engine("native-jax", robot, num_threads=1))
    state = jax.jit(jax.vmap(env.reset))(keys())
    state, out = jax.jit(jax.vmap(env.step))(state, jnp.zeros((N, 9)))
    assert env.observation_space.shape == (state.obs.shape[1],)
    assert float(out.metrics["joint_error"].max()) < 0.5


@pytest.mark.parametrize("count", [1, 5, 40])
def test_only_what_ended_restarts(count: int) -> None:
    """Every restart happens once, whatever the chunks."""

    def restart(state: Any) -> Any:
        return {"episode": state["episode"] + 1, "x": jnp.float32(0.0)}

    num_envs = 40
    ended = jnp.arange(num_envs) % num_envs < count
    state = {"episode": jnp.arange(num_envs), "x": jnp.ones(num_envs)}
    for got in (
        restart_where(restart, ended, state),
        jax.vmap(restarting(restart))(ended, state),
        jax.vmap(jax.vmap(restarting(restart)))(
            ended.reshape(8, 5), jax.tree.map(lambda x: x.reshape(8, 5), state)
        ),
    ):
        got = jax.tree.map(lambda x: np.asarray(x).reshape(-1), got)
        np.testing.assert_array_equal(got["episode"], np.arange(num_envs) + np.asarray(ended))
        np.testing.assert_array_equal(got["x"], 1.0 - np.asarray(ended))


def test_wrong_arguments() -> None:
    with pytest.raises(PhysicsError, match="'cuda'"):
        FunctionalWildRobot(engine="cuda")
    with pytest.raises(ConfigError, match="no reference motion"):
        FunctionalWildRobot({"reset": {"reference_fraction": 0.5}}, "native-jax")
    with pytest.raises(ConfigError, match=r"'rewardz'.*Did you mean 'rewards'"):
        FunctionalWildRobot({"rewardz": {}}, "native-jax")
