"""AMP settings that reach the discriminator's steps and the rewards."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import sbx
from probe_envs import REFERENCE, SMALL_AMP, SignEnv, make_model

from amp_sbx import (
    AMPCallback,
    AMPConfig,
    AMPLearner,
    AMPRolloutBuffer,
    GymnasiumVecEnv,
    ReferenceFeatures,
)
from amp_sbx.algorithm import learning
from amp_sbx.algorithm.losses import normalize_advantages
from amp_sbx.algorithm.returns import estimate
from amp_sbx.discriminator import update as disc_update
from amp_sbx.discriminator.objective import discriminator_loss
from amp_sbx.discriminator.state import make_optimizer

SPREAD = 0.25  # the normalizer's lower bound, because the reference below is constantly 0

LERP = SMALL_AMP | {
    "mix": "lerp",
    "weight": 0.8,
    "task_weight": 3.0,
    "gradient_penalty": "none",
    "normalization": "none",
}
LERP |= {"schedule": {"initial": 0.0, "ramp_start": 0, "ramp_end": 256, "final": 1.0}}
ITERATION = 16 * 8
WEIGHTS = [
    (3.0 * 0.6, 0.4),
    (3.0 * 0.2, 0.8),
]  # weights of task and style after one and two iterations


def linear_learner(slope=1.0, offset=0.0, **settings):
    """A learner whose score of a normalized x is `slope * (relu(x) - relu(-x)) + offset`."""
    plain = {
        "gradient_penalty": "none",
        "disc_input_noise_std": 0.0,
        "update_steps": 1,
        "replay_buffer_size": 100,
    }
    network = {
        "discriminator_hidden": (2,),
        "normalization": "none",
        "activation": "relu",
        "feature_min_std": SPREAD,
    }
    config = AMPConfig(
        **(plain | network | {"batch_size": 32, "held_out_fraction": 0.0} | settings)
    )
    learner = AMPLearner(config, ReferenceFeatures(np.zeros((config.batch_size, 1))))
    hidden = {"kernel": jnp.array([[1.0, -1.0]]), "bias": jnp.zeros(2)}
    output = {"kernel": jnp.array([[slope], [-slope]]), "bias": jnp.array([offset])}
    learner.state = replace(learner.state, params={"Dense_0": hidden, "Dense_1": output})
    np.testing.assert_allclose(
        learner.scores(SPREAD * np.array([[0.0], [1.0], [-2.0]])),
        offset + slope * np.array([0, 1, -2]),
    )
    return learner


def samples_shown(monkeypatch, **settings):
    """Samples of the first step: a reference at 0, a policy one spread away."""
    learner, shown = linear_learner(batch_size=4096, **settings), []

    def stop(config, params, batch_stats, real, fake, *_):
        shown.extend((np.asarray(real), np.asarray(fake)))
        raise InterruptedError

    monkeypatch.setattr(disc_update, "discriminator_loss", stop)
    with pytest.raises(InterruptedError), jax.disable_jit():
        disc_update.train_discriminator(
            learner.config, learner.state, jnp.full((64, 1), SPREAD), learner.sampler
        )
    return shown


def test_real_and_fake_samples_get_noise_of_their_own(monkeypatch):
    real, fake = samples_shown(monkeypatch, disc_input_noise_std=0.5)
    assert (real.mean(), fake.mean()) == pytest.approx((0.0, 1.0), abs=0.03)
    assert (real.std(), fake.std()) == pytest.approx((0.5, 0.5), rel=0.05)  # in normalized units
    assert abs(np.corrcoef(real.ravel(), fake.ravel())[0, 1]) < 0.05


def test_without_noise_samples_are_as_they_are(monkeypatch):
    real, fake = samples_shown(monkeypatch, disc_input_noise_std=0.0)
    np.testing.assert_array_equal(real, 0.0)
    np.testing.assert_array_equal(fake, 1.0)


@pytest.mark.parametrize(
    ("settings", "slope", "offset", "want"),
    [  # the real target moves a fifth towards the fake one; samples are 0 (real) and 1
        (
            {"loss": "lsgan", "target_fake": -1.0},
            1.0,
            0.0,
            0.5 * ((0.0 - 0.6) ** 2 + (1.0 + 1.0) ** 2),
        ),
        (
            {"loss": "bce"},
            -np.log(3.0),
            np.log(3.0),
            0.5 * (-0.8 * np.log(0.75) - 0.2 * np.log(0.25) - np.log(0.5)),
        ),
    ],
    ids=["lsgan", "bce"],
)
def test_real_scores_are_drawn_to_the_smoothed_target(settings, slope, offset, want):
    learner = linear_learner(slope, offset, label_smoothing=0.2, **settings)
    real, fake = jnp.zeros((4, 1)), jnp.ones((4, 1))
    loss, _ = discriminator_loss(
        learner.config, learner.state.params, {}, real, fake, jax.random.PRNGKey(0)
    )
    assert loss == pytest.approx(want, rel=1e-5)


def test_smoothing_does_not_move_what_is_paid():
    learner = linear_learner(target_fake=-1.0, label_smoothing=0.2)
    np.testing.assert_allclose(
        learner.rewards(SPREAD * np.array([[-1.0], [0.6], [1.0]])), [0.0, 0.8, 1.0], atol=1e-6
    )


@pytest.mark.parametrize(("weight_decay", "left"), [(0.0, 2.0), (0.5, 1.9)])
def test_weights_that_no_gradient_moves_decay_by_rate_times_weight_decay(weight_decay, left):
    optimizer = make_optimizer(AMPConfig(disc_lr=0.1, weight_decay=weight_decay))
    params = {"kernel": jnp.array([2.0, -2.0])}
    updates, _ = optimizer.update({"kernel": jnp.zeros(2)}, optimizer.init(params), params)
    np.testing.assert_allclose(
        optax.apply_updates(params, updates)["kernel"], [left, -left], rtol=1e-6
    )


def pay_a_half(learner):
    """Pay about one half at every step, by an offset of the output layer."""
    output = learner.state.params["Dense_1"]
    output["bias"] = output["bias"] + 0.5


@pytest.fixture
def stopped(monkeypatch):
    """The arguments of each iteration, which stops there: the rest takes seconds to compile."""
    given = []

    def stop(*arguments):
        given.append(arguments)
        raise InterruptedError

    monkeypatch.setattr(learning, "iteration_jit", stop)
    return given


@pytest.mark.parametrize("critic", ["shared", "separate"])
def test_lerp_leaves_the_task_one_less_the_styles_weight(stopped, critic):
    """With gamma 0, an advantage is the step's reward minus the critic's value."""
    model = make_model(SignEnv(8), amp=LERP | {"critic": critic}, reference=REFERENCE, gamma=0.0)
    pay_a_half(model.learner)
    _, callback = model._setup_learn(10_000)
    for task_fraction, style_weight in WEIGHTS:
        model.collect_rollouts(model.env, callback, model.rollout_buffer, model.n_steps)
        with pytest.raises(InterruptedError):
            model.train()
        _, _, _, critics, _, rollout, _, hyper, _ = stopped[-1]
        rollout = jax.tree.map(jnp.asarray, rollout)
        style = jnp.asarray(
            model.learner.rewards(model._amp_obs.reshape(ITERATION, 2)).reshape(16, 8)
        )
        advantages, values, _ = estimate(rollout, style, critics, hyper)
        rewards = [rollout.rewards, style]
        if critic == "shared":
            want = task_fraction * rollout.rewards + style_weight * style - values[0]
        else:
            task, style = map(
                normalize_advantages,
                (reward - value for reward, value in zip(rewards, values, strict=True)),
            )
            want = task_fraction * task + style_weight * style
        np.testing.assert_allclose(advantages, want, atol=1e-5)


def test_lerp_leaves_stock_ppos_task_one_less_the_styles_weight():
    """Episodes time out, and the bootstrap in the rewards is not scaled."""
    seen = []

    class Watch(AMPRolloutBuffer):
        def compute_returns_and_advantage(self, last_values, dones):
            bootstrap = self.rewards - self.task_rewards
            super().compute_returns_and_advantage(last_values, dones)
            seen.append((self.rewards.copy(), self.task_rewards, self.style_rewards, bootstrap))

    settings = {
        "n_steps": 16,
        "batch_size": 64,
        "n_epochs": 1,
        "seed": 0,
        "policy_kwargs": {"net_arch": [16]},
    }
    env = GymnasiumVecEnv(SignEnv(8, length=5, truncate=True))
    model = sbx.PPO("MlpPolicy", env, rollout_buffer_class=Watch, **settings)
    callback = AMPCallback(LERP, REFERENCE)
    pay_a_half(callback.learner)
    model.train = callback._on_rollout_end = lambda: None  # by then all is paid
    model.learn(2 * ITERATION, callback=callback)
    assert len(seen) == len(WEIGHTS)
    for (rewards, task, style, bootstrap), (task_fraction, style_weight) in zip(
        seen, WEIGHTS, strict=True
    ):
        assert np.abs(bootstrap).max() > 0.01 and np.abs(task).min() == 1.0
        np.testing.assert_allclose(
            rewards, task_fraction * task + style_weight * style + bootstrap, atol=1e-5
        )
