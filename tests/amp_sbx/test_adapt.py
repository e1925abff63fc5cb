"""`amp.adapt`: verdicts change the discriminator's settings."""

import logging

import jax
import numpy as np
import pytest
from learners import BOUNDS, SMALL, learner_of, run

from amp_sbx import AMPConfig
from amp_sbx.discriminator.adapt import Adaptation, adapt, adapted_settings, direction
from amp_sbx.discriminator.health import WARM_UP
from amp_sbx.discriminator.learner import _update_jit
from amp_sbx.discriminator.verdict import Verdict

RNG = np.random.default_rng(0)


def test_changes_by_hand_stay_within_their_bounds():
    config = AMPConfig(**SMALL, adapt=True, adapt_bounds=BOUNDS)  # 3 steps, 3e-3, R1 5
    weaker = adapt(config, Adaptation.neutral(), -1)
    np.testing.assert_allclose(adapted_settings(config, weaker), [2, 2.4e-3, 6.25], rtol=1e-6)
    np.testing.assert_allclose(
        adapted_settings(config, adapt(config, Adaptation.neutral(), 1)),
        [4, 3.75e-3, 4.0],
        rtol=1e-6,
    )
    np.testing.assert_allclose(
        adapted_settings(config, adapt(config, weaker, 1)), [3, 3e-3, 5.0], rtol=1e-6
    )
    weakest = weaker
    for _ in range(20):
        weakest = adapt(config, weakest, -1)
    np.testing.assert_allclose(adapted_settings(config, weakest), [1, 1e-3, 20.0], rtol=1e-6)
    np.testing.assert_allclose(
        adapted_settings(config, adapt(config, weakest, 1)), [2, 1.25e-3, 16.0], rtol=1e-6
    )  # it starts at the bound


def test_direction_of_each_verdict():
    found = {verdict: direction(verdict, 0.99, None) for verdict in Verdict}
    assert found == {
        Verdict.TOO_STRONG: -1,
        Verdict.MEMORIZED: -1,
        Verdict.COLLAPSED: 1,
        Verdict.FROZEN: 1,
        Verdict.SHORTCUT: 0,
        Verdict.FEATURE_MISMATCH: 0,
        Verdict.HEALTHY: 0,
    }
    assert [direction(Verdict.HEALTHY, auc, (0.6, 0.85)) for auc in (0.59, 0.7, 0.86)] == [1, 0, -1]
    assert direction(Verdict.SHORTCUT, 0.99, (0.6, 0.85)) == 0


@pytest.mark.slow
def test_an_overpowered_discriminator_is_weakened(caplog):
    """Two columns, equal in the reference and opposite in the policy: neither separates alone."""
    caplog.set_level(logging.INFO, "amp_sbx")
    rng = np.random.default_rng(3)
    reference, policy = rng.normal(size=(2, 3000, 2))
    reference[:, 1], policy[:, 1] = reference[:, 0], -policy[:, 0]
    far = (np.abs(rows[:, 0]) > 0.7 for rows in (reference, policy))
    reference, policy = (rows[keep] for rows, keep in zip((reference, policy), far, strict=True))
    strong = {
        "normalization": "none",
        "disc_input_noise_std": 0.0,
        "discriminator_hidden": (32, 32),
        "r1_gamma": 1e-3,
    }
    bounds = {"update_steps": [50, 200], "disc_lr": [1e-3, 3e-3], "penalty": [1e-3, 1.0]}
    learner = learner_of(
        reference,
        None,
        **strong,
        update_steps=200,
        adapt=True,
        adapt_bounds=bounds,
        adapt_every=2,
        replay_buffer_size=0,
    )
    found = run(learner, policy, WARM_UP + 5)
    assert learner.health.verdict is Verdict.TOO_STRONG
    assert found[0]["adapt_update_steps"] == 200 and found[-1]["adapt_update_steps"] < 200
    assert 1e-3 <= found[-1]["adapt_disc_lr"] < 3e-3 and 1e-3 < found[-1]["adapt_penalty"] <= 1.0
    assert (
        "too strong, AUC " in caplog.text
        and "amp.update_steps 200 -> 199, amp.disc_lr 0.003 -> 0.0024" in caplog.text
    )


def test_a_frozen_discriminator_is_strengthened():
    bounds = {"update_steps": [1, 3], "disc_lr": [1e-12, 2e-12], "penalty": [4.0, 5.0]}
    learner = learner_of(
        disc_lr=1e-12, update_steps=1, adapt=True, adapt_bounds=bounds, adapt_every=1
    )
    metrics = run(learner, RNG.normal(size=(64, 4)), WARM_UP + 8)
    assert learner.health.verdict is Verdict.FROZEN
    assert metrics[-1]["verdict"] == Verdict.FROZEN.value
    assert [f["adapt_update_steps"] for f in metrics[WARM_UP - 2 : WARM_UP + 2]] == [
        1.0,
        2.0,
        3.0,
        3.0,
    ]
    last = metrics[-1]
    np.testing.assert_allclose(
        [last["adapt_disc_lr"], last["adapt_penalty"]], [2e-12, 4.0], rtol=1e-6
    )


def test_adapt_without_a_change_changes_no_number():
    """Without a change, `adapt` gives the same numbers, up to the last bits of a product."""
    policy, reference = RNG.normal(0.5, 1.0, size=(64, 4)), RNG.normal(size=(500, 4))
    resting = learner_of(reference, adapt=True, adapt_bounds=BOUNDS)
    plain = learner_of(reference)
    for _ in range(3):
        one, other = resting.update(policy), plain.update(policy)
        assert one == pytest.approx(other, rel=1e-4, abs=1e-6)
    for left, right in zip(
        jax.tree.leaves(resting.state.params), jax.tree.leaves(plain.state.params), strict=True
    ):
        np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-6)


def test_adapted_settings_equal_configured_ones():
    policy, reference = RNG.normal(0.5, 1.0, size=(64, 4)), RNG.normal(size=(500, 4))
    other = {"gradient_penalty": "wgan_gp", "weight_decay": 1e-2}
    adapted = learner_of(reference, adapt=True, adapt_bounds=BOUNDS, adapt_every=1000, **other)
    adapted.state = adapted.state.replace(
        adaptation=adapt(adapted.config, adapted.state.adaptation, -1)
    )
    made = learner_of(reference, update_steps=2, disc_lr=2.4e-3, gp_lambda=12.5, **other)
    for _ in range(3):
        assert adapted.update(policy) == pytest.approx(made.update(policy), rel=1e-3, abs=1e-5)


def test_revealing_and_adapting_compile_nothing():
    learner = learner_of(
        reintroduce=[{"channels": ["vel"], "at": 400}],
        adapt=True,
        adapt_bounds=BOUNDS,
        adapt_every=1,
        adapt_auc=[0.9, 1.0],
    )
    policy = RNG.normal(size=(64, 4))
    run(learner, policy, 1)
    compiled = _update_jit._cache_size()
    metrics = run(learner, policy, WARM_UP + 3, start=1)
    assert (
        metrics[0]["masked"] == 0.5
        and metrics[-1]["masked"] == 0.0
        and metrics[-1]["adapt_update_steps"] == 4.0
    )
    assert _update_jit._cache_size() == compiled
