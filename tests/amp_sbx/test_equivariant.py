"""Equivariant networks: they commute with the reflection, at half of the size and of the work."""

from functools import cache

import gymnasium as gym
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from probe_envs import SMALL_AMP, ProbeEnv, make_model
from sbx.ppo.policies import Actor, CnnPolicy, Critic
from test_symmetry import MIRROR, OneSidedEnv

from amp_sbx import ReferenceFeatures
from amp_sbx.algorithm.equivariant import (
    EquivariantActor,
    InvariantCritic,
    basis,
    orbits,
    policy_classes,
)
from amp_sbx.algorithm.symmetry import SymmetricActor
from amp_sbx.common.errors import ConfigError
from amp_sbx.common.mirror import Mirror
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.observations import observation_mirror

WIDE = {"net_arch": (16, 8), "activation_fn": nn.elu}
TOY = Mirror.from_json(MIRROR)
ALL_EVEN = Mirror((0, 1), (1.0, 1.0), (1, 0), (-1.0, -1.0))
MIRRORS = ("toy", "all_even", "wildrobot", "wildrobot_8dof")


@cache
def mirror_of(name):
    if name in ("toy", "all_even"):
        return TOY if name == "toy" else ALL_EVEN
    return Mirror.from_json(observation_mirror(RobotModel.load(name)))


def random_parameters(network, x):
    """Random numbers everywhere, biases and spreads included."""
    rng = np.random.default_rng(2)
    return jax.tree.map(
        lambda leaf: rng.normal(0.0, 0.5, leaf.shape).astype(np.float32),
        jax.eval_shape(network.init, jax.random.key(1), x),
    )


@pytest.mark.parametrize("name", MIRRORS)
def test_the_image_has_the_mirrored_action_and_the_same_value(name):
    mirror = mirror_of(name)
    actor = EquivariantActor(len(mirror.action_ids), mirror=mirror, **WIDE)
    critic = InvariantCritic(mirror=mirror, **WIDE)
    x = np.random.default_rng(0).normal(size=(32, len(mirror.obs_ids))).astype(np.float32)

    @jax.jit
    def answers(params, critic_params, seen):
        policy = actor.apply(params, seen)
        return policy.mode(), policy.stddev()[0], critic.apply(critic_params, seen)

    given = random_parameters(actor, x), random_parameters(critic, x)
    actions, spread, values = (np.asarray(part) for part in answers(*given, x))
    image_actions, image_spread, image_values = answers(*given, mirror.observations(x))
    np.testing.assert_allclose(image_actions, mirror.actions(actions), atol=1e-5)
    np.testing.assert_allclose(image_values, values, atol=1e-5)
    np.testing.assert_array_equal(spread[np.array(mirror.action_ids)], image_spread)
    assert np.ptp(actions, axis=0).min() > 0.1 and np.ptp(values) > 0.1  # none is constant
    assert actions.shape == (32, len(mirror.action_ids)) and values.shape == (32, 1)


@pytest.mark.parametrize("name", MIRRORS)
def test_the_bases_are_orthonormal_and_hold_what_the_reflection_keeps_and_negates(name):
    mirror = mirror_of(name)
    even, odd = basis(mirror.obs_ids, mirror.obs_signs)
    both = np.concatenate([even, odd], axis=1)
    np.testing.assert_allclose(both.T @ both, np.eye(len(mirror.obs_ids)), atol=1e-6)
    np.testing.assert_allclose(mirror.observations(even.T), even.T, atol=1e-6)
    np.testing.assert_allclose(mirror.observations(odd.T), -odd.T, atol=1e-6)


def test_partners_share_an_orbit():
    np.testing.assert_array_equal(orbits((0, 3, 2, 1)), [0, 1, 2, 1])


def test_actor_golden():
    """Odd 3 x and even 2 y + 1 give u = 6 / sqrt(2), v = 0 at (1, 1): an action of 3."""
    actor = EquivariantActor(1, (2,), TOY, activation_fn=nn.relu)
    params = actor.init(jax.random.key(0), jnp.ones((1, 2)))["params"]
    assert jax.tree.map(jnp.shape, params) == {
        "EquivariantMLP_0": {"EquivariantDense_0": {"even": (1, 1), "odd": (1, 1), "bias": (1,)}},
        "EquivariantDense_0": {"odd": (1, 1)},
        "log_std": (1,),
    }
    hidden = {"even": jnp.full((1, 1), 2.0), "odd": jnp.full((1, 1), 3.0), "bias": jnp.ones(1)}
    params = {
        "EquivariantMLP_0": {"EquivariantDense_0": hidden},
        "EquivariantDense_0": {"odd": jnp.ones((1, 1))},
        "log_std": jnp.zeros(1),
    }
    answer = actor.apply({"params": params}, jnp.array([[1.0, 1.0], [-1.0, 1.0]])).mode()
    np.testing.assert_allclose(answer, [[3.0], [-3.0]], rtol=1e-6)


def kernels(params):
    return sum(x.size for x in jax.tree.leaves(params) if x.ndim == 2)


def flops(function, *arguments):
    return jax.jit(function).lower(*arguments).cost_analysis()["flops"]


def test_half_of_the_parameters_and_of_the_work_of_a_plain_network():
    mirror = mirror_of("wildrobot")
    wide = {"net_arch": (256, 128), "activation_fn": nn.elu}
    x = jax.ShapeDtypeStruct((512, len(mirror.obs_ids)), jnp.float32)
    plain = Actor(9, **wide), Critic(**wide)
    ours = EquivariantActor(9, mirror=mirror, **wide), InvariantCritic(mirror=mirror, **wide)
    old, new = (
        [jax.eval_shape(network.init, jax.random.key(0), x) for network in networks]
        for networks in (plain, ours)
    )
    assert [2 * kernels(params) for params in new] == [kernels(params) for params in old]
    averaged = SymmetricActor(plain[0].apply, mirror)
    mean = flops(lambda params, x: averaged(params, x).mode(), old[0], x)
    equivariant = flops(lambda params, x: ours[0].apply(params, x).mode(), new[0], x)
    assert equivariant < 0.32 * mean  # a quarter, and the changes of basis
    # A half, and the change of basis.
    assert flops(ours[1].apply, new[1], x) < 0.6 * flops(plain[1].apply, old[1], x)


def test_models_of_equal_settings_share_compiled_functions():
    first, second = (make_model(OneSidedEnv(), symmetric_policy="equivariant") for _ in range(2))
    assert first.policy.actor_state.apply_fn == second.policy.actor_state.apply_fn
    assert first.policy.vf_state.apply_fn == second.policy.vf_state.apply_fn


def test_the_style_critic_is_invariant_too():
    model = make_model(
        OneSidedEnv(),
        symmetric_policy="equivariant",
        amp=SMALL_AMP | {"critic": "separate"},
        reference=ReferenceFeatures(np.random.default_rng(0).normal(size=(100, 2))),
    )
    critic = model.style_critic
    here, there = critic.apply_fn(critic.params, jnp.array([[1.0, 1.0], [-1.0, 1.0]]))[:, 0]
    np.testing.assert_allclose(here, there, atol=1e-6)
    other = model.policy.vf_state.params
    assert not np.array_equal(*(jax.tree.leaves(params)[1] for params in (critic.params, other)))


def test_what_cannot_be_equivariant_is_refused():
    with pytest.raises(ConfigError, match="a layer of width 15"):
        make_model(
            OneSidedEnv(), symmetric_policy="equivariant", policy_kwargs={"net_arch": [16, 15]}
        )
    with pytest.raises(ConfigError, match="a layer of width 7"):
        policy_classes(object, {"net_arch": {"pi": [8], "vf": [7]}}, TOY)
    with pytest.raises(ConfigError, match=r"for MlpPolicy only; got CnnPolicy"):
        policy_classes(CnnPolicy, {}, TOY)
    with pytest.raises(ConfigError, match=r"got policy_kwargs \['actor_class'\]"):
        policy_classes(object, {"actor_class": Actor}, TOY)
    discrete = ProbeEnv(action_space=gym.spaces.Discrete(2))
    discrete.mirror = MIRROR
    with pytest.raises(ConfigError, match=r"needs Box observations and actions; got Discrete"):
        make_model(discrete, symmetric_policy="equivariant")
