"""Held-out motion: how it is chosen, and that it is only judged by."""

import numpy as np
import pytest

from amp_sbx import AMPConfig, AMPLearner, ReferenceFeatures
from amp_sbx.reference.held_out import held_out_motions, hold_out


def test_rarely_drawn_samples_count_little_among_those_held_out():
    """Two motions are held out. One has almost no weight and lies where the policy is."""
    rng = np.random.default_rng(4)
    ids = np.repeat(np.arange(20), 50)
    rows, policy = rng.normal(0.0, 0.3, size=(1000, 1)), rng.normal(3.0, 0.3, size=(1000, 1))
    rare = ids == held_out_motions(ids, 0.1)[0]
    rows[rare] += 3.0
    settings = {
        "discriminator_hidden": (16,),
        "batch_size": 64,
        "disc_lr": 1e-2,
        "update_steps": 20,
        "held_out_fraction": 0.1,
    }
    for weight, expected in ((1.0, 0.75), (1e-4, 1.0)):
        reference = ReferenceFeatures(rows, weights=np.where(rare, weight, 1.0), motion_ids=ids)
        learner = AMPLearner(
            AMPConfig(**settings, normalization="none", max_grad_norm=10.0), reference
        )
        for _ in range(3):
            metrics = learner.update(policy)
        assert metrics["held_out_auc"] == pytest.approx(expected, abs=0.06)
        assert metrics["learned_auc"] > 0.95


def test_held_out_motions_are_spread_over_all():
    assert held_out_motions(np.repeat(np.arange(9), 3), 0.2).tolist() == [
        3,
        5,
    ]  # of places 0 ... 8, at thirds: 2.67, 5.33
    assert held_out_motions(["c", "a", "b", "a"], 0.1).tolist() == ["b"]
    assert held_out_motions([7, 7], 0.5).size == 0
    assert held_out_motions([1, 2, 3], 0.0).size == 0


def test_whole_motions_are_held_out():
    ids = np.repeat(np.arange(10), 5)
    reference = ReferenceFeatures(
        np.random.default_rng(0).normal(size=(50, 2)), np.ones(50), None, ids
    )
    learned, held_out = hold_out(reference, 0.2)
    assert (
        len(np.unique(held_out.motion_ids)) == 2
        and held_out.num_samples == 10
        and learned.num_samples == 40
    )
    assert not set(held_out.motion_ids) & set(learned.motion_ids)
    assert hold_out(reference, 0.0) == (reference, None)
    rows, last = hold_out(ReferenceFeatures(np.arange(20.0)[:, None]), 0.1)
    np.testing.assert_array_equal(last.features[:, 0], [18.0, 19.0])
    assert rows.num_samples == 18
    two = ReferenceFeatures(np.arange(40.0)[:, None], motion_ids=np.repeat([0, 1, 0], [10, 20, 10]))
    np.testing.assert_array_equal(
        hold_out(two, 0.1)[1].features[:, 0], [28.0, 29.0, 38.0, 39.0]
    )  # the end of each
    few = ReferenceFeatures(np.arange(3.0)[:, None])
    assert hold_out(few, 0.1) == (few, None)


def test_samples_of_weight_zero_are_not_used():
    ids = np.repeat(np.arange(6), 4)
    weights = np.where(ids % 2 == 0, 0.0, 1.0)
    learned, held_out = hold_out(
        ReferenceFeatures(np.arange(24.0)[:, None], weights, None, ids), 0.2
    )
    assert sorted({*learned.motion_ids, *held_out.motion_ids}) == [1, 3, 5]
    assert (learned.weights > 0).all() and (held_out.weights > 0).all()
    one = ReferenceFeatures(
        np.arange(12.0)[:, None], np.repeat([0.0, 1.0, 0.0], 4), None, np.repeat([0, 1, 2], 4)
    )
    learned, held_out = hold_out(one, 0.5)
    assert set(learned.motion_ids) == set(held_out.motion_ids) == {1}


def test_what_is_held_out_is_judged_by_and_never_drawn():
    data = np.concatenate([np.zeros((40, 2)), np.full((10, 2), 5.0)])
    learner = AMPLearner(
        AMPConfig(discriminator_hidden=(8,), batch_size=32, held_out_fraction=0.2),
        ReferenceFeatures(data),
    )
    drawn = learner.sampler.features
    assert (
        drawn.shape[0] == 40
        and float(drawn.std()) == 0.0
        and learner.sampler.held_out.features.shape[0] == 10
    )
    metrics = learner.update(np.random.default_rng(0).normal(size=(64, 2)))
    assert 0.0 <= metrics["held_out_auc"] <= 1.0
