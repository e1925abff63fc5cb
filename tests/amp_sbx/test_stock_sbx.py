"""AMP with stock `sbx.PPO`: rollout buffer and callback alone."""

import numpy as np
import pytest
import sbx
from probe_envs import (
    REFERENCE,
    SMALL_AMP,
    STYLE_AMP,
    STYLE_REFERENCE,
    ProbeEnv,
    StyleEnv,
    make_model,
)

from amp_sbx import (
    AMPCallback,
    AMPError,
    AMPRolloutBuffer,
    ConfigError,
    FeatureError,
    GymnasiumVecEnv,
)


def stock(env, **kwargs):
    settings = {
        "n_steps": 16,
        "batch_size": 256,
        "learning_rate": 1e-3,
        "seed": 0,
        "n_epochs": 4,
        "gamma": 0.0,
    }
    settings |= {
        "policy_kwargs": {"net_arch": [16], "log_std_init": -1.0},
        "rollout_buffer_class": AMPRolloutBuffer,
    }
    return sbx.PPO("MlpPolicy", GymnasiumVecEnv(env), **(settings | kwargs))


@pytest.mark.slow
def test_stock_sbx_learns_the_style():
    callback = AMPCallback(STYLE_AMP, STYLE_REFERENCE)
    model = stock(StyleEnv(32))
    model.learn(16 * 32 * 50, callback=callback)
    action, _ = model.predict(np.zeros((1, 1), np.float32), deterministic=True)
    assert action.item() == pytest.approx(0.5, abs=0.2)
    assert callback.buffer.style_rewards.mean() == pytest.approx(0.5, abs=0.1)


def test_rewards_are_task_plus_style_plus_bootstrap():
    """The buffer's rewards hold each part once, and the bootstrap of time-outs is not scaled."""
    seen = {}

    class Watch(AMPRolloutBuffer):
        def compute_returns_and_advantage(self, last_values, dones):
            seen["before"] = self.rewards.copy()
            super().compute_returns_and_advantage(last_values, dones)
            seen["after"], seen["style"] = self.rewards.copy(), self.style_rewards.copy()

    callback = AMPCallback(SMALL_AMP | {"weight": 0.5, "task_weight": 3.0}, REFERENCE)
    model = stock(ProbeEnv(8, length=5, truncate=True), rollout_buffer_class=Watch, batch_size=64)
    old = callback.learner.rewards(np.array([[0, 1]]))
    model.learn(128, callback=callback)
    np.testing.assert_allclose(seen["after"], seen["before"] + 2.0 + 0.5 * seen["style"], atol=1e-5)
    assert seen["style"][0, 0] == pytest.approx(
        float(old[0]), abs=1e-6
    )  # the discriminator before its update
    np.testing.assert_array_equal(
        model.rollout_buffer.amp_obs[[0, 4, 5], 0], [[0, 1], [0, 5], [1, 1]]
    )


def test_update_first_pays_by_the_updated_discriminator():
    amp = SMALL_AMP | {
        "disc_lr": 0.05,
        "update_steps": 5,
        "max_grad_norm": 10.0,
        "reward": "quadratic",
    }
    callback = AMPCallback(amp | {"order": "update_first"}, REFERENCE)
    stock(ProbeEnv(8, length=5), batch_size=64).learn(128, callback=callback)  # one rollout
    features = callback.buffer.amp_obs.reshape(-1, 2)
    np.testing.assert_allclose(
        callback.buffer.style_rewards.ravel(), callback.learner.rewards(features), atol=1e-6
    )
    untrained = AMPCallback(amp, REFERENCE).learner.rewards(features)
    assert np.abs(callback.learner.rewards(features) - untrained).max() > 1e-3


def test_misuse_is_explained():
    with pytest.raises(ConfigError, match="rollout_buffer_class=AMPRolloutBuffer"):
        stock(ProbeEnv(8), rollout_buffer_class=None).learn(
            128, callback=AMPCallback(SMALL_AMP, REFERENCE)
        )
    with pytest.raises(AMPError, match="AMPCallback"):
        stock(ProbeEnv(8)).learn(128)
    with pytest.raises(FeatureError, match="2 columns"):
        stock(ProbeEnv(8)).learn(128, callback=AMPCallback(SMALL_AMP, np.tile(np.eye(5), (8, 1))))
    with pytest.raises(ConfigError, match="got None"):
        AMPCallback(SMALL_AMP, None)
    with pytest.raises(ConfigError, match="give an AMPPPO amp= and reference= itself"):
        make_model(ProbeEnv(8), rollout_buffer_class=AMPRolloutBuffer).learn(
            128, callback=AMPCallback(SMALL_AMP, REFERENCE)
        )


def test_continuing_without_the_callback_is_refused():
    """The buffer still holds the last rollout's AMP observations."""
    model = stock(ProbeEnv(8)).learn(128, callback=AMPCallback(SMALL_AMP, REFERENCE))
    with pytest.raises(AMPError, match=r"AMP observations of 0 of \d+ steps; pass AMPCallback"):
        model.learn(128, reset_num_timesteps=False)
