"""The rules between two iterations, each made to act on purpose: channels that come in, a ramp that waits, settings that move."""

import logging

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from amp_probe_envs import SMALL_AMP, ProbeEnv, assert_trees_equal, make_model
from test_amp_stock_sbx import stock

from amp_sbx import (
    AMPPPO,
    AMPCallback,
    AMPConfig,
    AMPLearner,
    AMPRewardWrapper,
    FeatureError,
    ReferenceFeatures,
)
from amp_sbx.algorithm.update import iteration_jit
from amp_sbx.common import archive as checkpoint
from amp_sbx.discriminator.adapt import Adaptation, adapt, adapted_settings, direction
from amp_sbx.discriminator.controller import Controller, Event
from amp_sbx.discriminator.curriculum import Curriculum
from amp_sbx.discriminator.health import WARM_UP
from amp_sbx.discriminator.learner import _update_jit
from amp_sbx.discriminator.objective import discriminator_loss
from amp_sbx.discriminator.stages import Stage, Triggers
from amp_sbx.discriminator.verdict import Verdict
from amp_sbx.discriminator.weight_schedule import WeightSchedule
from amp_sbx.reference.layout import channel_columns

LAYOUT = {"channels": [["pos", 1], ["vel", 1]], "definitions": {"history": {"frames": 2}}}
RNG = np.random.default_rng(0)
SMALL = {
    "discriminator_hidden": (16,),
    "batch_size": 64,
    "replay_buffer_size": 100,
    "disc_lr": 3e-3,
    "max_grad_norm": 10.0,
}
SMALL |= {"held_out_fraction": 0.0}
BOUNDS = {"update_steps": [1, 4], "disc_lr": [1e-3, 5e-3], "penalty": [2.0, 20.0]}


def learner_of(reference=None, layout=LAYOUT, **settings):
    data = RNG.normal(size=(500, 4)) if reference is None else reference
    return AMPLearner(AMPConfig(**(SMALL | settings)), ReferenceFeatures(data, layout=layout))


def run(learner, policy, iterations, start=0, steps=100, **known):
    """`iterations` updates with what follows them; each one's figures."""
    found = []
    for count in range(start + 1, start + iterations + 1):
        metrics = learner.update(policy)
        style = learner.rewards(policy)
        metrics |= {"reward_mean": float(style.mean()), "reward_std": float(style.std())}
        length, task = known.get("episode_length"), known.get("task_reward", 0.0)
        episodes = None if length is None else [{"l": length}]
        found.append(metrics | learner.observe(metrics, count * steps, steps, task, episodes))
    return found


# Channels that come in.


def test_columns_of_a_channel_are_those_of_every_frame():
    np.testing.assert_array_equal(channel_columns(LAYOUT, ["vel"], 4), [False, True, False, True])
    np.testing.assert_array_equal(channel_columns(LAYOUT, ["vel", "pos"], 4), [True] * 4)
    with pytest.raises(
        FeatureError, match=r"no channel 'vell'. Did you mean 'vel'\? Allowed: pos, vel"
    ):
        channel_columns(LAYOUT, ["vell"], 4)
    with pytest.raises(FeatureError, match=r"describes 4 columns .* amp_obs has 5"):
        channel_columns(LAYOUT, ["vel"], 5)
    for silent in (None, {}, {"channels": ["pos"]}):
        with pytest.raises(FeatureError, match="are unknown"):
            channel_columns(silent, ["vel"], 4)


GIVEAWAY = RNG.normal(size=(500, 4)) + np.array(
    [0.0, 6.0, 0.0, 6.0]
)  # `vel` alone tells it from the reference


def test_a_giveaway_is_hidden_until_it_is_let_in():
    learner = learner_of(reintroduce=[{"channels": ["vel"], "at": 2000}])
    before = run(learner, GIVEAWAY, 19)
    assert 0.4 < np.mean([figures["disc_auc"] for figures in before[-5:]]) < 0.6
    assert max(figures["feature_auc"] for figures in before) < 0.6 and before[-1]["outside"] < 0.05
    assert {figures["masked"] for figures in before} == {0.5}
    moved_far = GIVEAWAY + np.array([0.0, 9.0, 0.0, -9.0])
    np.testing.assert_array_equal(learner.rewards(GIVEAWAY), learner.rewards(moved_far))
    after = run(learner, GIVEAWAY, 20, start=19)
    assert (
        after[0]["masked"] == 0.0
        and after[-1]["disc_auc"] > 0.95
        and after[-1]["feature_auc"] > 0.98
    )
    assert (learner.rewards(GIVEAWAY) != learner.rewards(moved_far)).any()


@pytest.mark.parametrize("penalty", ["r1", "wgan_gp"])
def test_a_hidden_direction_has_no_slope(penalty):
    """Shifting hidden features changes neither loss nor penalty, and nothing is learned about them."""
    learner = learner_of(
        reintroduce=[{"channels": ["vel"], "at": 2000}],
        gradient_penalty=penalty,
        normalization="none",
    )
    state, key = learner.state, jax.random.PRNGKey(0)
    real, fake = jnp.array(RNG.normal(size=(2, 32, 4)), jnp.float32)
    hidden = jnp.array([0.0, 3.0, 0.0, -2.0])

    def loss(params, shift=0.0):
        rows = real + shift * hidden, fake - shift * hidden
        return discriminator_loss(learner.config, params, state.batch_stats, *rows, key, state.mask)

    assert_trees_equal(loss(state.params), loss(state.params, 1.0))
    gradient = jax.grad(loss, has_aux=True)(state.params)[0]["Dense_0"]["kernel"]
    assert (gradient[jnp.array([1, 3])] == 0).all() and (gradient[jnp.array([0, 2])] != 0).any()


def test_what_is_hidden_is_still_stored_whole():
    learner = learner_of(reintroduce=[{"channels": ["vel"], "at": 2000}])
    learner.update(np.full((64, 4), 3.0))
    np.testing.assert_allclose(
        learner.state.replay.data[0], learner.state.normalizer(jnp.full(4, 3.0)), rtol=1e-6
    )


def test_stages_wait_for_step_and_triggers_and_stay_in():
    when = {"episode_length": 400, "disc_auc": 0.9}
    stages = AMPConfig(
        reintroduce=[{"channels": ["vel"], "at": 100, "when": when, "wait_at_most": 50}]
    ).reintroduce
    found = Curriculum.of(stages, LAYOUT, 4)
    hidden, good = found.first_mask(4), {"episode_length": 400.0, "disc_auc": 0.9}
    np.testing.assert_array_equal(hidden, [1, 0, 1, 0])
    for steps, figures, ready in (
        (99, good, True),
        (100, good | {"disc_auc": 0.91}, True),
        (100, good | {"episode_length": 399.0}, True),
        (100, {"disc_auc": 0.5}, True),  # no episode has ended yet
        (100, good, False),  # too few iterations to say
        (149, {}, True),
    ):
        mask, let_in = found.due(hidden, steps, figures, ready)
        assert not let_in and (mask == hidden).all()
    for steps, figures, ready in (
        (100, good, True),
        (150, {}, False),
    ):  # it waits no longer than it may
        mask, let_in = found.due(hidden, steps, figures, ready)
        assert (
            let_in == list(stages) and (mask == 1).all() and (hidden == found.first_mask(4)).all()
        )
    again, let_in = found.due(mask, 200, {}, True)
    assert not let_in and (again == 1).all()


def test_triggers_alone_by_what_training_shows(caplog):
    caplog.set_level(logging.INFO, "amp_sbx")
    when = {"episode_length": 300, "task_reward": 0.1}
    learner = learner_of(reintroduce=[{"channels": ["vel"], "when": when, "wait_at_most": 1e6}])
    policy = RNG.normal(size=(64, 4))
    assert (
        run(learner, policy, WARM_UP + 5, episode_length=400, task_reward=0.0)[-1]["masked"] == 0.5
    )
    run(learner, policy, 40, episode_length=400, task_reward=0.12)
    assert learner.state.mask.tolist() == [1, 1, 1, 1] and "now sees vel" in caplog.text
    run(learner, policy, 40, episode_length=5, task_reward=0.0)
    assert learner.state.mask.tolist() == [1, 1, 1, 1]


def test_channels_that_cannot_be_hidden():
    with pytest.raises(FeatureError, match="would see nothing"):
        learner_of(reintroduce=[{"channels": ["vel"], "at": 1}, {"channels": ["pos"], "at": 2}])
    with pytest.raises(FeatureError, match="are unknown: the layout is None"):
        learner_of(layout=None, reintroduce=[{"channels": ["vel"], "at": 1}])
    with pytest.raises(FeatureError, match="Allowed: pos, vel"):
        learner_of(reintroduce=[{"channels": ["contacts"], "at": 1}])


# A ramp that waits.

RAMP = {"initial": 0.0, "ramp_start": 100, "ramp_end": 1100, "final": 1.0}


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


def observe(controller, figures, iterations, start=0, steps=100):
    """Iterations whose figures are given; the style's weight of each."""
    extremes = {"logit_min": 0.0, "logit_max": 1.0}
    weights = []
    for count in range(start + 1, start + iterations + 1):
        weights.append(controller.config.style_weight(controller.ramp_clock(count * steps)))
        controller.observe(None, extremes | figures, count * steps, steps)
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
    np.testing.assert_allclose(
        stuck, [0.6] * 10
    )  # what is held out goes before what is learned from
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
    def waited(figures, **settings):
        controller = Controller(
            AMPConfig(**settings, schedule=RAMP | {"wait_auc": [0.0, 1.0], "wait_at_most": 1000})
        )
        observe(controller, {"disc_auc": 0.7} | figures, 3)
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


def test_a_new_count_of_steps_begins_the_ramp_anew():
    controller = Controller(
        AMPConfig(schedule=RAMP | {"wait_auc": [0.6, 0.85], "wait_at_most": 450})
    )
    observe(controller, {"disc_auc": 0.99}, 5)
    assert controller.ramp_waited == 450
    controller.begin(500, 2000)
    assert controller.ramp_waited == 450
    controller.begin(0, 2000)
    assert controller.ramp_waited == 0


def test_what_lies_beyond_the_end_is_announced():
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


def test_the_participation_trophy_keeps_its_warning():
    with pytest.warns(UserWarning, match="amp.reward 'quadratic' pays three quarters"):
        Controller(AMPConfig(reward="quadratic")).begin(0, 1000)


def test_a_verdict_is_told_where_it_changes(caplog):
    """Nothing is set up for it, and Python shows warnings."""
    learner = learner_of()
    figures = run(learner, RNG.normal(size=(64, 4)) + np.array([0.0, 9.0, 0.0, 9.0]), WARM_UP + 10)
    told = [record for record in caplog.records if record.name == "amp_sbx"]
    assert len(told) == 1 and told[0].levelno == logging.WARNING
    assert told[0].message.startswith(
        ("discriminator shortcut: vel[0]", "discriminator feature mismatch: ")
    )
    assert [f["verdict"] for f in figures[WARM_UP - 2 : WARM_UP]] == [
        0.0,
        learner.health.verdict.value,
    ]
    run(learner, RNG.normal(size=(64, 4)), 60)
    assert caplog.records[-1].message.startswith(
        ("discriminator healthy again", "discriminator collapsed: ")
    )


# Settings that move.


def test_moves_by_hand_stay_within_their_bounds():
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
    )  # no way to make up


def test_which_way_a_verdict_points():
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


def test_an_overpowered_discriminator_is_weakened(caplog):
    """Two features that are equal in the reference and opposite in the policy: neither alone tells anything."""
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
    figures = run(learner, RNG.normal(size=(64, 4)), WARM_UP + 8)
    assert learner.health.verdict is Verdict.FROZEN
    assert figures[-1]["verdict"] == Verdict.FROZEN.value
    assert [f["adapt_update_steps"] for f in figures[WARM_UP - 2 : WARM_UP + 2]] == [
        1.0,
        2.0,
        3.0,
        3.0,
    ]
    last = figures[-1]
    np.testing.assert_allclose(
        [last["adapt_disc_lr"], last["adapt_penalty"]], [2e-12, 4.0], rtol=1e-6
    )


def test_adapt_at_rest_changes_no_number():
    """Settings that can move and do not are those of a learner without `adapt`, but for the last bits of a product."""
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


def test_moved_settings_are_those_of_a_learner_that_was_made_with_them():
    policy, reference = RNG.normal(0.5, 1.0, size=(64, 4)), RNG.normal(size=(500, 4))
    other = {"gradient_penalty": "wgan_gp", "weight_decay": 1e-2}
    driven = learner_of(reference, adapt=True, adapt_bounds=BOUNDS, adapt_every=1000, **other)
    driven.state = driven.state.replace(
        adaptation=adapt(driven.config, driven.state.adaptation, -1)
    )
    made = learner_of(reference, update_steps=2, disc_lr=2.4e-3, gp_lambda=12.5, **other)
    for _ in range(3):
        assert driven.update(policy) == pytest.approx(made.update(policy), rel=1e-3, abs=1e-5)


def test_nothing_is_compiled_anew():
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
    figures = run(learner, policy, WARM_UP + 3, start=1)
    assert (
        figures[0]["masked"] == 0.5
        and figures[-1]["masked"] == 0.0
        and figures[-1]["adapt_update_steps"] == 4.0
    )
    assert _update_jit._cache_size() == compiled


# All of it in a training.


class Named(ProbeEnv):
    """With a layout, and the same again after every reset."""

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


def test_a_resumed_run_with_all_of_it_equals_an_uninterrupted_one(tmp_path):
    """Saved in the midst: the ramp has waited, settings have moved, and a channel is still out."""
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


def test_other_stages_than_the_files_begin_anew(tmp_path):
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


def test_stock_sbx_does_all_of_it_too():
    callback = AMPCallback(EVERYTHING, ReferenceFeatures(REFERENCE, layout=Named.amp_layout))
    weights, figures = [], []
    observe = callback.learner.observe

    def watched(*arguments):
        weights.append(callback.buffer.style_weight)
        figures.append(observe(*arguments))
        return figures[-1]

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
        figures[-1]["adapt_update_steps"] == 4.0 and figures[-1]["masked"] == 0.0
    )  # as many as it may


# Bad input.


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"reintroduce": "joint_vel"}, "give a list of stages"),
        ({"reintroduce": [{"channels": []}]}, "give names of channels"),
        ({"reintroduce": [{"channels": "vel", "at": 3}]}, "give names of channels"),
        ({"reintroduce": [{"at": 3}]}, "is missing channels"),
        ({"reintroduce": [{"channels": ["vel"]}]}, "has neither `at` nor `when`"),
        ({"reintroduce": [{"channels": ["vel"], "at": -1}]}, "amp.reintroduce.at"),
        (
            {"reintroduce": [{"channels": ["vel"], "when": {"disc_auc": 0.9}}]},
            "when without wait_at_most.*may never end",
        ),
        (
            {"reintroduce": [{"channels": ["vel"], "at": 1, "wait_at_most": 5}]},
            "wait_at_most without when",
        ),
        (
            {"reintroduce": [{"channels": ["vel"], "when": {"disc_auc": 0.9}, "wait_at_most": 0}]},
            "amp.reintroduce.wait_at_most",
        ),
        (
            {"reintroduce": [{"channels": ["vel"], "when": {"disc_auk": 1}}]},
            "Did you mean 'disc_auc'",
        ),
        ({"reintroduce": [{"channels": ["vel"], "when": {"disc_auc": 90}}]}, r"number in \[0, 1\]"),
        (
            {"reintroduce": [{"channels": ["vel"], "at": 1}, {"channels": ["vel"], "at": 2}]},
            "vel twice",
        ),
        ({"schedule": RAMP | {"wait_auc": [0.6, 0.85]}}, "forever.*wait_at_most: 2e6"),
        (
            {"schedule": RAMP | {"wait_auc": [0.6, 0.85], "wait_at_most": float("inf")}},
            "wait_at_most is inf",
        ),
        ({"schedule": RAMP | {"wait_auc": [0.9, 0.6], "wait_at_most": 9}}, "swap them"),
        ({"schedule": RAMP | {"wait_auc": 0.6, "wait_at_most": 9}}, "two numbers"),
        ({"schedule": {"wait_auc": [0.6, 0.85], "wait_at_most": 9}}, "no ramp that could wait"),
        ({"schedule": RAMP | {"wait_at_most": 9}}, "without wait_auc"),
        ({"schedule": {"ramp_end": float("inf")}}, "ramp_end is inf"),
        ({"schedule": {"initial": 0.1}}, "initial 0.1 never applies.*Give ramp_end"),
        ({"adapt": True}, r"adapt_bounds: \{update_steps: \[1, 8\]"),
        ({"adapt": "yes"}, "true or false"),
        (
            {"adapt": True, "adapt_bounds": {"update_steps": [1, 8], "disc_lr": [1e-5, 1e-3]}},
            "penalty is None.*amp.r1_gamma",
        ),
        ({"adapt_bounds": BOUNDS}, r"disc_lr \[0.001, 0.005\] do not enclose amp.disc_lr 0.0001"),
        ({"adapt_bounds": BOUNDS | {"disc_lr": [1e-3, 1e-4]}}, "low is above high"),
        ({"adapt_bounds": BOUNDS | {"disc_lr": [0, 1]}}, "amp.adapt_bounds.disc_lr is 0"),
        ({"adapt_bounds": BOUNDS | {"update_steps": [0.5, 4]}}, "whole number"),
        ({"adapt_bounds": {"update_steps": [1, 8]}}, "is missing disc_lr"),
        (
            {"adapt_bounds": BOUNDS | {"disc_lr": [1e-5, 1.0]}, "gradient_penalty": "none"},
            "penalty is given, but amp.gradient_penalty is .none.; remove it",
        ),
        ({"adapt_every": 0}, "adapt_every"),
        ({"adapt_auc": [0.6, 1.2]}, r"number in \[0, 1\]"),
        ({"adapt_auc": [0.6, 0.8]}, "adapt_auc is given without amp.adapt"),
        ({"label_smoothing": 1.0}, "smoothed by amp.label_smoothing"),
        (
            {
                "loss": "wgan",
                "reward": "softplus",
                "schedule": {
                    "ramp_end": 9,
                    "initial": 0.0,
                    "wait_auc": [0.6, 0.8],
                    "wait_at_most": 9,
                    "wait_logits": 1.0,
                },
            },
            "scores have no scale",
        ),
        ({"single_motion": 1}, "true or false"),
    ],
)
def test_settings_are_refused_with_an_example(wrong, message):
    with pytest.raises(ValueError, match=message):
        AMPConfig.from_dict(wrong)


def test_settings_go_through_json():
    config = AMPConfig.from_dict(EVERYTHING)
    assert (
        AMPConfig.from_dict(checkpoint.json.loads(checkpoint.json.dumps(config.to_dict())))
        == config
    )
    assert hash(config) == hash(AMPConfig.from_dict(config.to_dict())) and not Triggers().asks()


def test_a_reference_shorter_than_a_minibatch():
    with pytest.raises(
        FeatureError,
        match=r"40 samples to learn from, fewer than amp.batch_size 64.*amp.batch_size to 40 or",
    ):
        learner_of(RNG.normal(size=(40, 4)))
    with pytest.raises(
        FeatureError,
        match=r"has 48 samples to learn from .amp.held_out_fraction 0.2 takes the rest",
    ):
        learner_of(RNG.normal(size=(60, 4)), held_out_fraction=0.2, batch_size=50)


def test_a_reference_of_one_motion():
    one = ReferenceFeatures(RNG.normal(size=(80, 4)), motion_ids=np.full(80, 7))
    with pytest.raises(
        FeatureError,
        match=r"only one motion .* motion_id 7 with 80 samples.*amp.single_motion to true",
    ):
        AMPLearner(AMPConfig(**SMALL), one)
    AMPLearner(AMPConfig(**SMALL, single_motion=True), one)
    ids, weights = np.repeat([7, 8], 80), np.repeat([1.0, 0.0], 80)
    with pytest.raises(FeatureError, match="motion_id 7 with 80 samples"):
        AMPLearner(
            AMPConfig(**SMALL),
            ReferenceFeatures(np.tile(one.features, (2, 1)), weights, motion_ids=ids),
        )
    AMPLearner(AMPConfig(**SMALL), ReferenceFeatures(one.features))


def test_features_out_of_range_are_named():
    torn = RNG.normal(size=(500, 4))
    learner_of(1e4 * torn)  # any unit will do
    torn[3, 3] = 1800.0
    with pytest.raises(
        FeatureError,
        match=r"vel\[0\] of the reference is 1.8e\+03 in sample 3, but 99 % of its values lie within",
    ):
        learner_of(torn)
    weights = np.ones(500)
    weights[3] = 0.0
    AMPLearner(
        AMPConfig(**SMALL), ReferenceFeatures(torn, weights)
    )  # what is never drawn does no harm
    beyond = np.zeros((100, 4)) + 0.1 * RNG.normal(size=(100, 4))
    beyond[:3, 2] = 9.0  # 5.5 standard deviations of a channel that is else still
    with pytest.raises(
        FeatureError,
        match=r"pos\[0\] lies beyond amp.feature_clip, 5 standard deviations .* in 3.0% of",
    ):
        learner_of(beyond, feature_clip=5.0)


def test_a_resumed_models_statistics_judge_the_new_reference():
    learner = learner_of()
    learner.reference = ReferenceFeatures(
        RNG.normal(size=(500, 4)) * [1.0, 100.0, 1.0, 1.0], layout=LAYOUT
    )
    with pytest.raises(
        FeatureError, match=r"vel\[0\], 1 frame back lies beyond amp.feature_clip, 10 .* same units"
    ):
        learner.restore(learner.state)
