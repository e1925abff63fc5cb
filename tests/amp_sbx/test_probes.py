"""`AMPPPO` learns the known answers of probe environments."""

import numpy as np
import pytest
from probe_envs import (
    REFERENCE,
    SMALL_AMP,
    STYLE_AMP,
    STYLE_REFERENCE,
    ChoiceEnv,
    ProbeEnv,
    SignEnv,
    StyleEnv,
    TwoStepEnv,
    make_model,
    value_of,
)

ITERATION = 16 * 8


def test_probe_constant_reward():
    model = make_model(ProbeEnv(8)).learn(ITERATION * 25)
    assert value_of(model, 0) == pytest.approx(1.0, abs=0.05)


def test_probe_reward_in_the_observation():
    model = make_model(SignEnv(8)).learn(ITERATION * 30)
    assert value_of(model, 1) == pytest.approx(1.0, abs=0.1)
    assert value_of(model, -1) == pytest.approx(-1.0, abs=0.1)


def test_probe_discounting():
    model = make_model(TwoStepEnv(8), gamma=0.5).learn(ITERATION * 40)
    assert value_of(model, 1) == pytest.approx(1.0, abs=0.1)
    assert value_of(model, 0) == pytest.approx(0.5, abs=0.1)


def test_probe_action_dependent_reward():
    model = make_model(ChoiceEnv(8)).learn(ITERATION * 30)
    assert model.predict(np.zeros((1, 1), np.float32), deterministic=True)[0] == [1]
    assert value_of(model, 0) == pytest.approx(1.0, abs=0.15)


def test_time_out_bootstrap_sees_through_the_time_limit():
    """Reward 1 forever, cut every 4 steps: V = 5 with bootstrap, at most 4 without."""
    model = make_model(ProbeEnv(8, length=4, truncate=True), gamma=0.8, learning_rate=2e-2).learn(
        ITERATION * 60
    )
    assert value_of(model, 0) == pytest.approx(5.0, abs=0.3)


@pytest.mark.slow
def test_style_and_time_outs_together():
    """A discriminator held at 0.5 adds weight * 0.5 per step: V = 1.5 / (1 - gamma)."""
    amp = SMALL_AMP | {"weight": 1.0, "disc_lr": 1e-12}
    env = ProbeEnv(8, length=4, truncate=True)
    model = make_model(env, gamma=0.8, learning_rate=2e-2, amp=amp, reference=REFERENCE)
    output = model.learner.state.params["Dense_1"]
    output["kernel"], output["bias"] = output["kernel"] * 0, output["bias"] + 0.5
    model.learn(ITERATION * 60)
    assert value_of(model, 0) == pytest.approx(1.5 / 0.2, abs=0.4)


@pytest.mark.slow
def test_style_alone_moves_the_policy_to_the_reference():
    """If policy and reference agree, LSGAN's score is one half."""
    settings = {
        "amp": STYLE_AMP,
        "reference": STYLE_REFERENCE,
        "batch_size": 256,
        "learning_rate": 1e-3,
        "gamma": 0.0,
    }
    model = make_model(
        StyleEnv(32), policy_kwargs={"net_arch": [16], "log_std_init": -1.0}, **settings
    )
    model.learn(16 * 32 * 50)
    action, _ = model.predict(np.zeros((1, 1), np.float32), deterministic=True)
    assert action.item() == pytest.approx(0.5, abs=0.2)
    assert model.logger.name_to_value["amp/reward_mean"] == pytest.approx(0.5, abs=0.1)
