"""The adapter: SB3's contract, values from before a reset, and what it refuses."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorWrapper
from gymnasium.wrappers.vector import (
    NormalizeObservation,
    RecordEpisodeStatistics,
    TransformObservation,
)
from probe_envs import AMPInfo, ProbeEnv, SignEnv
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor, VecNormalize

from amp_sbx import FeatureError, GymnasiumVecEnv, VecEnvError
from amp_sbx.common.vec_infos import amp_layout, amp_observations


class Counter(gym.Env):
    """Observation and `amp_obs` are (episode, step); ends after `length` steps by time-out."""

    observation_space = gym.spaces.Box(-100, 100, (2,), np.float32)
    action_space = gym.spaces.Box(-1, 1, (1,), np.float32)
    amp_layout = {"channels": ["episode", "step"]}  # noqa: RUF012

    def __init__(self, length=3):
        self.length, self.episode, self.count = length, -1, 0
        self.gain = 1.0

    def _obs(self):
        return np.array([self.episode, self.count], np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.episode, self.count = self.episode + 1, 0
        return self._obs(), {
            "amp_obs": np.full(2, -1, np.float32),
            "seed_was": seed if seed is not None else -1,
        }

    def step(self, action):
        self.count += 1
        info = {
            "amp_obs": self._obs(),
            "is_success": self.count >= self.length,
            "speed": 2.0 * self.count,
        }
        return self._obs(), self.gain, False, self.count >= self.length, info


def sync(lengths, mode=AutoresetMode.SAME_STEP):
    return SyncVectorEnv([lambda n=n: Counter(n) for n in lengths], autoreset_mode=mode)


def zeros(env):
    return np.zeros((env.num_envs, 1), np.float32)


def test_other_autoreset_modes_are_refused_with_advice():
    class Fixed(ProbeEnv):
        metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012

    with pytest.raises(
        VecEnvError, match=r"Fixed autoresets in mode .*NEXT_STEP; .*autoreset_mode='SAME_STEP'\)"
    ):
        GymnasiumVecEnv(Fixed(2))
    normalized = NormalizeObservation(sync([3], AutoresetMode.NEXT_STEP))
    with pytest.raises(VecEnvError, match=r"NormalizeObservation cannot restart.*VecNormalize"):
        GymnasiumVecEnv(normalized)
    assert normalized.env.autoreset_mode == AutoresetMode.NEXT_STEP
    with pytest.raises(VecEnvError, match="VectorEnv"):
        GymnasiumVecEnv(Counter())


class Switchable(ProbeEnv):
    """Has a method that switches its autoreset mode."""

    def __init__(self, num_envs, **settings):
        super().__init__(num_envs, **settings)
        self.metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}

    def set_autoreset_mode(self, mode):
        self.metadata = {"autoreset_mode": mode}


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED])
def test_other_autoreset_modes_are_switched_through_wrappers(mode):
    for raw in (sync([2, 3], mode), RecordEpisodeStatistics(sync([2, 3], mode))):
        env = GymnasiumVecEnv(raw)
        env.reset()
        env.step(zeros(env))
        obs, _, dones, infos = env.step(zeros(env))
        assert (
            dones.tolist() == [True, False] and raw.metadata["autoreset_mode"].value == "SameStep"
        )
        np.testing.assert_array_equal(obs, [[1, 0], [0, 2]])
        np.testing.assert_array_equal(infos[0]["terminal_observation"], [0, 2])
    assert raw._autoreset_mode == AutoresetMode.SAME_STEP  # the wrapper counts by it


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED])
def test_observation_wrappers_may_lie_between(mode):
    """They refuse SAME_STEP, so the adapter restarts what has finished."""
    raw = sync([2, 3], mode)
    env = GymnasiumVecEnv(TransformObservation(raw, lambda obs: 10 * obs))
    assert raw.autoreset_mode == raw.metadata["autoreset_mode"] == AutoresetMode.DISABLED
    plain = GymnasiumVecEnv(sync([2, 3]))
    np.testing.assert_array_equal(env.reset(), 10 * plain.reset())
    for _ in range(7):
        (obs, *rest, infos), (obs_2, *rest_2, infos_2) = (
            env.step(zeros(env)),
            plain.step(zeros(env)),
        )
        np.testing.assert_array_equal(obs, 10 * obs_2)
        np.testing.assert_array_equal(rest, rest_2)
        np.testing.assert_array_equal(env.amp_obs, plain.amp_obs)
        for info, info_2 in zip(infos, infos_2, strict=True):
            assert info.keys() == info_2.keys()
            if info:
                np.testing.assert_array_equal(
                    info["terminal_observation"], 10 * info_2["terminal_observation"]
                )
                assert info["speed"] == info_2["speed"]
                assert info["episode"]["l"] == info_2["episode"]["l"]


def test_an_environment_that_only_waits_is_restarted():
    class Waits(ProbeEnv):
        metadata = {"autoreset_mode": AutoresetMode.DISABLED}  # noqa: RUF012
        resets = 0

        def reset(self, *, seed=None, options=None):
            self.resets += 1
            return super().reset(seed=seed)

    raw = Waits(2, length=2)
    env = GymnasiumVecEnv(raw)
    env.reset()
    assert [env.step(zeros(env))[2].all() for _ in range(2)] == [False, True] and raw.resets == 2


def test_an_environment_that_can_switch_is_switched():
    raw = Switchable(2, length=2)
    env = GymnasiumVecEnv(RecordEpisodeStatistics(raw))
    assert raw.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    env.reset()
    env.step(np.zeros((2, 1)))
    assert env.step(np.zeros((2, 1)))[2].all()


def test_step_contract():
    env = GymnasiumVecEnv(sync([2, 3]))
    env.reset()
    obs, rewards, dones, infos = env.step(zeros(env))
    assert obs.shape == (2, 2) and rewards.dtype == np.float32 and rewards.flags.writeable
    assert dones.tolist() == [False, False]
    assert infos[0] is infos[1] and infos[0] == {}
    obs, _, dones, infos = env.step(zeros(env))
    assert dones.tolist() == [True, False]
    np.testing.assert_array_equal(infos[0]["terminal_observation"], [0, 2])
    np.testing.assert_array_equal(obs, [[1, 0], [0, 2]])  # the new episode's first observation
    assert infos[0]["TimeLimit.truncated"] is True
    assert (
        infos[0]["episode"]["r"] == 2.0
        and infos[0]["episode"]["l"] == 2
        and infos[0]["episode"]["t"] >= 0
    )
    assert infos[0]["is_success"] is True and infos[0]["speed"] == 4.0
    assert infos[1] == {}


def test_episode_statistics_restart():
    env = GymnasiumVecEnv(sync([2, 3]))
    env.reset()
    seen = []
    for _ in range(6):
        _, _, _, infos = env.step(zeros(env))
        seen += [info["episode"]["l"] for info in infos if info]
    assert seen == [2, 3, 2, 2, 3]


def test_termination_is_not_a_time_out():
    env = GymnasiumVecEnv(ProbeEnv(2, length=1))
    env.reset()
    _, _, _, infos = env.step(np.zeros((2, 1)))
    assert infos[0]["TimeLimit.truncated"] is False


def test_amp_observations_of_a_done_step_are_from_before_the_reset():
    env = GymnasiumVecEnv(sync([2, 3]))
    env.reset()
    for expected in ([[0, 1], [0, 1]], [[0, 2], [0, 2]], [[1, 1], [0, 3]], [[1, 2], [1, 1]]):
        _, _, _, infos = env.step(zeros(env))
        np.testing.assert_array_equal(amp_observations(env, infos, 2), expected)
        np.testing.assert_array_equal(env.batch_infos["speed"], 2.0 * np.array(expected)[:, 1])


def test_amp_observations_of_a_batched_environment_are_from_before_the_reset():
    env = VecMonitor(
        GymnasiumVecEnv(ProbeEnv(2, length=2))
    )  # attributes pass through SB3's wrappers
    env.reset()
    for expected in ([0, 1], [0, 2], [1, 1], [1, 2]):
        _, _, _, infos = env.step(np.zeros((2, 1)))
        np.testing.assert_array_equal(amp_observations(env, infos, 2), [expected, expected])


def test_amp_observations_through_dummy_vec_env_are_from_before_the_reset():
    env = VecNormalize(DummyVecEnv([lambda: Monitor(Counter(2))]))
    env.reset()
    for expected in ([0, 1], [0, 2], [1, 1]):
        _, _, _, infos = env.step(zeros(env))
        np.testing.assert_array_equal(amp_observations(env, infos, 1), [expected])


def test_missing_amp_observations_are_explained():
    env = DummyVecEnv([lambda: gym.make("Pendulum-v1")])
    env.reset()
    _, _, _, infos = env.step(zeros(env))
    with pytest.raises(FeatureError, match=r"info\['amp_obs'\]"):
        amp_observations(env, infos, 1)


def test_wrong_shape_of_amp_observations():
    env = GymnasiumVecEnv(ProbeEnv(2))
    env.reset()
    env.batch_infos = {"amp_obs": np.zeros(2)}
    with pytest.raises(FeatureError, match=r"expected \(2, feature_dim\)"):
        amp_observations(env, [{}, {}], 2)


def test_seeding_and_reset():
    env = GymnasiumVecEnv(
        SyncVectorEnv([lambda: gym.make("Pendulum-v1")] * 2, autoreset_mode=AutoresetMode.SAME_STEP)
    )
    env.seed(7)
    first = env.reset()
    env.seed(7)
    np.testing.assert_array_equal(first, env.reset())
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first, env.reset())  # seeds are used once
    env.close()


def test_attributes_methods_and_wrappers():
    env = GymnasiumVecEnv(
        SyncVectorEnv([lambda: AMPInfo(Counter())] * 2, autoreset_mode=AutoresetMode.SAME_STEP)
    )
    assert env.get_attr("length") == [3, 3] and env.get_attr("length", indices=[1]) == [3]
    env.set_attr("gain", 5.0, indices=[1])
    env.reset()
    assert env.step(zeros(env))[1].tolist() == [1.0, 5.0]
    assert env.env_method("has_wrapper_attr", "gain", indices=0) == [True]
    assert (
        env.env_is_wrapped(AMPInfo) == [True, True]
        and env.env_is_wrapped(gym.wrappers.TimeLimit) == [False] * 2
    )
    assert env.has_attr("gain") and not env.has_attr("nothing")
    with pytest.raises(AttributeError, match="nothing"):
        env.get_attr("nothing")
    assert env.render_mode is None
    assert amp_layout(env) == {"channels": "observation"}


def test_attributes_of_a_batched_environment():
    env = GymnasiumVecEnv(ProbeEnv(3, length=5))
    assert env.get_attr("length") == [5, 5, 5] and amp_layout(env) is None
    env.set_attr("length", 2)
    env.reset()
    env.step(np.zeros((3, 1)))
    assert env.step(np.zeros((3, 1)))[2].all()
    assert env.env_method("start")[0].shape == (3, 1)
    assert env.env_is_wrapped(AMPInfo) == [False] * 3
    assert env.env_is_wrapped(Monitor) == [True] * 3  # it records the same statistics
    with pytest.raises(VecEnvError, match="indices"):
        env.set_attr("length", 2, indices=[0])


def test_a_vector_wrapper_does_not_hide_what_its_environment_declares():
    class Declares(SignEnv):
        amp_layout = {"channels": ["sign"]}  # noqa: RUF012

        def twice(self, number):
            return 2 * number

    env = GymnasiumVecEnv(RecordEpisodeStatistics(Declares(2)))
    assert amp_layout(env) == Declares.amp_layout
    assert env.get_attr("amp_layout") == [Declares.amp_layout] * 2 and not env.has_attr("wheels")
    assert env.env_method("twice", 4) == [8, 8]


def test_a_vector_wrapper_does_not_hide_the_environments_themselves():
    raw = SyncVectorEnv([lambda: AMPInfo(Counter())] * 2, autoreset_mode=AutoresetMode.SAME_STEP)
    raw.metadata["render_fps"] = 50
    env = GymnasiumVecEnv(RecordEpisodeStatistics(raw))
    env.set_attr("gain", 5.0, indices=[1])
    env.reset()
    assert env.step(zeros(env))[1].tolist() == [1.0, 5.0] and env.get_attr("gain") == [1.0, 5.0]
    assert env.env_method("has_wrapper_attr", "gain", indices=0) == [True]

    class Weighted(VectorWrapper):
        weight = 1.0

        def twice(self, number):
            return 2 * number * self.weight

    for outermost in (Weighted(raw), RecordEpisodeStatistics(Weighted(raw))):
        of_wrapper = GymnasiumVecEnv(outermost)
        of_wrapper.set_attr("weight", 0.5)
        assert of_wrapper.get_attr("weight") == [0.5, 0.5] and of_wrapper.env_method(
            "twice", 3
        ) == [3.0, 3.0]
    assert env.metadata["render_fps"] == 50


def test_async_vector_env_survives_a_question_about_a_missing_attribute():
    # Spawned, because forking a process in which JAX runs threads can deadlock.
    settings = {"autoreset_mode": AutoresetMode.SAME_STEP, "context": "spawn"}
    raw = gym.make_vec("Pendulum-v1", 2, vectorization_mode="async", vector_kwargs=settings)
    env = GymnasiumVecEnv(raw)
    env.reset()
    assert amp_layout(env) is None
    env.step(zeros(env))
    env.close()


def test_an_episode_end_without_final_observation_is_an_error():
    class Forgetful(ProbeEnv):
        def step(self, actions):
            *rest, infos = super().step(actions)
            infos.pop("final_obs")
            return *rest, infos

    env = GymnasiumVecEnv(Forgetful(2))
    env.reset()
    with pytest.raises(VecEnvError, match="final_obs"):
        env.step(np.zeros((2, 1)))
