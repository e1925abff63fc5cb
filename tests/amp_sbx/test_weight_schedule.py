"""`amp.schedule`: a ramp that pauses while the discriminator is not healthy."""

import numpy as np
import pytest
from learners import RAMP

from amp_sbx import AMPConfig
from amp_sbx.discriminator.controller import Controller, Event
from amp_sbx.discriminator.stages import Stage
from amp_sbx.discriminator.weight_schedule import WeightSchedule


def test_a_ramp_waits_by_hand():
    schedule = WeightSchedule(**RAMP, wait_auc=[0.6, 0.85], wait_at_most=500)
    assert [schedule.waits(clock, 0.9, False) for clock in (0, 100, 1099, 1100)] == [
        False,
        True,
        True,
        False,
    ]
    assert [schedule.waits(500, auc, False) for auc in (0.59, 0.6, 0.85, 0.86)] == [
        True,
        False,
        False,
        True,
    ]
    assert schedule.waits(500, 0.7, True) and not WeightSchedule(**RAMP).waits(500, 0.99, True)


def observe(controller, metrics, iterations, start=0, steps=100):
    """Observe iterations with given metrics; returns the style weight of each."""
    extremes = {"logit_min": 0.0, "logit_max": 1.0}
    weights = []
    for count in range(start + 1, start + iterations + 1):
        weights.append(controller.config.style_weight(controller.ramp_clock(count * steps)))
        controller.observe(None, extremes | metrics, count * steps, steps)
    return weights


def test_a_ramp_stands_still_while_the_discriminator_is_not_healthy():
    controller = Controller(
        AMPConfig(weight=1.0, schedule=RAMP | {"wait_auc": [0.6, 0.85], "wait_at_most": 5000})
    )
    events = []
    controller.on_event = events.append
    np.testing.assert_allclose(
        observe(controller, {"disc_auc": 0.7}, 6), [0.0, 0.1, 0.2, 0.3, 0.4, 0.5], atol=1e-9
    )
    stuck = observe(controller, {"disc_auc": 0.7, "held_out_auc": 0.99}, 10, start=6)
    np.testing.assert_allclose(stuck, [0.6] * 10)  # the held-out AUC decides
    assert controller.ramp_waiting and controller.ramp_waited == 1000
    on = observe(controller, {"held_out_auc": 0.7}, 60, start=16)
    assert on[-1] == 1.0 and not controller.ramp_waiting
    assert [event.kind for event in events] == ["schedule"] * 2
    assert "pauses (AUC 0.99" in events[0].text and "continues (AUC 0.8" in events[1].text
    assert events[0] == Event("schedule", events[0].text)


def test_a_ramp_waits_no_longer_than_it_may():
    controller = Controller(
        AMPConfig(weight=1.0, schedule=RAMP | {"wait_auc": [0.6, 0.85], "wait_at_most": 450})
    )
    weights = observe(controller, {"disc_auc": 0.99}, 20)
    assert controller.ramp_waited == 450 and weights[-1] == 1.0
    without = [
        AMPConfig(weight=1.0, schedule=RAMP).style_weight(count * 100 - 450)
        for count in range(10, 21)
    ]
    np.testing.assert_allclose(weights[9:], without)


def test_saturated_scores_hold_a_ramp_up():
    def waited(metrics, **settings):
        controller = Controller(
            AMPConfig(**settings, schedule=RAMP | {"wait_auc": [0.0, 1.0], "wait_at_most": 1000})
        )
        observe(controller, {"disc_auc": 0.7} | metrics, 3)
        return controller.ramp_waited

    assert waited({"logit_max": 1.9, "logit_min": -0.9}) == 0
    assert waited({"logit_max": 2.1}) == 300 and waited({"logit_min": -1.1}) == 300
    assert waited({"logit_min": -1.9}, target_fake=-1.0) == 0
    bce = {"loss": "bce"}
    assert waited({"logit_max": 9.0}, **bce) == 0 and waited({"logit_min": -11.0}, **bce) == 300
    assert (
        waited({"logit_max": 1e6}, loss="wgan", reward="softplus", gradient_penalty="wgan_gp") == 0
    )
    config = AMPConfig(
        schedule=RAMP | {"wait_auc": [0.0, 1.0], "wait_at_most": 1000, "wait_logits": 0.2}
    )
    assert config.saturated(0.0, 1.3) and not config.saturated(-0.1, 1.1)


def test_a_new_count_of_steps_restarts_the_ramp():
    controller = Controller(
        AMPConfig(schedule=RAMP | {"wait_auc": [0.6, 0.85], "wait_at_most": 450})
    )
    observe(controller, {"disc_auc": 0.99}, 5)
    assert controller.ramp_waited == 450
    controller.begin(500, 2000)
    assert controller.ramp_waited == 450
    controller.begin(0, 2000)
    assert controller.ramp_waited == 0


def test_steps_after_the_end_are_announced():
    config = AMPConfig(schedule=RAMP, reintroduce=[Stage(("vel",), at=3000)])
    waiting = AMPConfig(
        schedule=RAMP | {"wait_auc": [0.6, 0.85], "wait_at_most": 1e300},
        reintroduce=[Stage(("vel",), when={"disc_auc": 0.9}, wait_at_most=5000)],
    )

    def announced(config, total):
        with pytest.warns(UserWarning) as caught:
            Controller(config).begin(0, total)
        return [str(w.message).split(" environment")[0] for w in caught]

    assert announced(config, 1000) == [
        "amp.schedule.ramp_end 1,100 is 100",
        "amp.reintroduce of vel, at 3,000 is 2,000",
    ]
    endless, late = announced(waiting, 4000)
    assert endless.startswith("amp.schedule.ramp_end 1,100 with wait_at_most 1,000,")
    assert late == "amp.reintroduce of vel, at 0 with wait_at_most 5,000 is 1,000"


def test_the_quadratic_reward_warns():
    with pytest.warns(UserWarning, match="amp.reward 'quadratic' pays three quarters"):
        Controller(AMPConfig(reward="quadratic")).begin(0, 1000)
