"""Behavior cloning: the actor's mean learns the demonstrations, and nothing else changes."""

import gymnasium as gym
import jax
import numpy as np
import pytest
from probe_envs import ProbeEnv, make_model
from test_symmetry import OneSidedEnv

from amp_sbx import CloningConfig
from amp_sbx.common.errors import ConfigError, FeatureError

RNG = np.random.default_rng(0)
OBS = RNG.uniform(-1, 1, (512, 1)).astype(np.float32)
QUICK = {"steps": 600, "batch_size": 256, "noise": 0.0, "learning_rate": 1e-2}


def test_the_demonstrated_action_is_learned_and_nothing_else():
    model = make_model(ProbeEnv())
    before = model.get_parameters()
    error = model.clone_behavior(OBS, 0.2 + 0.5 * OBS, QUICK)
    assert error < 0.02
    obs = np.array([[-0.8], [0.0], [0.6]], np.float32)
    np.testing.assert_allclose(
        model.predict(obs, deterministic=True)[0], 0.2 + 0.5 * obs, atol=0.05
    )
    after = model.get_parameters()
    for name, value in before["critic"].items():
        np.testing.assert_array_equal(value, after["critic"][name])
    spread = [name for name in before["actor"] if "log_std" in name]
    assert spread
    for name in spread:
        np.testing.assert_array_equal(before["actor"][name], after["actor"][name])
    model.learn(64)


def test_noise_flattens_what_it_hides():
    """With noise far above the data's spread the best answer is the mean of all actions."""
    model = make_model(ProbeEnv())
    model.clone_behavior(OBS, 0.5 + 0.3 * OBS, QUICK | {"noise": 5.0})
    answer = model.predict(np.array([[-1.0], [1.0]], np.float32), deterministic=True)[0]
    np.testing.assert_allclose(answer, 0.5, atol=0.1)


@pytest.mark.parametrize("way", ["none", "mean", "equivariant"])
def test_a_symmetric_policy_learns_the_image_too(way):
    model = make_model(OneSidedEnv(), symmetric_policy=way)
    ones = np.ones((64, 2), np.float32)
    model.clone_behavior(ones, 0.5 * ones[:, :1], QUICK)
    seen, image = model.predict(np.array([[1, 1], [-1, 1]], np.float32), deterministic=True)[0][
        :, 0
    ]
    assert seen == pytest.approx(0.5, abs=0.05)
    assert (abs(image + 0.5) < 0.05) == (way != "none")


def test_the_same_seed_gives_the_same_policy():
    first, second = (make_model(ProbeEnv()) for _ in range(2))
    for model in (first, second):
        model.clone_behavior(OBS, OBS, CloningConfig(steps=20))
    for a, b in zip(
        *(jax.tree.leaves(m.get_parameters()["actor"]) for m in (first, second)), strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_what_does_not_fit_is_refused():
    model = make_model(ProbeEnv())
    before = model.get_parameters()["actor"]
    for obs, actions, message in (
        (OBS[:, [0, 0]], OBS, "observations have shape"),
        (OBS, OBS[:, [0, 0]], "actions have shape"),
        (OBS, OBS[:5], "512 observations do not go with 5 actions"),
        (OBS[:0], OBS[:0], "0 actions"),
        (OBS, OBS * np.nan, "actions are not finite"),
    ):
        with pytest.raises(FeatureError, match=message):
            model.clone_behavior(obs, actions)
    for name, value in model.get_parameters()["actor"].items():
        np.testing.assert_array_equal(before[name], value)
    for wrong in ({"steps": 0}, {"batch_size": 1.5}, {"learning_rate": "1e-3"}, {"noise": -1.0}):
        with pytest.raises(ConfigError, match=f"warm_start.{next(iter(wrong))} is"):
            model.clone_behavior(OBS, OBS, wrong)
    with pytest.raises(ConfigError, match="Did you mean 'steps'"):
        model.clone_behavior(OBS, OBS, {"stesp": 1})
    discrete = make_model(ProbeEnv(action_space=gym.spaces.Discrete(2)))
    with pytest.raises(ConfigError, match="Box action space"):
        discrete.clone_behavior(OBS, OBS)
