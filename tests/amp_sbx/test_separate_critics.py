"""`amp.critic: separate`: one critic of the task and one of the style."""

from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest
from probe_envs import REFERENCE, SMALL_AMP, ProbeEnv, SignEnv, TwoStepEnv, make_model
from rollouts import collected, logged

from amp_sbx import AMPPPO, AMPCallback
from amp_sbx.algorithm import learning
from amp_sbx.algorithm.data import Hyperparameters, Rollout
from amp_sbx.algorithm.returns import estimate
from amp_sbx.algorithm.update import iteration_jit
from amp_sbx.common.errors import ConfigError


def test_separate_critics_value_their_own_rewards_and_weigh_normalized_advantages():
    """By hand: constant critics, gamma 1 and lambda 1, one environment, two steps."""

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
    weights = {"style_weight": 0.5, "task_weight": 2.0}
    hyper = Hyperparameters(**ones, **weights, critic_learning_rate=None, clip_range_vf=None)
    advantages, values, returns = estimate(rollout, style, (constant(4.0), constant(30.0)), hyper)
    # Task returns: 1 + 2 + 7 and 2 + 7. Style returns: 10 + 40 + 20 and 40 + 20.
    # Two advantages normalize to +1 and -1.
    np.testing.assert_allclose(returns, [[[10.0], [9.0]], [[70.0], [60.0]]])
    np.testing.assert_allclose(values, [[[4.0], [4.0]], [[30.0], [30.0]]])
    np.testing.assert_allclose(advantages, [[2.5], [-2.5]], rtol=1e-5)
    _, values, returns = estimate(rollout, style, (constant(4.0),), hyper)
    np.testing.assert_allclose(returns, [[[2 * 3 + 0.5 * 50 + 7], [2 * 2 + 0.5 * 40 + 7]]])


def test_a_task_that_never_paid_has_no_weight(monkeypatch, tmp_path):
    """Otherwise its critic's error would be normalized to an advantage as large as the style's."""
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


def test_cases_without_a_second_critic():
    separate = SMALL_AMP | {"critic": "separate"}
    with pytest.raises(ConfigError, match="one critic"):
        AMPCallback(separate, REFERENCE)
    with pytest.raises(ConfigError, match=r"amp\.critic is .own"):
        AMPCallback({"critic": "own"}, REFERENCE)
