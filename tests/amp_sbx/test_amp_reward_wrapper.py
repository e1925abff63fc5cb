"""Style rewards of a frozen discriminator for any trainer."""

import numpy as np
import pytest
from amp_probe_envs import REFERENCE, SMALL_AMP, SignEnv, make_model

from amp_sbx import AMPRewardWrapper, ConfigError, FeatureError


@pytest.fixture(scope="module")
def model():
    return make_model(SignEnv(8), amp=SMALL_AMP, reference=REFERENCE).learn(256)


def test_rewards_are_mixed(model, tmp_path):
    model.save(tmp_path / "model.zip")
    plain, wrapped = SignEnv(4), AMPRewardWrapper(SignEnv(4), tmp_path / "model.zip", weight=2.0, task_weight=0.5)
    for env in (plain, wrapped):
        env.reset(seed=3)
    actions = np.zeros((4, *plain.single_action_space.shape), plain.single_action_space.dtype)
    _, task, _, _, infos = plain.step(actions)
    _, mixed, _, _, more = wrapped.step(actions)
    style = model.learner.rewards(infos["amp_obs"])
    np.testing.assert_allclose(more["style_reward"], style, rtol=1e-5)
    np.testing.assert_allclose(more["task_reward"], task)
    np.testing.assert_allclose(mixed, 0.5 * np.asarray(task) + 2.0 * style, rtol=1e-5)


def test_weights_are_the_models_own_where_none_are_given(model):
    wrapped = AMPRewardWrapper(SignEnv(4), model)
    assert (wrapped.weight, wrapped.task_weight) == (model.learner.config.weight, model.learner.config.task_weight)


def test_what_does_not_fit_is_refused(model):
    with pytest.raises(FeatureError, match="trained without AMP"):
        AMPRewardWrapper(SignEnv(4), make_model(SignEnv(8)))
    with pytest.raises(ConfigError, match="weight"):
        AMPRewardWrapper(SignEnv(4), model, weight=-1.0)
