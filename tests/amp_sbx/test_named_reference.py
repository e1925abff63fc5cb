"""Reference motion by name, and AMP observations from columns of an observation."""

import gymnasium as gym
import numpy as np
import pytest
from probe_envs import REFERENCE, SMALL_AMP, ProbeEnv, make_model
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor

from amp_sbx import (
    AMPPPO,
    ConfigError,
    FeatureError,
    GymnasiumVecEnv,
    ObservationFeatures,
    ReferenceFeatures,
)
from amp_sbx.algorithm.named_reference import resolve_reference


class Library(ProbeEnv):
    """Looks up one name, and counts how often it is asked."""

    asked = 0

    def reference_features(self, name, temperature=1.0):
        self.asked += 1
        return {"features": REFERENCE * temperature} if name == "walk" else "no mapping"


@pytest.mark.filterwarnings("ignore:The environment is already wrapped")
def test_the_environment_looks_a_name_up_once():
    env = Library(8)
    wrapped = VecMonitor(GymnasiumVecEnv(env))
    np.testing.assert_array_equal(resolve_reference("walk", wrapped).features, REFERENCE)
    assert env.asked == 1
    hotter = resolve_reference({"name": "walk", "temperature": 2.0}, wrapped)
    np.testing.assert_array_equal(hotter.features, 2 * np.asarray(REFERENCE, np.float32))
    with pytest.raises(FeatureError, match="gave a str; it must return a mapping"):
        resolve_reference("run", wrapped)


def test_a_model_is_made_and_loaded_with_a_name(tmp_path):
    model = make_model(Library(4), amp=SMALL_AMP, reference="walk", batch_size=32)
    assert model.learner.feature_dim == np.shape(REFERENCE)[1]
    model.save(tmp_path / "model")
    loaded = AMPPPO.load(tmp_path / "model", env=Library(4), reference="walk")
    assert loaded.learner.reference is not None


class Cheetah(gym.Env):
    """Four numbers that count the steps."""

    observation_space = gym.spaces.Box(-np.inf, np.inf, (4,), np.float64)
    action_space = gym.spaces.Box(-1, 1, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        self.steps = 0
        return np.zeros(4), {}

    def step(self, action):
        self.steps += 1
        return np.arange(4.0) + self.steps, 5.0, False, False, {"other": 1}


def test_columns_of_the_observation():
    env = ObservationFeatures(Cheetah(), [1, 3], scales=[1.0, 0.5], task_reward=False)
    env.reset()
    _, reward, *_, info = env.step(None)
    assert reward == 0.0 and info["other"] == 1 and info["amp_obs"].dtype == np.float32
    np.testing.assert_array_equal(info["amp_obs"], [2.0, 2.0])
    with pytest.raises(ConfigError, match=r"columns are \[4\]; allowed: indices from 0 to 3"):
        ObservationFeatures(Cheetah(), [4])
    with pytest.raises(ConfigError, match="2 columns; give one for each"):
        ObservationFeatures(Cheetah(), [0, 1], scales=[1.0])


def test_without_a_library_the_name_is_a_path(tmp_path):
    env = DummyVecEnv([lambda: ObservationFeatures(Cheetah(), [1, 3])])
    np.savez(tmp_path / "motion.npz", features=REFERENCE, weights=np.ones(len(REFERENCE)))
    found = resolve_reference(tmp_path / "motion.npz", env)
    np.testing.assert_array_equal(found.features, REFERENCE)
    with pytest.raises(FeatureError, match="no environment looks it up"):
        resolve_reference({"name": "walk", "temperature": 2.0}, env)
    with pytest.raises(FeatureError, match=r"'walk' cannot be read.*\.npz"):
        resolve_reference("walk", None)
    np.savez(tmp_path / "other.npz", poses=REFERENCE)
    with pytest.raises(FeatureError, match="has the arrays poses; allowed: features"):
        ReferenceFeatures.from_file(tmp_path / "other.npz")
    np.savez(tmp_path / "pickled.npz", features=np.array([{}], object))
    with pytest.raises(FeatureError, match="cannot be read"):
        ReferenceFeatures.from_file(tmp_path / "pickled.npz")
