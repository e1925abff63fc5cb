"""Verdicts from given metrics."""

import numpy as np
import pytest

from amp_sbx import AMPConfig
from amp_sbx.discriminator.controller import Controller
from amp_sbx.discriminator.health import WARM_UP, HealthMonitor
from amp_sbx.discriminator.verdict import Assessment, Verdict

LAYOUT = {
    "joints": ["hip", "knee", "ankle"],
    "channels": [["joint_pos", 3], ["root_lin_vel", 3], ["foot_contacts", 2]],
    "definitions": {"history": {"frames": 2}},
}


@pytest.mark.parametrize(
    ("loss", "reward", "undecided"), [("lsgan", "clip", 0.5), ("bce", "log_sigmoid", np.log(2.0))]
)
def test_a_policy_that_earns_nothing(loss, reward, undecided):
    """Accuracy 1 and a style reward of 0.04. Rewards have different scales."""
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


def test_a_discriminator_that_memorized_its_reference():
    monitor = HealthMonitor()
    for _ in range(WARM_UP):
        found = monitor.update(
            {"disc_auc": 0.6, "learned_auc": 0.99, "held_out_auc": 0.7, "reward_std": 0.2}
        )
    assert found.verdict.label == "memorized" and "0.70 on held-out motion" in found.reason
    assert found.verdict in Verdict


def test_nothing_is_memorized_without_a_held_out_part():
    monitor = HealthMonitor()
    for _ in range(WARM_UP):
        found = monitor.update({"disc_auc": 0.7, "learned_auc": 0.99, "reward_std": 0.2})
    assert found.verdict.label == "healthy"


def test_replayed_samples_and_input_noise_are_no_sign_of_memory():
    """`disc_auc` and `held_out_auc` are of different policy samples and are not compared."""
    monitor = HealthMonitor()
    for _ in range(WARM_UP):
        found = monitor.update(
            {"disc_auc": 0.9, "learned_auc": 0.66, "held_out_auc": 0.64, "reward_std": 0.2}
        )
    assert found.verdict.label == "healthy"


def test_a_still_column_keeps_its_name_while_its_verdict_lasts():
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


def test_an_old_held_out_auc_does_not_decide_after_the_part_is_gone():
    monitor = HealthMonitor()
    for _ in range(20):
        monitor.update({"disc_auc": 0.95, "held_out_auc": 0.99, "reward_std": 0.2})
    went_on = HealthMonitor()
    went_on.restore(monitor.to_json())
    assert went_on.auc == monitor.auc == pytest.approx(0.99)
    for _ in range(60):
        went_on.update({"disc_auc": 0.5, "reward_std": 0.2})
    assert went_on.auc == pytest.approx(0.5, abs=0.01) and went_on.verdict is Verdict.COLLAPSED


def test_a_new_discriminator_gets_time():
    monitor = HealthMonitor()
    verdicts = [
        monitor.update({"disc_auc": 0.5, "reward_std": 0.2}).verdict.label for _ in range(WARM_UP)
    ]
    assert verdicts == ["healthy"] * (WARM_UP - 1) + ["collapsed"]


@pytest.mark.parametrize("verdict", Verdict)
def test_an_assessment_is_printed_with_its_advice(verdict):
    label = verdict.label
    assert str(Assessment(verdict)) == label and Verdict(verdict.value) is verdict
    assert str(Assessment(verdict, "because", "Do that.")) == f"{label}: because. Do that."
