"""Style rewards of a trained discriminator for any training library."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from probe_envs import REFERENCE, SMALL_AMP, SignEnv, make_model

from amp_sbx import AMPRewardWrapper, ConfigError, FeatureError


@pytest.fixture(scope="module")
def model():
    return make_model(SignEnv(8), amp=SMALL_AMP, reference=REFERENCE).learn(256)


def test_rewards_are_mixed(model, tmp_path):
    model.save(tmp_path / "model.zip")
    plain, wrapped = (
        SignEnv(4),
        AMPRewardWrapper(SignEnv(4), tmp_path / "model.zip", weight=2.0, task_weight=0.5),
    )
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
    assert (wrapped.weight, wrapped.task_weight) == (
        model.learner.config.weight,
        model.learner.config.task_weight,
    )


class Walker(gym.Env):
    """`amp_obs` counts the steps of an episode of two. A reset has none, or a wrong one."""

    observation_space = gym.spaces.Box(-10, 10, (1,), np.float32)
    action_space = gym.spaces.Box(-1, 1, (1,), np.float32)

    def __init__(self, at_reset):
        self.at_reset = at_reset

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.count = 0
        return np.zeros(1, np.float32), {
            "amp_obs": np.full(2, 9.0, np.float32)
        } if self.at_reset else {}

    def step(self, action):
        self.count += 1
        info = {"amp_obs": np.full(2, self.count, np.float32)}
        return np.zeros(1, np.float32), 1.0, self.count == 2, False, info


@pytest.mark.parametrize("at_reset", [False, True])
@pytest.mark.parametrize("num_envs", [1, 2])
@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
def test_gymnasiums_own_vector_environments_are_paid_for_their_steps_alone(
    model, mode, num_envs, at_reset
):
    env = AMPRewardWrapper(
        SyncVectorEnv([lambda: Walker(at_reset)] * num_envs, autoreset_mode=mode), model
    )
    env.reset(seed=0)
    paid = [env.step(np.zeros((num_envs, 1), np.float32))[4]["style_reward"][-1] for _ in range(6)]
    one, two = (
        model.learner.rewards(np.full((1, 2), count, np.float32))[0] for count in (1.0, 2.0)
    )
    cycle = (
        [one, two] if mode == AutoresetMode.SAME_STEP else [one, two, 0.0]
    )  # the reset takes one step
    np.testing.assert_allclose(paid, (cycle * 3)[:6], rtol=1e-5)


def test_other_features_of_the_same_width_are_refused():
    class LaidOut(SignEnv):
        amp_layout = {"channels": ["a", "b"]}  # noqa: RUF012

    class Other(Walker):
        amp_layout = {"channels": ["b", "a"]}  # noqa: RUF012

    trained = make_model(LaidOut(8), amp=SMALL_AMP, reference=REFERENCE)
    other = SyncVectorEnv([lambda: Other(False)] * 2)
    for env in (
        other,
        RecordEpisodeStatistics(other),
    ):  # which hides the layout
        with pytest.raises(FeatureError, match="layouts differ"):
            AMPRewardWrapper(env, trained)
    AMPRewardWrapper(SyncVectorEnv([lambda: Walker(False)] * 2), trained)  # declares no layout


def test_what_does_not_fit_is_refused(model):
    class Silent(Walker):
        def step(self, action):
            return *super().step(action)[:4], {}

    silent = AMPRewardWrapper(SyncVectorEnv([lambda: Silent(False)] * 2), model)
    silent.reset()
    with pytest.raises(FeatureError, match=r"no amp_obs of environments \[0, 1\]"):
        silent.step(np.zeros((2, 1), np.float32))
    with pytest.raises(FeatureError, match="trained without AMP"):
        AMPRewardWrapper(SignEnv(4), make_model(SignEnv(8)))
    with pytest.raises(ConfigError, match="weight"):
        AMPRewardWrapper(SignEnv(4), model, weight=-1.0)
