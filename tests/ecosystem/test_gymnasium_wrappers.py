"""Gymnasium's wrappers around one environment. `tests/env/` has those of vector environments."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import wrappers as w

import wildrobot_gym  # noqa: F401  registers the environment

pytestmark = pytest.mark.ecosystem
SMALL, OBS, LENGTH = np.zeros(9, np.float32), 39, 6
WRAPPERS = {
    "Autoreset": (w.Autoreset, (OBS,)),
    "ClipAction": (w.ClipAction, (OBS,)),
    "ClipReward": (lambda env: w.ClipReward(env, -1.0, 1.0), (OBS,)),
    "DelayObservation": (lambda env: w.DelayObservation(env, 1), (OBS,)),
    "DtypeObservation": (lambda env: w.DtypeObservation(env, np.float64), (OBS,)),
    "FlattenObservation": (w.FlattenObservation, (OBS,)),
    "FrameStackObservation": (lambda env: w.FrameStackObservation(env, 3), (3, OBS)),
    "MaxAndSkipObservation": (lambda env: w.MaxAndSkipObservation(env, 2), (OBS,)),
    "NormalizeObservation": (w.NormalizeObservation, (OBS,)),
    "NormalizeReward": (w.NormalizeReward, (OBS,)),
    "RecordEpisodeStatistics": (w.RecordEpisodeStatistics, (OBS,)),
    "RepeatAction": (lambda env: w.RepeatAction(env, 2), (OBS,)),
    "RescaleAction": (lambda env: w.RescaleAction(env, -2.0, 2.0), (OBS,)),
    "RescaleObservation": (lambda env: w.RescaleObservation(env, -1.0, 1.0), (OBS,)),
    "ReshapeObservation": (lambda env: w.ReshapeObservation(env, (3, 13)), (3, 13)),
    "StickyAction": (lambda env: w.StickyAction(env, 0.5), (OBS,)),
    "TimeAwareObservation": (w.TimeAwareObservation, (OBS + 1,)),
    "TransformAction": (
        lambda env: w.TransformAction(env, lambda action: action / 2, env.action_space),
        (OBS,),
    ),
    "TransformReward": (lambda env: w.TransformReward(env, abs), (OBS,)),
}
SKIPS = {"MaxAndSkipObservation", "RepeatAction"}  # two control steps in one


@pytest.fixture(scope="module")
def walker():
    """Wrappers in turn around one environment; none of them changes it."""
    env = gym.make("WildRobot-v0", max_episode_steps=LENGTH)
    yield env
    env.close()


@pytest.mark.parametrize("name", WRAPPERS)
def test_a_wrapper_runs_an_episode(name, walker):
    wrap, shape = WRAPPERS[name]
    env = wrap(walker)
    obs, info = env.reset(seed=0)
    steps = truncated = 0
    while not truncated:
        assert np.shape(obs) == shape and env.observation_space.contains(obs)
        obs, reward, terminated, truncated, info = env.step(SMALL)
        assert np.isfinite(reward) and not terminated
        steps += 1
    assert steps == (LENGTH // 2 if name in SKIPS else LENGTH)
    if name == "RecordEpisodeStatistics":
        assert info["episode"]["l"] == LENGTH
