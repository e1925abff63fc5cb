"""Samples of the reference, of the replay buffer, and values that are not finite."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from probe_envs import assert_trees_equal, copy_of

from amp_sbx import AMPConfig, AMPLearner, FeatureError, NonFiniteError, ReferenceFeatures
from amp_sbx.discriminator.normalizer import fit_normalizer

RNG = np.random.default_rng(0)


def make_learner(dim=3, reference=None, **settings):
    config = AMPConfig(
        **(
            {"discriminator_hidden": (16, 8), "batch_size": 64, "replay_buffer_size": 100}
            | settings
        )
    )
    data = RNG.normal(size=(200, dim)) if reference is None else reference
    return AMPLearner(config, ReferenceFeatures.coerce(data))


def test_replay_holds_a_tenth_per_iteration_and_is_drawn_from():
    learner = make_learner(replay_buffer_ratio=1.0, disc_input_noise_std=0.0)
    learner.update(np.full((64, 3), 5.0))
    assert int(learner.state.replay.size) == 10
    normalized = learner.state.normalizer(jnp.full(3, 5.0))
    np.testing.assert_allclose(
        learner.state.replay.data[:10], np.tile(normalized, (10, 1)), rtol=1e-6
    )
    # With ratio 1, a step sees replayed samples only, none of the new ones.
    metrics = learner.update(np.random.default_rng(0).normal(size=(64, 3)))
    assert metrics["disc_fake_std"] < 1e-6


def test_weighted_reference_rows_are_drawn_by_weight():
    reference = ReferenceFeatures(
        np.array([[0.0], [1.0], [2.0]]), weights=np.array([0.0, 1.0, 3.0])
    )
    sampler = AMPLearner(
        AMPConfig(discriminator_hidden=(8,), batch_size=2, replay_buffer_size=0), reference
    ).sampler
    drawn = np.asarray(sampler.sample(jax.random.PRNGKey(0), 4000))[:, 0]
    values, counts = np.unique(drawn, return_counts=True)
    assert len(values) == 2 and counts[1] / counts.sum() == pytest.approx(0.75, abs=0.03)


def sampler_of(**reference):
    config = AMPConfig(
        discriminator_hidden=(8,), batch_size=4, replay_buffer_size=0, single_motion=True
    )
    return AMPLearner(config, ReferenceFeatures(**reference)).sampler


def test_a_minibatch_holds_rows_of_several_motions():
    """Motion 7 has almost all weight, yet every minibatch holds two others."""
    features = np.arange(8.0)[:, None] * np.ones(
        (1, 2)
    )  # rows of a motion are not neighbours in the file
    ids = np.array([7, 1, 7, 2, 3, 7, 1, 7])
    weights = np.where(ids == 7, 1.0, 1e-3) * (ids != 3)
    sampler = sampler_of(features=features, weights=weights, motion_ids=ids)
    raw = np.asarray(sampler.features)[:, 0]
    drawn = [row for row in np.argsort(ids, kind="stable") if weights[row] > 0]
    order = {float(value): row for value, row in zip(raw, drawn, strict=True)}
    for seed in range(50):
        batch = np.asarray(jax.jit(sampler.sample, static_argnums=1)(jax.random.PRNGKey(seed), 16))[
            :, 0
        ]
        assert {int(ids[order[float(value)]]) for value in batch} == {1, 2, 7}


def test_motion_ids_change_nothing_where_there_is_one_motion():
    features = RNG.normal(size=(20, 2))
    one = sampler_of(features=features, motion_ids=np.zeros(20, int)).sample(
        jax.random.PRNGKey(1), 64
    )
    none = sampler_of(features=features, weights=np.ones(20)).sample(jax.random.PRNGKey(1), 64)
    np.testing.assert_array_equal(one, none)


def test_wrong_motion_ids_are_refused():
    with pytest.raises(
        FeatureError, match=r"motion_ids are float64 of shape \(3,\); expected whole numbers \(4,\)"
    ):
        ReferenceFeatures(np.zeros((4, 2)), motion_ids=np.zeros(3))


def test_nan_features_leave_the_state_untouched():
    learner = make_learner()
    learner.update(RNG.normal(size=(64, 3)))
    before = copy_of(learner.state)
    with pytest.raises(NonFiniteError, match="not applied"):
        learner.update(np.full((64, 3), np.nan))
    assert_trees_equal(learner.state, before)
    learner.update(RNG.normal(size=(64, 3)))


def test_a_learner_without_reference_scores_but_does_not_learn():
    trained = make_learner()
    blind = AMPLearner(trained.config, None, feature_dim=3)
    blind.restore(replace(trained.state))
    features = RNG.normal(size=(8, 3))
    np.testing.assert_array_equal(blind.rewards(features), trained.rewards(features))
    with pytest.raises(FeatureError, match="reference="):
        blind.update(features)
    with pytest.raises(FeatureError):
        AMPLearner(trained.config, None)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e38, -1e20])
def test_features_that_no_normalizer_holds_are_refused(value):
    features = np.zeros((8, 3))
    features[5, 1] = value
    with pytest.raises(FeatureError, match=r"NaN, or numbers beyond 1e\+15, in columns \[1\]"):
        ReferenceFeatures(features)
    features[5, 1] = 1e12
    assert np.isfinite(fit_normalizer(ReferenceFeatures(features).features).std).all()
