"""What the fused loop refuses, and what is collected on the host instead."""

import gymnasium as gym
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from functional_envs import ITERATION, PointMass, point_model
from gymnasium.wrappers.vector import RescaleAction
from probe_envs import REFERENCE, SMALL_AMP, ProbeEnv, make_model
from stable_baselines3.common.vec_env import VecNormalize

from amp_sbx import ConfigError, FeatureError, GymnasiumVecEnv
from amp_sbx.common.functional import functional_of
from amp_sbx.common.functional_vector_env import FunctionalVectorEnv


def points():
    return FunctionalVectorEnv(PointMass(), 8)


@pytest.mark.parametrize(
    ("make_env", "what"),
    [
        (lambda: ProbeEnv(8), "ProbeEnv is no functional environment"),
        (lambda: RescaleAction(points(), -1.0, 1.0), "without wrappers"),
        (lambda: VecNormalize(GymnasiumVecEnv(points())), "is a VecNormalize"),
        (lambda: gym.make("Pendulum-v1"), "is a DummyVecEnv"),
    ],
)
def test_environments_that_cannot_be_fused(make_env, what):
    with pytest.raises(ConfigError, match=what):
        make_model(make_env(), collect="fused")
    with pytest.raises(ConfigError, match="iterations_per_call is 2"):
        make_model(make_env(), iterations_per_call=2)
    assert not make_model(make_env()).fused


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"collect": "device"}, "collect is 'device'"),
        ({"iterations_per_call": 0}, "iterations_per_call is 0"),
        ({"iterations_per_call": True}, "iterations_per_call is True"),
        ({"collect": "host", "iterations_per_call": 2}, "collect is 'host'"),
        ({"collect": "fused", "use_sde": True}, "use_sde"),
    ],
)
def test_settings_that_do_not_fit(settings, what):
    with pytest.raises(ConfigError, match=what):
        make_model(points(), **settings)


class Branching(PointMass):
    def move(self, state, action):
        return state.obs[0] + (action[0] if action[0] > 0 else 0.0)


class Narrowing(PointMass):
    def step(self, state, action):
        state, step = super().step(state, action)
        return state.replace(steps=state.steps.astype(jnp.float32)), step


class Growing(PointMass):
    def step(self, state, action):
        state, step = super().step(state, action)
        return state.replace(total=jnp.stack([state.total] * 2)), step


class Restructured(PointMass):
    def step(self, state, action):
        state, step = super().step(state, action)
        return state.replace(total=(state.total,)), step


class Wide(PointMass):
    def step(self, state, action):
        state, step = super().step(state, action)
        return state, step._replace(reward=step.reward[None])


class Plain(PointMass):
    def step(self, state, action):
        state, step = super().step(state, action)
        return state, step._replace(amp_obs=None)


@pytest.mark.parametrize(
    ("env", "what"),
    [
        (Branching(), "Branching.step depends in Python on a value"),
        (Narrowing(), r"entry .steps from int32\(\) to float32\(\)"),
        (Growing(), r"entry .total from float32\(\) to float32\(2,\)"),
        (Restructured(), "changes the structure of the state"),
        (Wide(), r"reward has shape \(1,\), allowed is \(\)"),
    ],
)
def test_environments_that_only_claim_to_be_functional(env, what):
    with pytest.raises(ConfigError, match=what):
        point_model(env, collect="fused").learn(ITERATION)


def test_amp_needs_amp_observations_of_the_reference_s_width():
    with pytest.raises(FeatureError, match="gives amp_obs None"):
        point_model(Plain(), amp=SMALL_AMP, reference=REFERENCE).learn(ITERATION)
    narrow = np.random.default_rng(0).normal(size=(100, 1)).astype(np.float32)
    with pytest.raises(FeatureError, match="amp_obs has 2 columns, the reference has 1"):
        point_model(amp=SMALL_AMP, reference=narrow).learn(ITERATION)


def test_what_is_no_environment_is_refused():
    with pytest.raises(ConfigError, match="no functional environment"):
        FunctionalVectorEnv(object(), 8)
    with pytest.raises(ConfigError, match="num_envs is 0"):
        FunctionalVectorEnv(PointMass(), 0)


def test_the_vector_environment_steps_as_the_functions_do():
    env = points()
    obs, _ = env.reset(seed=3)
    assert env.observation_space.contains(obs)
    states = env.functional_state
    actions = np.linspace(-1, 1, 8, dtype=np.float32)[:, None]
    for count in range(1, 6):
        expected, step = jax.vmap(env.functional.step)(states, jnp.asarray(actions))
        obs, rewards, terminated, truncated, infos = env.step(actions)
        np.testing.assert_allclose(obs, expected.obs, atol=1e-6)
        np.testing.assert_allclose(rewards, step.reward, atol=1e-6)
        np.testing.assert_allclose(infos["amp_obs"], step.amp_obs, atol=1e-6)
        np.testing.assert_allclose(infos["reward_distance"], step.reward, atol=1e-6)
        assert truncated.all() == (count == 5) and not terminated.any()
        states = expected
    np.testing.assert_allclose(infos["final_obs"], step.final_obs, atol=1e-6)
    assert (np.abs(obs) <= 0.5).all()


def test_a_subclass_with_a_step_of_its_own_is_not_bypassed():
    class Own(FunctionalVectorEnv):
        def step(self, actions):
            return super().step(actions)

    whole, own = FunctionalVectorEnv(PointMass(), 2), Own(PointMass(), 2)
    assert functional_of(whole) is whole.functional
    assert functional_of(own) is None


def test_a_state_without_an_observation_is_named():
    class Bare(PointMass):
        def reset(self, key):
            return (super().reset(key).obs,)

    with pytest.raises(ConfigError, match="without `obs`"):
        FunctionalVectorEnv(Bare(), 2).reset(seed=0)
