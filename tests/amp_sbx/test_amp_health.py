"""Every failure is made to happen on purpose, and is named."""

import re

import numpy as np
import pytest

from amp_sbx import AMPConfig, AMPLearner, ReferenceFeatures
from amp_sbx.discriminator.controller import Controller
from amp_sbx.discriminator.health import WARM_UP, HealthMonitor
from amp_sbx.discriminator.health_metrics import column_separation
from amp_sbx.discriminator.verdict import Assessment, Verdict
from amp_sbx.reference.held_out import held_out_motions, hold_out
from amp_sbx.reference.layout import column_name

LAYOUT = {
    "joints": ["hip", "knee", "ankle"],
    "channels": [["joint_pos", 3], ["root_lin_vel", 3], ["foot_contacts", 2]],
    "definitions": {"history": {"frames": 2}},
}
MEANS = np.tile([-0.3, 0.8, -0.4, 0.95, 0.0, 0.0, 0.5, 0.5], 2)
SPREADS = np.tile([0.3, 0.3, 0.2, 0.2, 0.2, 0.2, 0.4, 0.4], 2)


def walk(rng, rows=3000):
    return rng.normal(MEANS, SPREADS, size=(rows, 16))


def verdict_on(policy, reference=None, iterations=WARM_UP + 1, seed=0, **settings):
    rng = np.random.default_rng(seed)
    data = walk(rng) if reference is None else reference
    small = {
        "discriminator_hidden": (16,),
        "batch_size": 64,
        "replay_buffer_size": 100,
        "disc_lr": 1e-3,
        "held_out_fraction": 0.0,
    }
    learner = AMPLearner(AMPConfig(**(small | settings)), ReferenceFeatures(data, layout=LAYOUT))
    for _ in range(iterations):
        metrics = learner.update(policy)
        style = learner.rewards(policy)
        learner.health.update(
            {**metrics, "reward_mean": float(style.mean()), "reward_std": float(style.std())}
        )
    return learner.health.assessment


def test_a_policy_near_the_reference_is_healthy():
    policy = walk(np.random.default_rng(1)) + 0.5 * SPREADS
    assert verdict_on(policy, r1_gamma=0.1, update_steps=20) == Assessment(Verdict.HEALTHY)


def test_contacts_that_are_always_zero():
    policy = walk(np.random.default_rng(1))
    policy[:, [6, 7, 14, 15]] = 0.0
    found = verdict_on(policy)
    told = re.fullmatch(
        r"(.*) alone gives AUC (0\.\d\d); the policy's values are always 0, the reference's vary",
        found.reason,
    )
    assert found.verdict.label == "feature mismatch" and told[1] == "foot_contacts[0], 1 frame back"
    assert float(told[2]) == pytest.approx(0.894, abs=0.03)  # so often normal(0.5, 0.4) is above 0


def test_swapped_joints():
    policy = walk(np.random.default_rng(1))
    policy[:, [0, 1, 8, 9]] = policy[:, [1, 0, 9, 8]]
    found = verdict_on(policy)
    assert found.verdict.label in ("feature mismatch", "shortcut")
    assert "joint_pos[hip]" in found.reason or "joint_pos[knee]" in found.reason


def test_raw_against_normalised_velocity():
    policy = walk(np.random.default_rng(1))
    policy[:, [3, 11]] = np.random.default_rng(2).normal(0.3, 0.1, size=(3000, 2))
    found = verdict_on(policy)
    assert (
        found.verdict.label == "shortcut"
        and "root_lin_vel[0]" in found.reason
        and "alone gives AUC" in found.reason
    )


def test_an_overpowered_discriminator():
    """Two features that are equal in the reference and opposite in the policy: neither alone tells anything."""
    rng = np.random.default_rng(3)
    reference, policy = walk(rng), walk(rng)
    reference[:, 1] = 0.8 + (reference[:, 0] + 0.3)
    policy[:, 1] = 0.8 - (policy[:, 0] + 0.3)
    far = np.abs(reference[:, 0] + 0.3) > 0.2, np.abs(policy[:, 0] + 0.3) > 0.2
    settings = {
        "normalization": "none",
        "r1_gamma": 0.0,
        "disc_input_noise_std": 0.0,
        "discriminator_hidden": (64, 64),
    }
    strong = {
        "disc_lr": 3e-3,
        "update_steps": 300,
        "max_grad_norm": 10.0,
        "batch_size": 256,
        "iterations": 20,
    }
    found = verdict_on(policy[far[1]], reference[far[0]], **settings, **strong)
    assert found.verdict.label == "too strong" and "amp.r1_gamma" in found.advice


@pytest.mark.parametrize("seed", range(3))
def test_a_frozen_discriminator(seed):
    """What a fresh network happens to make of a policy that could be told apart says nothing."""
    policy = walk(np.random.default_rng(seed)) + 0.7 * SPREADS
    found = verdict_on(policy, seed=seed, disc_lr=1e-12)
    assert (
        found.verdict.label == "frozen"
        and "changes its parameters by" in found.reason
        and "amp.disc_lr" in found.advice
    )
    assert verdict_on(policy, seed=seed).verdict.label != "frozen"


def test_nothing_to_tell_apart():
    found = verdict_on(walk(np.random.default_rng(1)))
    assert found.verdict.label == "collapsed" and "does not separate" in found.reason


@pytest.mark.parametrize(
    ("loss", "reward", "undecided"), [("lsgan", "clip", 0.5), ("bce", "log_sigmoid", np.log(2.0))]
)
def test_a_policy_that_is_paid_nothing(loss, reward, undecided):
    """Accuracy 1 and a style reward of 0.04: what the seeds ran into within minutes. Rewards have scales of their own."""
    config = AMPConfig(loss=loss, reward=reward)
    assert config.undecided_reward == pytest.approx(undecided)
    for mean, name in ((0.04, "too strong"), (0.3, "healthy")):
        monitor = HealthMonitor(None, config.undecided_reward)
        for _ in range(WARM_UP):
            found = monitor.update(
                {
                    "disc_auc": 1.0,
                    "reward_mean": 2 * mean * undecided,
                    "reward_std": 0.05 * undecided,
                }
            )
        assert found.verdict.label == name
    assert Controller(config).health.undecided == config.undecided_reward


def test_a_dataset_of_one_frame():
    found = verdict_on(walk(np.random.default_rng(1)), reference=np.tile(MEANS, (64, 1)))
    assert (
        found.verdict.label == "feature mismatch"
        and "outside the reference's range" in found.reason
    )


def test_a_discriminator_that_knows_its_reference_by_heart():
    monitor = HealthMonitor()
    for _ in range(WARM_UP):
        found = monitor.update(
            {"disc_auc": 0.6, "learned_auc": 0.99, "held_out_auc": 0.7, "reward_std": 0.2}
        )
    assert found.verdict.label == "memorized" and "0.70 on held-out motion" in found.reason
    assert found.verdict in Verdict


def test_without_a_held_out_part_nothing_says_that_anything_is_known_by_heart():
    monitor = HealthMonitor()
    for _ in range(WARM_UP):
        found = monitor.update({"disc_auc": 0.7, "learned_auc": 0.99, "reward_std": 0.2})
    assert found.verdict.label == "healthy"


def test_old_fakes_and_input_noise_are_no_sign_of_memory():
    """`disc_auc` is of other policy samples than `held_out_auc`: only like is compared with like."""
    monitor = HealthMonitor()
    for _ in range(WARM_UP):
        found = monitor.update(
            {"disc_auc": 0.9, "learned_auc": 0.66, "held_out_auc": 0.64, "reward_std": 0.2}
        )
    assert found.verdict.label == "healthy"


def test_rows_that_are_hardly_drawn_hardly_count_among_those_held_out():
    """Two motions are held out, one of which has next to no weight and lies where the policy is."""
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


def test_the_feature_that_stood_still_keeps_its_name_while_it_is_told_of():
    monitor = HealthMonitor(LAYOUT)
    good = {"disc_auc": 0.8, "outside": 0.0, "still": 0.0, "still_index": 0, "reward_std": 0.2}
    for _ in range(20):
        monitor.update(good)
    still = {**good, "still": 8.0, "still_index": 6, "still_auc": 0.75, "still_value": 0.5}
    assert (
        monitor.update(still).verdict.label == "healthy"
    )  # one iteration, however many stand still
    for _ in range(10):
        monitor.update(still)
    found = monitor.update({**good, "still_auc": 0.5, "still_value": 0.0})
    assert found.verdict.label == "feature mismatch"
    assert found.reason.startswith(
        "foot_contacts[0], 1 frame back alone gives AUC 0.75; the policy's values are always 0.5"
    )


def test_a_verdict_rests_on_several_iterations():
    monitor = HealthMonitor(LAYOUT)
    good = {"disc_auc": 0.8, "feature_auc": 0.7, "outside": 0.0, "still": 0.0, "reward_std": 0.2}
    for _ in range(20):
        assert monitor.update(good).verdict.label == "healthy"
    assert monitor.update({**good, "feature_auc": 1.0}).verdict.label == "healthy"
    for _ in range(40):
        monitor.update({**good, "feature_auc": 1.0, "feature_index": 9})
    assert monitor.verdict is Verdict.SHORTCUT and str(monitor.assessment).startswith(
        "shortcut: joint_pos[knee] alone"
    )


def test_an_old_figure_of_a_held_out_part_that_is_no_more_does_not_rule():
    monitor = HealthMonitor()
    for _ in range(20):
        monitor.update({"disc_auc": 0.95, "held_out_auc": 0.99, "reward_std": 0.2})
    went_on = HealthMonitor()
    went_on.restore(monitor.to_json())
    assert went_on.auc == monitor.auc == pytest.approx(0.99)
    for _ in range(60):
        went_on.update({"disc_auc": 0.5, "reward_std": 0.2})
    assert went_on.auc == pytest.approx(0.5, abs=0.01) and went_on.verdict is Verdict.COLLAPSED


def test_a_fresh_discriminator_is_given_time():
    monitor = HealthMonitor()
    verdicts = [
        monitor.update({"disc_auc": 0.5, "reward_std": 0.2}).verdict.label for _ in range(WARM_UP)
    ]
    assert verdicts == ["healthy"] * (WARM_UP - 1) + ["collapsed"]


def test_names_of_columns():
    assert [column_name(LAYOUT, i) for i in (0, 7, 8, 15)] == [
        "joint_pos[hip], 1 frame back",
        "foot_contacts[1], 1 frame back",
        "joint_pos[hip]",
        "foot_contacts[1]",
    ]
    for strange in (
        None,
        {},
        {"channels": ["one"]},
        {"channels": []},
        {"channels": [["x", 1]], "definitions": 3},
        7,
    ):
        assert column_name(strange, 3) == "column 3"


def test_separation_by_hand():
    policy, reference = np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([[2.0, 0.0], [3.0, 1.0]])
    np.testing.assert_allclose(column_separation(policy, reference), [1.0, 0.5])
    np.testing.assert_allclose(column_separation(reference, policy), [1.0, 0.5])


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


def test_rows_of_weight_zero_are_neither_learned_from_nor_judged_by():
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


@pytest.mark.parametrize("verdict", Verdict)
def test_an_assessment_is_printed_with_its_advice(verdict):
    label = verdict.label
    assert str(Assessment(verdict)) == label and Verdict(verdict.value) is verdict
    assert str(Assessment(verdict, "because", "Do that.")) == f"{label}: because. Do that."
