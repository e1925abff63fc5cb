"""The windows of a run's reference: their values, how often each is drawn, and their motions."""

import numpy as np
import pytest

from wildrobot_gym.motion.clip_files import load_clips
from wildrobot_gym.motion.reference import ReferenceDataset
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.model import make_reference, make_vec_env

FEATURES = "{channels: [root_height, joint_pos], history: {frames: 3, stride: 2}}"
ASKED = ["amp.reference=walk", "n_envs=1", f"env_kwargs.features={FEATURES}"]
TEMPERATURES = (0.5, 2.0)  # neither is the default, 1


@pytest.fixture(scope="module")
def env():
    env = make_vec_env(run_config.load("smoke", ASKED))
    yield env
    env.close()


@pytest.fixture(scope="module")
def dataset(env):
    inner = env.vector_env.unwrapped
    return ReferenceDataset.load("walk", inner.robot, inner.config.features)


@pytest.fixture(scope="module")
def loaded(env):
    """By temperature, what a run gets."""
    asked = {value: [*ASKED, f"amp.score_temperature={value}"] for value in TEMPERATURES}
    return {
        value: make_reference(run_config.load("smoke", asked[value]), env) for value in TEMPERATURES
    }


def test_a_run_gets_the_windows_of_its_environments_own_features(loaded, dataset, env):
    for reference in loaded.values():
        np.testing.assert_array_equal(reference.features, dataset.windows)
        assert reference.feature_dim == 3 * 10
        assert reference.layout == dataset.layout == env.vector_env.unwrapped.amp_layout


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_a_run_draws_by_the_datasets_scores_at_its_own_temperature(loaded, dataset, temperature):
    weights, motion_ids = dataset.sampling(temperature)
    np.testing.assert_allclose(loaded[temperature].weights, weights, rtol=1e-6)
    np.testing.assert_array_equal(loaded[temperature].motion_ids, motion_ids)


def test_a_segments_rows_weigh_by_its_score_over_the_temperature(loaded, env):
    clips = load_clips("walk", env.vector_env.unwrapped.robot)
    counts = [clip.num_frames - 4 for clip in clips]  # a window reaches back four control steps
    scores = np.repeat([clip.metadata["score"] for clip in clips], counts)
    motions = np.repeat([clip.motion_id for clip in clips], counts)
    assert len(set(scores)) == 3
    for temperature, reference in loaded.items():
        np.testing.assert_allclose(
            reference.weights, np.exp((scores - 3.0) / temperature), rtol=1e-6
        )
        assert (
            len(set(zip(motions, reference.motion_ids, strict=True)))
            == len(set(motions))
            == len(set(reference.motion_ids))
        )
    hot, cold = (loaded[temperature].weights for temperature in sorted(TEMPERATURES, reverse=True))
    assert (cold[scores < 3] < 0.5 * hot[scores < 3]).all()


def test_a_run_without_amp_has_no_reference(env):
    assert make_reference(run_config.load("walk_ppo", ["n_envs=1"]), env) is None
