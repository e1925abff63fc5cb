"""One learning iteration: its order, its rewards, and one that is not finite."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from probe_envs import SignEnv, assert_trees_equal, copy_of, make_model
from rollouts import collected, logged

from amp_sbx import NonFiniteError
from amp_sbx.algorithm.advantage import gae
from amp_sbx.algorithm.collect import sample_actions
from amp_sbx.algorithm.timeouts import TimeoutBootstrap
from amp_sbx.algorithm.update import iteration, iteration_jit
from amp_sbx.discriminator.state import style_rewards


def test_style_reward_comes_from_the_discriminator_before_its_update():
    model = collected(amp={"disc_lr": 0.05, "update_steps": 5, "max_grad_norm": 10.0})
    features = jnp.asarray(model._amp_obs.reshape(-1, 2))
    config, old = model.learner.config, copy_of(model.learner.state)
    model.train()
    by_old = float(style_rewards(config, old, features).mean())
    by_new = float(style_rewards(config, model.learner.state, features).mean())
    assert logged(model, "amp/reward_mean") == pytest.approx(by_old, abs=1e-6)
    assert abs(by_old - by_new) > 1e-3


def test_style_reward_comes_from_the_updated_discriminator_where_asked():
    """The two orders differ only in what depends on the rewards."""
    amp = {"disc_lr": 0.05, "update_steps": 5, "max_grad_norm": 10.0}
    old_order, new_order = collected(amp=amp | {"order": "update_first"}), collected(amp=amp)
    features = jnp.asarray(old_order._amp_obs.reshape(-1, 2))
    old_order.train(), new_order.train()
    assert_trees_equal(old_order.learner.state.params, new_order.learner.state.params)
    by_new = float(
        style_rewards(old_order.learner.config, old_order.learner.state, features).mean()
    )
    assert logged(old_order, "amp/reward_mean") == pytest.approx(by_new, abs=1e-6)
    assert abs(by_new - logged(new_order, "amp/reward_mean")) > 1e-3
    assert logged(old_order, "amp/disc_loss") == pytest.approx(
        logged(new_order, "amp/disc_loss"), rel=1e-5
    )


def test_rewards_reach_gae_as_weighted_sum_plus_bootstrap():
    """The compiled iteration's explained variance equals one computed by hand."""
    model = collected(SignEnv(8, length=5, truncate=True), amp={"weight": 3.0, "task_weight": 2.0})
    features = jnp.asarray(model._amp_obs.reshape(-1, 2))
    style = np.asarray(style_rewards(model.learner.config, model.learner.state, features))
    buffer = model.rollout_buffer
    assert (
        model._bootstrap[0] != 0
    ).sum() == 8 * 3  # 16 steps have three time-outs in every environment
    rewards = 2.0 * buffer.rewards + 3.0 * style.reshape(buffer.rewards.shape) + model._bootstrap[0]
    last = np.asarray(
        model.policy.vf_state.apply_fn(model.policy.vf_state.params, model._last_obs)
    ).ravel()
    dones = model._last_episode_starts.astype(np.float32)
    _, returns = gae(
        *map(jax.numpy.asarray, (rewards, buffer.values, buffer.episode_starts, last, dones)),
        0.99,
        0.95,
    )
    expected = 1 - np.var(np.asarray(returns) - buffer.values) / np.var(returns)
    model.train()
    assert logged(model, "train/explained_variance") == pytest.approx(
        float(expected), rel=1e-3, abs=1e-4
    )


def test_bootstrap_is_the_terminal_observations_value():
    model = collected(SignEnv(8, length=5, truncate=True), n_steps=5)
    last = model.rollout_buffer.observations[4]  # SignEnv's observation stays through an episode
    values = np.asarray(model.policy.vf_state.apply_fn(model.policy.vf_state.params, last)).ravel()
    np.testing.assert_allclose(model._bootstrap[0][4], 0.99 * values, rtol=1e-5)
    assert (model._bootstrap[0][:4] == 0).all()
    assert (collected(SignEnv(8, length=5), n_steps=5)._bootstrap[0] == 0).all()  # terminations


def test_bootstrap_pads_to_powers_of_two():
    sizes = []
    timeouts = TimeoutBootstrap()
    infos = [
        {"TimeLimit.truncated": True, "terminal_observation": np.full(1, float(i))}
        for i in range(5)
    ]
    infos[3] = {"terminal_observation": np.zeros(1), "TimeLimit.truncated": False}
    timeouts.record(2, np.arange(5), infos)

    def value_fn(batch):
        sizes.append(len(batch))
        return batch[:, 0]

    values = timeouts.values((4, 6), lambda x: x, value_fn, 0.5)
    assert sizes == [4]
    np.testing.assert_allclose(values[2], [0.0, 0.5, 1.0, 0.0, 2.0, 0.0])
    assert values.sum() == values[2].sum()


def test_nan_features_raise_and_change_nothing():
    model = collected()
    model._amp_obs[3, 2, 1] = np.nan
    before = copy_of(
        (model.policy.actor_state.params, model.policy.vf_state.params, model.learner.state)
    )
    with pytest.raises(NonFiniteError, match="AMP observations"):
        model.train()
    after = copy_of(
        (model.policy.actor_state.params, model.policy.vf_state.params, model.learner.state)
    )
    assert_trees_equal(after, before)
    model._amp_obs[3, 2, 1] = 0.0
    model.train()  # training can continue


def test_nan_rewards_raise_without_amp_too():
    model = make_model(SignEnv(8))
    _, callback = model._setup_learn(10_000)
    model.collect_rollouts(model.env, callback, model.rollout_buffer, model.n_steps)
    model.rollout_buffer.rewards[0, 0] = np.inf
    before = copy_of(model.policy.actor_state.params)
    with pytest.raises(
        NonFiniteError, match="in: rewards, policy update"
    ):  # the cause before its effects
        model.train()
    assert_trees_equal(model.policy.actor_state.params, before)
    model.rollout_buffer.rewards[0, 0] = 0.0
    model._bootstrap[0][3, 1] = np.nan
    with pytest.raises(NonFiniteError, match="in: values of terminal observations, "):
        model.train()
    model._bootstrap[0][3, 1] = 0.0
    model._last_obs = np.full_like(model._last_obs, np.nan)
    with pytest.raises(NonFiniteError, match="in: observations, "):
        model.train()
    assert_trees_equal(model.policy.actor_state.params, before)


def test_compiled_once_for_all_iterations_and_equal_models():
    settings = {"learning_rate": "lin_1e-2", "clip_range": "lin_0.2", "max_grad_norm": 0.123}
    before = iteration_jit._cache_size(), sample_actions._cache_size()
    make_model(SignEnv(8), **settings).learn(16 * 8 * 4)
    assert iteration_jit._cache_size() == before[0] + 1
    compiled = iteration_jit._cache_size(), sample_actions._cache_size()
    other = make_model(SignEnv(8), **settings, seed=1, gamma=0.5, n_epochs=4)
    other.learning_rate = 1e-3
    other.learn(16 * 8)
    assert (iteration_jit._cache_size(), sample_actions._cache_size()) == compiled


def test_models_of_other_networks_have_their_own_functions():
    """Other widths, activations and optimizers are compiled separately."""
    first = make_model(SignEnv(8))
    equal = make_model(SignEnv(8), seed=1)
    assert equal.policy.actor_state.apply_fn is first.policy.actor_state.apply_fn
    assert equal.policy.actor_state.tx is first.policy.actor_state.tx
    for kwargs in (
        {"net_arch": [8], "activation_fn": "tanh"},
        {"net_arch": [16], "activation_fn": "relu"},
        {"net_arch": [16], "activation_fn": "tanh", "log_std_init": -1.0},
    ):
        other = make_model(SignEnv(8), policy_kwargs=kwargs)
        assert other.policy.actor_state.apply_fn is not first.policy.actor_state.apply_fn
    kwargs = {"net_arch": [16], "activation_fn": "tanh", "optimizer_class": "sgd"}
    for settings in ({"max_grad_norm": 9.0}, {"policy_kwargs": kwargs | {"optimizer_kwargs": {}}}):
        assert (
            make_model(SignEnv(8), **settings).policy.actor_state.tx
            is not first.policy.actor_state.tx
        )


@pytest.mark.slow  # op by op, an iteration takes a minute
def test_jit_equals_no_jit(monkeypatch):
    """A real iteration's arguments, once compiled and once without jit."""
    model = collected(n_steps=4, n_epochs=1, batch_size=16)
    given = []

    def record_and_stop(*arguments):
        given.extend(arguments)
        raise InterruptedError

    monkeypatch.setattr("amp_sbx.algorithm.learning.iteration_jit", record_and_stop)
    with pytest.raises(InterruptedError):
        model.train()
    given[5] = jax.tree.map(jnp.asarray, given[5])
    compiled = jax.jit(iteration, static_argnums=(0, 1))(*given)
    with jax.disable_jit():
        eager = iteration(*given)
    for one, other in zip(jax.tree.leaves(eager), jax.tree.leaves(compiled), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


def test_target_kl_adapts_the_learning_rate_within_its_bounds():
    model = make_model(SignEnv(8), target_kl=1e-6, learning_rate=1e-3)
    model.learn(16 * 8 * 3)
    assert 1e-5 <= model.adaptive_lr.current_adaptive_lr < 1e-3
    assert logged(model, "train/learning_rate") == pytest.approx(
        model.adaptive_lr.current_adaptive_lr
    )


@pytest.mark.parametrize("faster", ["actor", "critic"])
def test_the_critic_may_have_its_own_learning_rate(faster):
    """Adam's steps are as long as the rate: one of the networks moves, the other hardly does."""
    rates = (1e-2, 1e-7) if faster == "actor" else (1e-7, 1e-2)
    model = make_model(SignEnv(8), learning_rate=rates[0], critic_learning_rate=rates[1])
    before = copy_of((model.policy.actor_state.params, model.policy.vf_state.params))
    model.learn(16 * 8)
    after = (model.policy.actor_state.params, model.policy.vf_state.params)
    for rate, old, new in zip(rates, before, after, strict=True):
        change = jax.tree.map(lambda a, b: float(jnp.abs(a - b).max()), old, new)
        moved = max(jax.tree.leaves(change))
        assert rate / 2 < moved < 100 * rate
