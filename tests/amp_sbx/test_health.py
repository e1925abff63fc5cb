"""Each failure of the discriminator is made to happen and gets its verdict."""

import re

import numpy as np
import pytest

from amp_sbx import AMPConfig, AMPLearner, ReferenceFeatures
from amp_sbx.discriminator.health import WARM_UP
from amp_sbx.discriminator.health_metrics import column_separation
from amp_sbx.discriminator.verdict import Assessment, Verdict
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
    found_text = re.fullmatch(
        r"(.*) alone gives AUC (0\.\d\d); the policy's values are always 0, the reference's vary",
        found.reason,
    )
    assert (
        found.verdict.label == "feature mismatch"
        and found_text[1] == "foot_contacts[0], 1 frame back"
    )
    assert float(found_text[2]) == pytest.approx(
        0.894, abs=0.03
    )  # so often normal(0.5, 0.4) is above 0


def test_swapped_joints():
    policy = walk(np.random.default_rng(1))
    policy[:, [0, 1, 8, 9]] = policy[:, [1, 0, 9, 8]]
    found = verdict_on(policy)
    assert found.verdict.label in ("feature mismatch", "shortcut")
    assert "joint_pos[hip]" in found.reason or "joint_pos[knee]" in found.reason


def test_raw_against_normalized_velocity():
    policy = walk(np.random.default_rng(1))
    policy[:, [3, 11]] = np.random.default_rng(2).normal(0.3, 0.1, size=(3000, 2))
    found = verdict_on(policy)
    assert (
        found.verdict.label == "shortcut"
        and "root_lin_vel[0]" in found.reason
        and "alone gives AUC" in found.reason
    )


@pytest.mark.slow
def test_an_overpowered_discriminator():
    """Two columns, equal in the reference and opposite in the policy: neither separates alone."""
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
    """The initial scores of a network that never learns say nothing."""
    policy = walk(np.random.default_rng(seed)) + 0.7 * SPREADS
    found = verdict_on(policy, seed=seed, disc_lr=1e-12)
    assert (
        found.verdict.label == "frozen"
        and "changes its parameters by" in found.reason
        and "amp.disc_lr" in found.advice
    )
    assert verdict_on(policy, seed=seed).verdict.label != "frozen"


def test_samples_that_cannot_be_separated():
    found = verdict_on(walk(np.random.default_rng(1)))
    assert found.verdict.label == "collapsed" and "does not separate" in found.reason


def test_a_dataset_of_one_frame():
    found = verdict_on(walk(np.random.default_rng(1)), reference=np.tile(MEANS, (64, 1)))
    assert (
        found.verdict.label == "feature mismatch"
        and "outside the reference's range" in found.reason
    )


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
