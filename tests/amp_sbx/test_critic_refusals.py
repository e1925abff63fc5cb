"""What `critic_obs=True` refuses: environments, networks and files that do not fit the critic."""

import gymnasium as gym
import numpy as np
import pytest
from critic_envs import Counting, HiddenEnv, HiddenGoal, values_of
from functional_envs import ITERATION, point_model
from gymnasium.vector import SyncVectorEnv
from probe_envs import REFERENCE, SMALL_AMP, ProbeEnv, assert_trees_equal, make_model

from amp_sbx import AMPPPO, CheckpointError, ConfigError, FeatureError, NonFiniteError

HIDDEN = HiddenGoal()


def test_environments_that_give_the_critic_nothing_are_refused():
    with pytest.raises(ConfigError, match="critic_dim is missing or 0"):
        make_model(ProbeEnv(8), critic_obs=True)
    with pytest.raises(ConfigError, match="critic_obs is 'yes'"):
        make_model(HiddenEnv(8), critic_obs="yes")

    class Silent(ProbeEnv):
        critic_dim = 2

    class Wide(HiddenEnv):
        critic_dim = 3

    class WithoutFinal(HiddenEnv):
        def step(self, actions):
            *result, infos = super().step(actions)
            infos["final_info"].pop("critic_obs")
            return *result, infos

    for env, what in (
        (Silent(8), r"environments \[0, 1, .* have no 'critic_obs'"),
        (Wide(8), r"shape \(8, 2\); expected \(8, 3\), as critic_dim of GymnasiumVecEnv says"),
        (WithoutFinal(8, length=4, truncate=True), "0 timed out, and its last info has no"),
    ):
        with pytest.raises(FeatureError, match=what):
            make_model(env, critic_obs=True).learn(ITERATION)
    env = SyncVectorEnv([lambda: Forgetful(length=5), Counting])
    with pytest.raises(FeatureError, match=r"critic_obs is missing for environments \[0\]"):
        make_model(env, critic_obs=True).learn(32)


class Forgetful(Counting):
    """Shows the critic nothing at the fourth step."""

    def step(self, action):
        *result, info = super().step(action)
        return *result, info if self.count != 4 else {}


class StateOnly(HiddenGoal):
    def step(self, state, action):
        state, step = super().step(state, action)
        return state, step._replace(critic_obs=None)


class Narrow(HiddenGoal):
    def step(self, state, action):
        state, step = super().step(state, action)
        return state, step._replace(critic_obs=step.critic_obs[:1])


@pytest.mark.parametrize(
    ("env", "what"),
    [
        (StateOnly(), r"StateOnly.step's result has none in critic_obs; expected \(2,\)"),
        (Narrow(), r"Narrow.step's result has one of shape \(1,\) in critic_obs; expected \(2,\)"),
    ],
)
def test_functional_environments_that_do_not_fit(env, what):
    model = point_model(env, critic_obs=True, collect="fused")
    with pytest.raises(FeatureError, match=what):
        model.learn(ITERATION)


def test_nan_in_what_the_critic_sees_stops_the_update():
    model = point_model(
        HIDDEN, critic_obs=True, collect="fused", amp=SMALL_AMP, reference=REFERENCE
    ).learn(ITERATION)
    before, env = model.get_parameters(), model.env.vector_env
    states = env.functional_state
    env.functional_state = states.replace(critic_obs=states.critic_obs.at[3, 1].set(np.nan))
    with pytest.raises(NonFiniteError, match="NaN or infinity in: critic observations, "):
        model.learn(ITERATION, reset_num_timesteps=False)
    assert_trees_equal(before, model.get_parameters())


def test_networks_that_cannot_see_it_are_refused():
    class Unmirrored(HiddenGoal):
        mirror = {k: v for k, v in HiddenGoal.mirror.items() if "critic" not in k}  # noqa: RUF012

    class Bent(HiddenGoal):
        mirror = HiddenGoal.mirror | {"critic_ids": [0, 0]}

    way = {"critic_obs": True, "symmetric_policy": "equivariant"}
    with pytest.raises(ConfigError, match="no `mirror` with critic_ids and critic_signs"):
        point_model(Unmirrored(), **way)
    with pytest.raises(ConfigError, match=r"no reflection of its critic space of shape \(2,\)"):
        point_model(Bent(), **way)
    point_model(Unmirrored(), critic_obs=True, symmetric_policy="mean")  # its critic is plain

    class Pictures(HiddenEnv):
        def __init__(self):
            super().__init__(2)
            self.single_observation_space = gym.spaces.Box(0, 255, (36, 36, 1), np.uint8)

    with pytest.raises(ConfigError, match=r"features extractor \(NatureCNN\); use MlpPolicy"):
        AMPPPO("CnnPolicy", Pictures(), n_steps=4, batch_size=4, critic_obs=True)


class Deeper(HiddenEnv):
    critic_dim = 3


def test_files_and_environments_that_do_not_fit(tmp_path):
    own = make_model(HiddenEnv(8), critic_obs=True)
    plain = make_model(HiddenEnv(8))
    own.save(tmp_path / "own")
    plain.save(tmp_path / "plain")
    with pytest.raises(CheckpointError, match=r"sees 2 columns .* the environment gives 3"):
        AMPPPO.load(tmp_path / "own", env=Deeper(8))
    with pytest.raises(ConfigError, match=r"sees 2 columns .* the environment gives 3"):
        own.set_env(Deeper(8))
    for name, flag in (("own", False), ("plain", True)):
        with pytest.raises(CheckpointError, match=f"critic_obs is {not flag} in the file"):
            AMPPPO.load(tmp_path / name, critic_obs=flag)
    assert AMPPPO.load(tmp_path / "own", critic_obs=True).critic_inputs.dim == 2
    with pytest.raises(CheckpointError, match="sees the observations, this model's 2 columns"):
        own.set_parameters(tmp_path / "plain.zip")
    with pytest.raises(
        CheckpointError, match=r"'critic/params/Dense_0/kernel' has shape \(1, 16\)"
    ):
        own.set_parameters(plain.get_parameters())
    with pytest.raises(ConfigError, match=r"critic_obs of 2 columns, got \(1, 1\)"):
        values_of(own, [0.0])
