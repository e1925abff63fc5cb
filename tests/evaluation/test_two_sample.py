"""The classifier two-sample test on sets with known answers."""

import numpy as np
import pytest
from scipy.stats import norm

from wildrobot_gym.evaluation.two_sample import (
    NEITHER,
    SampleSet,
    auc,
    time_halves,
    two_sample_auc,
    unseen_logits,
)


def gaussian(shift: float, seed: int, num_groups: int = 20, size: int = 100) -> SampleSet:
    """Samples of two features, the first shifted; groups are of alternate halves."""
    samples = np.random.default_rng(seed).normal(size=(num_groups * size, 2)) + np.array(
        [shift, 0.0]
    )
    groups = np.repeat(np.arange(num_groups), size)
    return SampleSet(samples, groups % 2, groups)


def test_auc_by_hand_and_by_its_symmetry():
    a, b = np.array([1.0, 2.0]), np.array([0.0, 1.0])
    assert auc(a, b) == 3.5 / 4  # of four pairs three are in order, one is a tie
    assert auc(b, a) == pytest.approx(1 - auc(a, b))
    assert auc(a, a) == 0.5


def test_halves_of_time():
    groups = np.array([0, 0, 0, 0, 0, 1, 1, 2, 2, 2])
    n = NEITHER
    assert time_halves(groups, 1).tolist() == [0, 0, n, 1, 1, n, n, 0, n, 1]
    assert time_halves(np.zeros(4, int), 0).tolist() == [0, 0, 1, 1]


def test_two_gaussians_are_separated_as_well_as_possible():
    """No classifier beats the likelihood ratio, whose AUC for a shift d is Phi(d / sqrt 2)."""
    same = two_sample_auc(gaussian(0.0, 1), gaussian(0.0, 2))
    near = two_sample_auc(gaussian(0.0, 1), gaussian(1.0, 2))
    far = two_sample_auc(gaussian(0.0, 1), gaussian(9.0, 2))
    assert same["mean"] == pytest.approx(0.5, abs=0.04)
    assert near["mean"] == pytest.approx(norm.cdf(1 / np.sqrt(2)), abs=0.03)
    assert near["low"] < near["mean"] < near["high"] and near["n"] == 20
    assert far["mean"] > 0.999


def test_equal_seeds_give_equal_metrics_and_size_is_no_clue():
    policy, reference = gaussian(0.0, 1), gaussian(0.0, 2, num_groups=2)
    first = two_sample_auc(policy, reference, seed=3)
    assert first == two_sample_auc(policy, reference, seed=3)
    ours, theirs = unseen_logits(policy, reference)
    assert (
        abs(ours.mean() + theirs.mean()) / 2 < 0.3
    )  # with unequal weights, ten times as many samples would give ln 10


def test_an_auc_below_one_half_is_reported():
    """On one half the reference lies left of the policy, on the other right of it."""
    policy, reference = gaussian(0.0, 1), gaussian(0.0, 2)
    reference.samples[:, 0] += np.where(reference.halves == 0, -3.0, 3.0)
    assert two_sample_auc(policy, reference)["mean"] < 0.1


def test_no_metric_if_a_half_is_empty():
    one = gaussian(0.0, 1)
    one_half = SampleSet(one.samples, np.zeros_like(one.halves), one.groups)
    assert two_sample_auc(one, one_half) == {"mean": None, "low": None, "high": None, "n": 0}
    empty = SampleSet(one.samples[:0], one.halves[:0], one.groups[:0])
    assert two_sample_auc(empty, one)["mean"] is None


def test_a_group_in_both_halves_counts_once():
    one = gaussian(1.0, 1)
    halves = time_halves(one.groups, 0)
    whole = two_sample_auc(SampleSet(one.samples, halves, one.groups), gaussian(0.0, 2))
    parted = two_sample_auc(
        SampleSet(one.samples, halves, 2 * one.groups + halves), gaussian(0.0, 2)
    )
    assert (whole["n"], parted["n"]) == (20, 40)
    assert whole["mean"] == pytest.approx(parted["mean"])


def test_samples_of_neither_half_are_not_used():
    policy, reference = gaussian(0.0, 1), gaussian(1.0, 2)
    halves = reference.halves.copy()
    halves[:50] = NEITHER
    samples = reference.samples.copy()
    samples[:50] = np.nan
    ours, theirs = unseen_logits(policy, SampleSet(samples, halves, reference.groups))
    assert (
        np.isnan(theirs[:50]).all() and np.isfinite(theirs[50:]).all() and np.isfinite(ours).all()
    )
