"""`amp.reintroduce`: channels that the discriminator sees only later."""

import logging

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from learners import LAYOUT, learner_of, run
from probe_envs import assert_trees_equal

from amp_sbx import AMPConfig, FeatureError
from amp_sbx.discriminator.curriculum import Curriculum
from amp_sbx.discriminator.health import WARM_UP
from amp_sbx.discriminator.objective import discriminator_loss
from amp_sbx.reference.layout import channel_columns

RNG = np.random.default_rng(0)


def test_columns_of_a_channel_are_those_of_every_frame():
    np.testing.assert_array_equal(channel_columns(LAYOUT, ["vel"], 4), [False, True, False, True])
    np.testing.assert_array_equal(channel_columns(LAYOUT, ["vel", "pos"], 4), [True] * 4)
    with pytest.raises(
        FeatureError, match=r"no channel 'vell'. Did you mean 'vel'\? Allowed: pos, vel"
    ):
        channel_columns(LAYOUT, ["vell"], 4)
    with pytest.raises(FeatureError, match=r"describes 4 columns .* amp_obs has 5"):
        channel_columns(LAYOUT, ["vel"], 5)
    for silent in (None, {}, {"channels": ["pos"]}):
        with pytest.raises(FeatureError, match="are unknown"):
            channel_columns(silent, ["vel"], 4)


GIVEAWAY = RNG.normal(size=(500, 4)) + np.array(
    [0.0, 6.0, 0.0, 6.0]
)  # `vel` alone tells it from the reference


def test_a_giveaway_is_hidden_until_it_is_revealed():
    learner = learner_of(reintroduce=[{"channels": ["vel"], "at": 2000}])
    before = run(learner, GIVEAWAY, 19)
    assert 0.4 < np.mean([metrics["disc_auc"] for metrics in before[-5:]]) < 0.6
    assert max(metrics["feature_auc"] for metrics in before) < 0.6 and before[-1]["outside"] < 0.05
    assert {metrics["masked"] for metrics in before} == {0.5}
    moved_far = GIVEAWAY + np.array([0.0, 9.0, 0.0, -9.0])
    np.testing.assert_array_equal(learner.rewards(GIVEAWAY), learner.rewards(moved_far))
    after = run(learner, GIVEAWAY, 20, start=19)
    assert (
        after[0]["masked"] == 0.0
        and after[-1]["disc_auc"] > 0.95
        and after[-1]["feature_auc"] > 0.98
    )
    assert (learner.rewards(GIVEAWAY) != learner.rewards(moved_far)).any()


@pytest.mark.parametrize("penalty", ["r1", "wgan_gp"])
def test_a_hidden_direction_has_no_slope(penalty):
    """Shifting hidden columns changes neither loss nor penalty, and their gradient is 0."""
    learner = learner_of(
        reintroduce=[{"channels": ["vel"], "at": 2000}],
        gradient_penalty=penalty,
        normalization="none",
    )
    state, key = learner.state, jax.random.PRNGKey(0)
    real, fake = jnp.array(RNG.normal(size=(2, 32, 4)), jnp.float32)
    hidden = jnp.array([0.0, 3.0, 0.0, -2.0])

    def loss(params, shift=0.0):
        rows = real + shift * hidden, fake - shift * hidden
        return discriminator_loss(learner.config, params, state.batch_stats, *rows, key, state.mask)

    assert_trees_equal(loss(state.params), loss(state.params, 1.0))
    gradient = jax.grad(loss, has_aux=True)(state.params)[0]["Dense_0"]["kernel"]
    assert (gradient[jnp.array([1, 3])] == 0).all() and (gradient[jnp.array([0, 2])] != 0).any()


def test_what_is_hidden_is_still_stored_whole():
    learner = learner_of(reintroduce=[{"channels": ["vel"], "at": 2000}])
    learner.update(np.full((64, 4), 3.0))
    np.testing.assert_allclose(
        learner.state.replay.data[0], learner.state.normalizer(jnp.full(4, 3.0)), rtol=1e-6
    )


def test_stages_wait_for_step_and_triggers_and_stay_in():
    when = {"episode_length": 400, "disc_auc": 0.9}
    stages = AMPConfig(
        reintroduce=[{"channels": ["vel"], "at": 100, "when": when, "wait_at_most": 50}]
    ).reintroduce
    found = Curriculum.of(stages, LAYOUT, 4)
    hidden, good = found.first_mask(4), {"episode_length": 400.0, "disc_auc": 0.9}
    np.testing.assert_array_equal(hidden, [1, 0, 1, 0])
    for steps, metrics, ready in (
        (99, good, True),
        (100, good | {"disc_auc": 0.91}, True),
        (100, good | {"episode_length": 399.0}, True),
        (100, {"disc_auc": 0.5}, True),  # no episode has ended yet
        (100, good, False),  # too few iterations
        (149, {}, True),
    ):
        mask, revealed = found.due(hidden, steps, metrics, ready)
        assert not revealed and (mask == hidden).all()
    for steps, metrics, ready in (
        (100, good, True),
        (150, {}, False),
    ):  # the longest wait is over
        mask, revealed = found.due(hidden, steps, metrics, ready)
        assert (
            revealed == list(stages) and (mask == 1).all() and (hidden == found.first_mask(4)).all()
        )
    again, revealed = found.due(mask, 200, {}, True)
    assert not revealed and (again == 1).all()


def test_triggers_alone_by_what_training_shows(caplog):
    caplog.set_level(logging.INFO, "amp_sbx")
    when = {"episode_length": 300, "task_reward": 0.1}
    learner = learner_of(reintroduce=[{"channels": ["vel"], "when": when, "wait_at_most": 1e6}])
    policy = RNG.normal(size=(64, 4))
    assert (
        run(learner, policy, WARM_UP + 5, episode_length=400, task_reward=0.0)[-1]["masked"] == 0.5
    )
    run(learner, policy, 40, episode_length=400, task_reward=0.12)
    assert learner.state.mask.tolist() == [1, 1, 1, 1] and "now sees vel" in caplog.text
    run(learner, policy, 40, episode_length=5, task_reward=0.0)
    assert learner.state.mask.tolist() == [1, 1, 1, 1]


def test_channels_that_cannot_be_hidden():
    with pytest.raises(FeatureError, match="would see nothing"):
        learner_of(reintroduce=[{"channels": ["vel"], "at": 1}, {"channels": ["pos"], "at": 2}])
    with pytest.raises(FeatureError, match="are unknown: the layout is None"):
        learner_of(layout=None, reintroduce=[{"channels": ["vel"], "at": 1}])
    with pytest.raises(FeatureError, match="Allowed: pos, vel"):
        learner_of(reintroduce=[{"channels": ["contacts"], "at": 1}])
