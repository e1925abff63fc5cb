"""The controller in a training: events, checkpoints, and stock PPO."""

import logging

import numpy as np
import pytest
from learners import learner_of, run
from probe_envs import SMALL_AMP, ProbeEnv, assert_trees_equal, make_model
from test_stock_sbx import stock

from amp_sbx import AMPPPO, AMPCallback, AMPConfig, AMPRewardWrapper, ReferenceFeatures
from amp_sbx.algorithm.update import iteration_jit
from amp_sbx.common import archive as checkpoint
from amp_sbx.discriminator.health import WARM_UP
from amp_sbx.discriminator.stages import Triggers

RNG = np.random.default_rng(0)


def test_a_new_verdict_is_a_warning_by_default(caplog):
    """Python prints warnings of a logger without handlers."""
    learner = learner_of()
    metrics = run(learner, RNG.normal(size=(64, 4)) + np.array([0.0, 9.0, 0.0, 9.0]), WARM_UP + 10)
    found_text = [record for record in caplog.records if record.name == "amp_sbx"]
    assert len(found_text) == 1 and found_text[0].levelno == logging.WARNING
    assert found_text[0].message.startswith(
        ("discriminator shortcut: vel[0]", "discriminator feature mismatch: ")
    )
    assert [f["verdict"] for f in metrics[WARM_UP - 2 : WARM_UP]] == [
        0.0,
        learner.health.verdict.value,
    ]
    run(learner, RNG.normal(size=(64, 4)), 60)
    assert caplog.records[-1].message.startswith(
        ("discriminator healthy again", "discriminator collapsed: ")
    )


class Named(ProbeEnv):
    """Declares a layout, and every reset starts the same."""

    amp_layout = {"channels": [["pos", 1], ["vel", 1]]}  # noqa: RUF012

    def amp(self, obs, actions):
        return np.stack([self.steps, actions[:, 0]], axis=1).astype(np.float32)


ITERATION = 16 * 8


EVERYTHING = SMALL_AMP | {
    "weight": 1.0,
    "schedule": {
        "initial": 0.1,
        "ramp_end": 30 * ITERATION,
        "wait_auc": [0.9, 1.0],
        "wait_at_most": 5 * ITERATION,
    },
    "reintroduce": [
        {
            "channels": ["vel"],
            "at": 18 * ITERATION,
            "when": {"episode_length": 3.5, "task_reward": 0.5},
            "wait_at_most": 1e6,
        }
    ],
    "adapt": True,
    "adapt_bounds": {"update_steps": [1, 4], "disc_lr": [1e-5, 1e-3], "penalty": [2.0, 20.0]},
    "adapt_every": 2,
    "adapt_auc": [0.6, 0.62],
}


REFERENCE = RNG.normal([2.5, 0.0], [1.2, 1.0], size=(100, 2)).astype(np.float32)


def test_a_resumed_run_with_all_schedules_equals_an_uninterrupted_one(tmp_path):
    """Saved when the ramp has paused, settings have changed, and a channel is still hidden."""
    half = 17 * ITERATION
    straight = make_model(
        Named(8, length=4), amp=EVERYTHING, reference=REFERENCE, n_epochs=1
    ).learn(half)
    straight.save(tmp_path / "half.zip")
    state, waited = straight.learner.state, straight.learner.controller.ramp_waited
    assert (
        state.mask.tolist() == [1.0, 0.0] and int(state.adaptation.more_steps) != 0 and waited > 0
    )
    resumed = AMPPPO.load(tmp_path / "half.zip", env=Named(8, length=4), reference=REFERENCE)
    assert resumed.learner.controller.ramp_waited == waited and len(resumed.ep_info_buffer) == 100
    compiled = iteration_jit._cache_size()
    straight.learn(8 * ITERATION, reset_num_timesteps=False)
    assert iteration_jit._cache_size() == compiled  # through a channel let in and settings moved
    resumed.learn(8 * ITERATION, reset_num_timesteps=False)
    assert_trees_equal(resumed.get_parameters(), straight.get_parameters())
    assert_trees_equal(resumed.learner.state, straight.learner.state)
    assert resumed.learner.controller.to_json() == straight.learner.controller.to_json()
    assert straight.learner.state.mask.tolist() == [1.0, 1.0]
    logged = straight.logger.name_to_value
    assert {
        "amp/ramp_waiting",
        "amp/ramp_waited",
        "amp/masked",
        "amp/adapt_update_steps",
        "amp/adapt_disc_lr",
    } <= set(logged)
    assert logged["amp/weight"] < straight.amp.style_weight(25 * ITERATION)


def test_other_stages_than_the_files_start_again(tmp_path):
    given = {"env": Named(8, length=4), "reference": REFERENCE}
    model = make_model(given["env"], amp=SMALL_AMP, reference=REFERENCE).learn(ITERATION)
    model.save(tmp_path / "all_seen.zip")
    later = AMPConfig.from_dict(SMALL_AMP | {"reintroduce": [{"channels": ["vel"], "at": 1e6}]})
    hidden = AMPPPO.load(tmp_path / "all_seen.zip", amp=later, **given)
    assert hidden.learner.state.mask.tolist() == [1.0, 0.0]
    hidden.save(tmp_path / "hidden.zip")
    assert AMPPPO.load(tmp_path / "hidden.zip", **given).learner.state.mask.tolist() == [1.0, 0.0]
    shown = AMPPPO.load(tmp_path / "hidden.zip", amp=AMPConfig.from_dict(SMALL_AMP), **given)
    assert shown.learner.state.mask.tolist() == [1.0, 1.0]


def test_a_frozen_discriminator_sees_what_it_saw(tmp_path):
    amp = SMALL_AMP | {"reintroduce": [{"channels": ["vel"], "at": 1e6}]}
    with pytest.warns(UserWarning, match="is not reached"):
        model = make_model(Named(8, length=4), amp=amp, reference=REFERENCE).learn(ITERATION)
    model.save(tmp_path / "model.zip")
    wrapped = AMPRewardWrapper(Named(2), tmp_path / "model.zip")
    wrapped.reset(seed=0)
    *_, infos = wrapped.step(np.array([[-1.0], [1.0]], np.float32))
    assert (
        infos["amp_obs"][0, 1] != infos["amp_obs"][1, 1]
        and infos["style_reward"][0] == infos["style_reward"][1]
    )


def test_stock_sbx_has_all_schedules_too():
    callback = AMPCallback(EVERYTHING, ReferenceFeatures(REFERENCE, layout=Named.amp_layout))
    weights, metrics = [], []
    observe = callback.learner.observe

    def watched(*arguments):
        weights.append(callback.buffer.style_weight)
        metrics.append(observe(*arguments))
        return metrics[-1]

    callback.learner.observe = watched
    model = stock(Named(8, length=4), batch_size=64, n_epochs=1)
    with pytest.warns(UserWarning, match="ramp_end"):
        model.learn(20 * ITERATION, callback=callback)
    state, controller = callback.learner.state, callback.learner.controller
    assert state.mask.tolist() == [1.0, 1.0] and int(state.adaptation.more_steps) != 0
    assert 0 < controller.ramp_waited <= 5 * ITERATION and weights[
        -1
    ] < callback.config.style_weight(20 * ITERATION)
    assert (
        metrics[-1]["adapt_update_steps"] == 4.0 and metrics[-1]["masked"] == 0.0
    )  # as many as it may


def test_settings_go_through_json():
    config = AMPConfig.from_dict(EVERYTHING)
    assert (
        AMPConfig.from_dict(checkpoint.json.loads(checkpoint.json.dumps(config.to_dict())))
        == config
    )
    assert hash(config) == hash(AMPConfig.from_dict(config.to_dict())) and not Triggers().given()
