"""One learning iteration: its order, what reaches the rewards, and that a broken one changes nothing."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from amp_probe_envs import (
    REFERENCE,
    SMALL_AMP,
    ProbeEnv,
    SignEnv,
    TwoStepEnv,
    assert_trees_equal,
    copy_of,
    make_model,
)

from amp_sbx import AMPPPO, AMPCallback, NonFiniteError
from amp_sbx.algorithm import learning
from amp_sbx.algorithm.advantage import gae
from amp_sbx.algorithm.data import Hyperparameters, Rollout
from amp_sbx.algorithm.returns import estimate
from amp_sbx.algorithm.timeouts import TimeoutBootstrap
from amp_sbx.algorithm.update import iteration, iteration_jit
from amp_sbx.common.errors import ConfigError
from amp_sbx.discriminator.state import style_rewards


def collected(env=None, **kwargs):
    """An AMP model with one rollout collected and not yet learnt from."""
    settings = {"amp": SMALL_AMP | kwargs.pop("amp", {}), "reference": REFERENCE} | kwargs
    model = make_model(env or ProbeEnv(8, length=5), **settings)
    _, callback = model._setup_learn(10_000)
    model.collect_rollouts(model.env, callback, model.rollout_buffer, model.n_steps)
    return model


def logged(model, name):
    return model.logger.name_to_value[name]


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
    """Before seed v0.6.0. Of the iteration's figures only those that the rewards reach differ between the two orders."""
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
    """Compare the compiled iteration's explained variance with one computed by hand from the same rollout."""
    model = collected(SignEnv(8, length=5, truncate=True), amp={"weight": 3.0, "task_weight": 2.0})
    features = jnp.asarray(model._amp_obs.reshape(-1, 2))
    style = np.asarray(style_rewards(model.learner.config, model.learner.state, features))
    buffer = model.rollout_buffer
    assert (
        model._bootstrap[0] != 0
    ).sum() == 8 * 3  # 16 steps hold three time-outs of every environment
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


def test_separate_critics_value_their_own_rewards_and_weigh_normalised_advantages():
    """Golden by hand: both critics answer a constant, gamma 1 and lambda 1, one environment, two steps."""

    def constant(value):
        def apply_fn(params, rows):
            return jnp.full((len(rows), 1), value)

        return SimpleNamespace(apply_fn=apply_fn, params={})

    zeros = jnp.zeros((2, 1))
    rollout = Rollout(
        observations=jnp.zeros((2, 1, 3)),
        actions=zeros,
        rewards=jnp.array([[1.0], [2.0]]),
        bootstrap=jnp.array([[0.0], [7.0]]),
        style_bootstrap=jnp.array([[0.0], [20.0]]),
        episode_starts=jnp.array([[1.0], [0.0]]),
        values=jnp.full((2, 1), 4.0),
        log_probs=zeros,
        last_observations=jnp.zeros((1, 3)),
        last_dones=jnp.ones(1),
        amp_obs=None,
    )
    style = jnp.array([[10.0], [40.0]])
    ones = dict.fromkeys(
        ("learning_rate", "clip_range", "ent_coef", "vf_coef", "gamma", "gae_lambda"), 1.0
    )
    hyper = Hyperparameters(**ones, clip_range_vf=None, style_weight=0.5, task_weight=2.0)
    advantages, values, returns = estimate(rollout, style, (constant(4.0), constant(30.0)), hyper)
    # Returns: task 1 + 2 + 7 and 2 + 7; style 10 + 40 + 20 and 40 + 20. Two advantages normalise to +1 and -1.
    np.testing.assert_allclose(returns, [[[10.0], [9.0]], [[70.0], [60.0]]])
    np.testing.assert_allclose(values, [[[4.0], [4.0]], [[30.0], [30.0]]])
    np.testing.assert_allclose(advantages, [[2.5], [-2.5]], rtol=1e-5)
    _, values, returns = estimate(rollout, style, (constant(4.0),), hyper)
    np.testing.assert_allclose(returns, [[[2 * 3 + 0.5 * 50 + 7], [2 * 2 + 0.5 * 40 + 7]]])


def test_a_task_that_never_paid_has_no_weight(monkeypatch, tmp_path):
    """Normalised, its critic's error would be an advantage as large as the style's; one that has paid is followed on."""
    weights = []

    def spy(*arguments):
        weights.append(arguments[7].task_weight)
        return iteration_jit(*arguments)

    class Once(ProbeEnv):
        def reward(self, obs, actions):
            return (self.episode == 0).astype(float)

    monkeypatch.setattr(learning, "iteration_jit", spy)
    settings = {
        "amp": SMALL_AMP | {"critic": "separate", "task_weight": 3.0},
        "reference": REFERENCE,
    }
    make_model(TwoStepEnv(8), **settings).learn(128)
    once = make_model(Once(8, length=16), **settings).learn(256)
    once.save(tmp_path / "model")
    AMPPPO.load(tmp_path / "model", env=SignEnv(8, length=16), reference=REFERENCE).learn(128)
    never = ProbeEnv(8)
    never.reward = lambda obs, actions: np.zeros(8)
    make_model(never, **settings).learn(256)
    assert weights == [3.0, 3.0, 3.0, 3.0, 0.0, 0.0]


def test_a_separate_critic_learns_the_style_and_the_other_the_task():
    model = make_model(
        ProbeEnv(8, length=1),
        amp=SMALL_AMP | {"critic": "separate"},
        reference=REFERENCE,
        learning_rate=1e-2,
    )
    model.learn(16 * 8 * 30)
    obs = np.zeros((1, 1), np.float32)
    task, style = (
        critic.apply_fn(critic.params, obs).item()
        for critic in (model.policy.vf_state, model.style_critic)
    )
    assert task == pytest.approx(1.0, abs=0.05)  # every episode is one step of reward 1
    assert style == pytest.approx(logged(model, "amp/reward_mean"), abs=0.15)
    assert logged(model, "train/style_value_loss") < 0.1


def test_time_outs_are_bootstrapped_by_each_critic():
    model = collected(SignEnv(8, length=5, truncate=True), amp={"critic": "separate"}, n_steps=5)
    last = model.rollout_buffer.observations[4]
    for critic, bootstrap in zip(
        (model.policy.vf_state, model.style_critic), model._bootstrap, strict=True
    ):
        np.testing.assert_allclose(
            bootstrap[4], 0.99 * np.asarray(critic.apply_fn(critic.params, last)).ravel(), rtol=1e-5
        )
        assert (bootstrap[:4] == 0).all()
    assert not np.allclose(*(bootstrap[4] for bootstrap in model._bootstrap))


def test_without_a_reference_there_is_nothing_for_a_second_critic():
    with pytest.warns(UserWarning, match="plain PPO"):
        model = make_model(SignEnv(8), amp=SMALL_AMP | {"critic": "separate"})
    model.learn(16 * 8)
    assert "train/style_value_loss" not in model.logger.name_to_value


def test_where_no_second_critic_can_be():
    separate = SMALL_AMP | {"critic": "separate"}
    with pytest.raises(ConfigError, match="one critic"):
        AMPCallback(separate, REFERENCE)
    with pytest.raises(ConfigError, match=r"amp\.critic is .own"):
        AMPCallback({"critic": "own"}, REFERENCE)


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
    model.train()  # and it can go on


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


def test_compiled_once_for_all_iterations():
    model = make_model(SignEnv(8), learning_rate="lin_1e-2", clip_range="lin_0.2")
    before = iteration_jit._cache_size()
    model.learn(16 * 8 * 4)
    assert iteration_jit._cache_size() == before + 1


@pytest.mark.slow  # op by op, an iteration takes a minute
def test_jit_equals_no_jit(monkeypatch):
    """The arguments of a real iteration, once through plain `iteration` op by op and once compiled."""
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
