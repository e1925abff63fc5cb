"""The functional environment in brax and in gymnax, with the packages themselves."""

from __future__ import annotations

import functools
import importlib.util
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from wildrobot_gym.env.functional import FunctionalWildRobot
from wildrobot_gym.errors import ConfigError

N = 4


def replicated(tree: Any, devices: list[Any]) -> Any:
    """The tree with a leading axis of devices."""
    return jax.tree.map(lambda x: jnp.stack([x] * len(devices)), tree)


@pytest.fixture(scope="module")
def env() -> FunctionalWildRobot:
    """Episodes of three steps on MuJoCo's own batch, which compiles in seconds."""
    return FunctionalWildRobot(
        {"reset": {"stagger": False}}, "native-jax", max_episode_steps=3, num_threads=1
    )


@pytest.fixture(scope="module")
def rollout(env: FunctionalWildRobot) -> list[Any]:
    """What the environment itself gives: the first states, and five steps."""
    if not any(map(importlib.util.find_spec, ("brax", "gymnax"))):
        pytest.skip("neither brax nor gymnax is installed")
    state = jax.jit(jax.vmap(env.reset))(keys())
    step = jax.jit(jax.vmap(env.step))
    seen: list[Any] = [state]
    for i in range(5):
        state, out = step(state, actions(i))
        seen.append((state, out))
    return seen


def keys() -> Any:
    return jax.random.split(jax.random.PRNGKey(5), N)


def actions(i: int) -> Any:
    return jnp.asarray(np.random.default_rng(i).uniform(-0.5, 0.5, (N, 9)), jnp.float32)


def test_brax_gives_the_steps_of_the_environment(
    env: FunctionalWildRobot, rollout: list[Any]
) -> None:
    brax_env = pytest.importorskip("wildrobot_gym.env.brax_env", exc_type=ImportError)
    one = brax_env.BraxEnv(env)
    assert (one.observation_size, one.action_size, one.backend) == (39, 9, "native-jax")
    wrapped = brax_env.wrap_for_training(one, episode_length=100)
    state = jax.jit(wrapped.reset)(keys())
    step = jax.jit(wrapped.step)
    np.testing.assert_allclose(state.obs, rollout[0].obs, atol=1e-6)
    for i, (expected, out) in enumerate(rollout[1:]):
        state = step(state, actions(i))
        np.testing.assert_allclose(state.obs, expected.obs, atol=1e-5)
        np.testing.assert_allclose(state.reward, out.reward, atol=1e-5)
        np.testing.assert_array_equal(state.done, out.terminated | out.truncated)
        np.testing.assert_array_equal(state.info["truncation"], out.truncated & ~out.terminated)
        np.testing.assert_allclose(state.info["amp_obs"], out.amp_obs, atol=1e-5)
        assert set(state.metrics) > {"reward_alive", "forward_velocity"}
    np.testing.assert_array_equal(state.info["steps"], [2, 2, 2, 2])  # of the second episode
    with pytest.raises(ConfigError, match="randomization_fn"):
        brax_env.wrap_for_training(one, randomization_fn=lambda sys: sys)


@pytest.mark.slow
def test_brax_trains_on_it(env: FunctionalWildRobot, monkeypatch: pytest.MonkeyPatch) -> None:
    brax_env = pytest.importorskip("wildrobot_gym.env.brax_env", exc_type=ImportError)
    from brax.training.agents.ppo import networks, train

    # brax 0.14.2 calls it, and JAX 0.10 has it no more.
    monkeypatch.setattr(jax, "device_put_replicated", replicated, raising=False)
    seen: list[dict[str, Any]] = []
    make_inference, params, _ = train.train(
        environment=brax_env.BraxEnv(env),
        wrap_env_fn=brax_env.wrap_for_training,
        num_timesteps=256,
        num_envs=N,
        episode_length=3,
        unroll_length=8,
        batch_size=N,
        num_minibatches=1,
        num_updates_per_batch=1,
        num_evals=2,
        num_eval_envs=N,
        normalize_observations=True,
        network_factory=functools.partial(
            networks.make_ppo_networks,
            policy_hidden_layer_sizes=(8,),
            value_hidden_layer_sizes=(8,),
        ),
        progress_fn=lambda _, metrics: seen.append(metrics),
    )
    assert len(seen) == 2
    assert seen[-1]["eval/avg_episode_length"] == 3
    assert np.isfinite(seen[-1]["training/total_loss"])
    assert seen[-1]["eval/episode_reward_alive"] > 0.0
    action, _ = make_inference(params)(jnp.zeros(39), jax.random.PRNGKey(0))
    assert action.shape == (9,)


def test_gymnax_gives_the_steps_of_the_environment(
    env: FunctionalWildRobot, rollout: list[Any]
) -> None:
    gymnax_env = pytest.importorskip("wildrobot_gym.env.gymnax_env", exc_type=ImportError)
    from gymnax.wrappers.compat import LegacyStepAPIWrapper
    from gymnax.wrappers.purerl import LogWrapper

    one = gymnax_env.GymnaxEnv(env)
    params = one.default_params
    assert params.max_steps_in_episode == 3
    assert one.observation_space(params).shape == (39,)
    assert one.action_space(params).contains(jnp.zeros(9))
    wrapped = LegacyStepAPIWrapper(LogWrapper(one))
    obs, state = jax.vmap(wrapped.reset)(keys())
    step = jax.jit(jax.vmap(wrapped.step))
    total = np.zeros(N)
    for i, (expected, out) in enumerate(rollout[1:]):
        obs, state, reward, done, info = step(keys(), state, actions(i))
        np.testing.assert_allclose(obs, expected.obs, atol=1e-5)
        np.testing.assert_allclose(info["final_observation"], out.final_obs, atol=1e-5)
        np.testing.assert_allclose(reward, out.reward, atol=1e-5)
        np.testing.assert_array_equal(done, out.terminated | out.truncated)
        np.testing.assert_array_equal(info["truncated"], out.truncated)
        if i < 3:
            total += np.asarray(reward)
    # The return of the first episode, counted by gymnax.
    np.testing.assert_allclose(info["returned_episode_returns"], total, rtol=1e-5)
    np.testing.assert_array_equal(info["returned_episode_lengths"], 3)


def test_gymnax_parts_of_a_step(env: FunctionalWildRobot, rollout: list[Any]) -> None:
    gymnax_env = pytest.importorskip("wildrobot_gym.env.gymnax_env", exc_type=ImportError)
    one = gymnax_env.GymnaxEnv(env)
    params = one.default_params
    state, out = rollout[3]
    before = rollout[2][0]
    obs, after, reward, terminated, info = jax.jit(
        jax.vmap(lambda s, a: one.step_env(jax.random.PRNGKey(0), s, a, params))
    )(before, actions(2))
    np.testing.assert_allclose(reward, out.reward, atol=1e-5)
    np.testing.assert_array_equal(terminated, out.terminated)
    np.testing.assert_allclose(info["amp_obs"], out.amp_obs, atol=1e-5)
    np.testing.assert_allclose(obs, out.final_obs, atol=1e-5)
    np.testing.assert_array_equal(jax.vmap(one.is_truncated, (0, None))(after, params), True)
    np.testing.assert_array_equal(jax.vmap(one.is_truncated, (0, None))(state, params), False)
