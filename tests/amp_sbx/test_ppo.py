"""`AMPPPO` as an SB3 algorithm among others."""

import warnings
from types import SimpleNamespace

import gymnasium as gym
import jax
import numpy as np
import pytest
from probe_envs import REFERENCE, SMALL_AMP, AMPInfo, ProbeEnv, SignEnv, make_model
from stable_baselines3.common.callbacks import BaseCallback, CallbackList, EvalCallback
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor, VecNormalize

from amp_sbx import (
    ConfigError,
    FeatureError,
    GymnasiumVecEnv,
    InfoMetricsCallback,
    LinearSchedule,
    ReferenceFeatures,
)
from amp_sbx.algorithm.setup import minibatch_size

ITERATION = 16 * 8


AMP_METRICS = (
    "reward_mean",
    "reward_std",
    "verdict",
    "held_out_auc",
    "learned_auc",
    "outside",
    "feature_auc",
    "feature_index",
    "still",
    "change",
    "disc_loss",
    "disc_acc",
    "disc_auc",
    "disc_real_mean",
    "disc_fake_mean",
    "disc_real_std",
    "disc_fake_std",
    "grad_penalty",
    "logit_min",
    "logit_max",
    "weight",
)


TRAIN_METRICS = (
    "entropy_loss",
    "policy_gradient_loss",
    "value_loss",
    "approx_kl",
    "clip_fraction",
    "pg_loss",
    "std",
    "learning_rate",
    "explained_variance",
    "n_updates",
    "clip_range",
)


def test_collect_amp_observations_teach_nothing():
    model = make_model(SignEnv(8), amp=SMALL_AMP, reference=REFERENCE).learn(ITERATION * 2)
    before, steps = jax.tree.leaves(model.get_parameters()), model.num_timesteps
    amp_obs = model.collect_amp_observations()
    assert amp_obs.shape == (ITERATION, REFERENCE.shape[1]) and model.num_timesteps == steps
    for one, two in zip(before, jax.tree.leaves(model.get_parameters()), strict=True):
        np.testing.assert_array_equal(one, two)
    scores = model.learner.scores(amp_obs)
    assert scores.shape == (ITERATION,)
    np.testing.assert_allclose(model.learner.rewards(amp_obs), np.clip(scores, 0, 1), atol=1e-5)
    unlearned = make_model(
        SignEnv(8), amp=SMALL_AMP, reference=REFERENCE
    )  # no episode statistics yet
    assert unlearned.collect_amp_observations().shape == (ITERATION, REFERENCE.shape[1])
    assert unlearned.ep_info_buffer is None
    with pytest.raises(FeatureError, match="has none"):
        make_model(SignEnv(8)).collect_amp_observations()


def test_same_seed_same_numbers_bit_for_bit():
    def run(seed):
        model = make_model(SignEnv(8), amp=SMALL_AMP, reference=REFERENCE, seed=seed).learn(
            ITERATION * 3
        )
        return jax.tree.leaves(model.get_parameters())

    first, again, other = run(3), run(3), run(4)
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert any(not np.array_equal(one, two) for one, two in zip(first, other, strict=True))


def test_callbacks_see_sbx_locals_and_can_stop():
    class Spy(BaseCallback):
        def _on_step(self):
            names = {
                "infos",
                "rewards",
                "dones",
                "actions",
                "values",
                "log_probs",
                "new_obs",
                "clipped_actions",
                "env",
            }
            assert names <= set(self.locals)
            assert self.num_timesteps == self.n_calls * 8
            return self.n_calls < 20

    model = make_model(SignEnv(8))
    model.learn(ITERATION * 10, callback=Spy())
    assert model.num_timesteps == 20 * 8


def test_logs_and_info_metrics(tmp_path):
    model = make_model(
        SignEnv(8),
        amp=SMALL_AMP,
        reference=REFERENCE,
        tensorboard_log=str(tmp_path),
        ent_coef=0.01,
        clip_range_vf=0.2,
    )
    metrics = InfoMetricsCallback(["speed"])
    evaluate = EvalCallback(GymnasiumVecEnv(SignEnv(2)), eval_freq=16, n_eval_episodes=2, verbose=0)
    model.learn(ITERATION * 2, callback=CallbackList([metrics, evaluate]))
    values = model.logger.name_to_value
    assert {f"amp/{name}" for name in AMP_METRICS} | {
        f"train/{name}" for name in TRAIN_METRICS
    } <= set(values)
    assert all(np.isfinite(values[f"amp/{name}"]) for name in AMP_METRICS)
    assert len(model.ep_info_buffer) == 100
    assert any(tmp_path.rglob("events.out.tfevents*"))


def test_info_metrics_average_over_steps_and_environments():
    model = make_model(ProbeEnv(8))
    seen = {}
    callback = InfoMetricsCallback()
    original = callback._on_rollout_end

    def capture():
        original()
        seen.update(model.logger.name_to_value)

    callback._on_rollout_end = capture
    model.learn(ITERATION, callback=callback)
    assert seen["reward/probe"] == 1.0


def test_actions_are_clipped_for_the_environment_only():
    class Watch(ProbeEnv):
        seen = ()

        def reward(self, obs, actions):
            self.seen = (*self.seen, actions.copy())
            return np.zeros(self.num_envs)

    env = Watch(8)
    model = make_model(env, policy_kwargs={"net_arch": [16], "log_std_init": 1.0}).learn(ITERATION)
    assert np.abs(np.stack(env.seen)).max() <= 1.0
    assert np.abs(model.rollout_buffer.actions).max() > 1.5


def test_wrapped_environments_and_single_environments_work():
    settings = {
        "amp": SMALL_AMP,
        "reference": np.random.default_rng(0).normal(size=(50, 3)),
        "batch_size": 16,
    }
    venv = DummyVecEnv(
        [lambda: AMPInfo(gym.make("Pendulum-v1", max_episode_steps=10)) for _ in range(2)]
    )
    model = make_model(VecNormalize(VecMonitor(venv)), **settings).learn(64)
    assert len(model.ep_info_buffer) > 0 and model.layout == {"channels": "observation"}
    plain = make_model("CartPole-v1", batch_size=16).learn(32)
    assert plain.learner is None


@pytest.mark.parametrize("space", [gym.spaces.MultiDiscrete([2, 3]), gym.spaces.MultiBinary(2)])
def test_other_action_spaces(space):
    make_model(ProbeEnv(4, action_space=space), batch_size=32, n_epochs=1).learn(64)


def test_schedules_as_text_and_callable():
    model = make_model(SignEnv(8), learning_rate="lin_4e-3", clip_range="lin_0.2").learn(
        ITERATION * 2
    )
    assert model.learning_rate == LinearSchedule(4e-3)
    assert model.logger.name_to_value["train/learning_rate"] == pytest.approx(
        0.0, abs=1e-9
    )  # progress is at its end
    assert float(
        model.policy.actor_state.opt_state[1].hyperparams["learning_rate"]
    ) == pytest.approx(0.0, abs=1e-9)
    assert (
        make_model(SignEnv(8), learning_rate=lambda progress: 1e-3 * progress).lr_schedule(0.5)
        == 5e-4
    )
    with pytest.raises(ConfigError, match="learning_rate"):
        make_model(SignEnv(8), learning_rate="cosine")


def test_no_schedule_goes_below_its_end():
    """The second rollout ends beyond the 200 steps asked for."""
    model = make_model(SignEnv(8), learning_rate=lambda progress: 1e-3 * progress).learn(200)
    assert model.num_timesteps == 256 and model.logger.name_to_value["train/learning_rate"] == 0.0


def test_a_clip_range_of_the_values_is_not_negative():
    with pytest.raises(ConfigError, match=r"clip_range_vf is -0\.2; it cannot be negative"):
        make_model(SignEnv(8), clip_range_vf=-0.2)


def test_batch_sizes_that_do_not_divide_warn_once():
    with pytest.warns(UserWarning) as caught:
        make_model(SignEnv(8), batch_size=50)
    assert (
        len([w for w in caught if "batch_size" in str(w.message) or "mini-batch" in str(w.message)])
        == 1
    )
    with pytest.raises(ConfigError, match="batch_size"):
        make_model(SignEnv(8), batch_size=1)


def test_defaults_that_do_not_suit_many_environments_warn():
    """SB3's defaults with 1,024 environments: 2,048 * 1,024 / 64 = 32,768 minibatches an epoch."""
    model = SimpleNamespace(env=object(), n_steps=2048, n_envs=1024, batch_size=64)
    with pytest.warns(UserWarning, match="32,768 minibatches of batch_size 64"):
        assert minibatch_size(model) == 64
    model.n_envs = 8
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert minibatch_size(model) == 64


def test_amp_without_reference_warns():
    with pytest.warns(UserWarning, match="without reference"):
        model = make_model(ProbeEnv(8), amp=SMALL_AMP)
    assert model.learner is None
    with pytest.warns(UserWarning, match="without amp"):
        make_model(ProbeEnv(8), reference=REFERENCE)


def test_features_that_do_not_fit_are_refused():
    with pytest.raises(FeatureError, match="2 columns, the reference has 5"):
        make_model(
            ProbeEnv(8), amp=SMALL_AMP, reference=np.random.default_rng(0).normal(size=(90, 5))
        ).learn(ITERATION)
    pendulum = AMPInfo(gym.make("Pendulum-v1"))
    reference = ReferenceFeatures(np.eye(3), layout={"channels": "something else"})
    with pytest.raises(FeatureError, match="layouts differ"):
        make_model(pendulum, amp=SMALL_AMP, reference=reference, batch_size=16)
    with pytest.raises(FeatureError, match="amp=None"):
        make_model(
            "Pendulum-v1", amp=SMALL_AMP, reference=np.tile(np.eye(3), (20, 1)), batch_size=16
        ).learn(16)
