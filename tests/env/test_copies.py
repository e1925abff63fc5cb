"""Seeds of single environments, and copies of environments."""

import copy
import pickle

import gymnasium as gym
import numpy as np
import pytest

from wildrobot_gym.errors import ConfigError

ACTIONS = np.random.default_rng(0).uniform(-0.3, 0.3, (6, 3, 9)).astype(np.float32)
SETTINGS = {"max_episode_steps": 4, "randomization": {"link_mass": [0.9, 1.1]}}


def make(backend: str = "native"):
    return gym.make_vec("WildRobot-v0", 3, backend=backend, **SETTINGS)


def episode(env, actions=ACTIONS) -> list[np.ndarray]:
    return [part for action in actions for part in env.step(action)[:4]]


def same(one, two) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def test_a_list_of_seeds_is_one_for_each_environment():
    env = make()
    obs, _ = env.reset(seed=[7, 3, 7])
    singles = gym.vector.SyncVectorEnv(
        [lambda: gym.make("WildRobot-v0", **SETTINGS)] * 3,
        autoreset_mode=gym.vector.AutoresetMode.NEXT_STEP,
    )
    first, _ = singles.reset(seed=[7, 3, 7])
    np.testing.assert_array_equal(obs, first)
    np.testing.assert_array_equal(obs[0], obs[2])
    assert (obs[0] != obs[1]).any()
    # Their later episodes follow from the same streams.
    assert same(episode(env), episode(singles))


def test_an_environment_without_a_seed_goes_on():
    env, other = make(), make()
    env.reset(seed=1), other.reset(seed=1)
    seeded, _ = env.reset(seed=[5, None, 5])
    plain, _ = other.reset()
    np.testing.assert_array_equal(seeded[1], plain[1])
    assert (seeded[0] != plain[0]).any()


@pytest.mark.parametrize("seed", [-1, [1, 2], [1, 2, -3], 1.5, "x", True, [1, 2, 3.0], [[1], 2, 3]])
def test_other_seeds_are_refused(seed):
    env = make()
    with pytest.raises(ConfigError, match=r"seed is .* allowed: a whole number of 0 or more"):
        env.reset(seed=seed)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
@pytest.mark.parametrize("backend", ["native", "native-jax"])
def test_a_copy_continues_bit_for_bit(copied, backend):
    env = make(backend=backend)
    env.reset(seed=0)
    env.unwrapped.set_commands(vx=0.4)
    episode(env, ACTIONS[:3])
    twin = copied(env)
    assert same(episode(env), episode(twin))
    np.testing.assert_array_equal(twin.unwrapped.command[:, 0], np.float32(0.4))
    assert twin.spec == env.spec


def test_a_copy_of_one_robot_with_its_wrappers():
    env = gym.make("WildRobot-v0", max_episode_steps=5)
    twin = copy.deepcopy(env)  # which has not begun yet
    assert np.array_equal(env.reset(seed=3)[0], twin.reset(seed=3)[0])
    env.step(ACTIONS[0, 0])
    twin = copy.deepcopy(env)
    for action in ACTIONS[1:, 0]:
        one, two = env.step(action), twin.step(action)
        assert same(one[:4], two[:4])
    assert one[3]  # the wrapper's time limit was copied, too
