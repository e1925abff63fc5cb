"""Mirror augmentation: the reflection is checked, applied to half of a minibatch, and makes a policy symmetric."""

import gymnasium as gym
import jax.numpy as jnp
import numpy as np
import pytest
from amp_probe_envs import ProbeEnv, make_model
from gymnasium.vector.utils import batch_space

from amp_sbx.errors import ConfigError
from amp_sbx.symmetry import Mirror
from amp_sbx.update import Batch, mirror_image

MIRROR = {"obs_ids": [0, 1], "obs_signs": [-1.0, 1.0], "action_ids": [0], "action_signs": [-1.0]}


class OneSidedEnv(ProbeEnv):
    """The observation is always (1, 1), the best action 0.5: a symmetric policy does -0.5 at (-1, 1), never seen."""

    mirror = MIRROR

    def __init__(self):
        super().__init__()
        self.single_observation_space = gym.spaces.Box(-10, 10, (2,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)

    def start(self):
        return np.ones((self.num_envs, 2), np.float32)

    def reward(self, obs, actions):
        return -np.square(actions[:, 0] - 0.5)


def test_mirror_image_golden():
    """Reflected observations and actions with the log probabilities the policy gives them; all else stays."""
    model = make_model(OneSidedEnv())
    batch = Batch(
        observations=jnp.array([[1.0, 2.0], [3.0, 4.0]]),
        actions=jnp.array([[0.1], [0.2]]),
        **dict.fromkeys(("old_values", "old_log_probs", "advantages", "returns"), jnp.array([5.0, 6.0])),
    )
    actor = model.policy.actor_state
    image = mirror_image(Mirror((1, 0), (-1.0, -1.0), (0,), (-1.0,)), actor, batch)
    np.testing.assert_array_equal(image.observations, [[-2.0, -1.0], [-4.0, -3.0]])
    np.testing.assert_allclose(image.actions, [[-0.1], [-0.2]])
    for name in ("old_values", "advantages", "returns"):
        np.testing.assert_array_equal(getattr(image, name), [5.0, 6.0])
    log_probs = actor.apply_fn(actor.params, image.observations).log_prob(image.actions)
    np.testing.assert_allclose(image.old_log_probs, log_probs)


@pytest.mark.parametrize(
    "broken",
    [{"obs_ids": [1, 1]}, {"obs_signs": [0.5, 1.0]}, {"action_ids": [0, 1]}, {"action_signs": []}],
)
def test_a_map_that_is_no_reflection_is_refused(broken):
    env = OneSidedEnv()
    env.mirror = MIRROR | broken
    with pytest.raises(ConfigError, match="no reflection"):
        make_model(env, symmetry_augmentation=True)


def test_an_environment_without_a_mirror_is_refused():
    with pytest.raises(ConfigError, match="declares no `mirror`"):
        make_model(ProbeEnv(), symmetry_augmentation=True)


def test_asymmetry_is_no_divergence():
    """Where nothing is learnt the KL divergence, which sets the learning rate, is 0, however asymmetric the policy is."""
    model = make_model(OneSidedEnv(), symmetry_augmentation=True, learning_rate=1e-10, policy_kwargs={"log_std_init": -4.0})
    seen, image = model.predict(np.array([[1, 1], [-1, 1]], np.float32), deterministic=True)[0][:, 0]
    assert abs(seen + image) > 0.1  # against a spread of 0.02
    model.learn(64 * 8)
    assert model.logger.name_to_value["train/approx_kl"] == pytest.approx(0.0, abs=1e-5)
    assert model.logger.name_to_value["train/clip_fraction"] == 0.0


@pytest.mark.parametrize("augment", [True, False])
def test_the_policy_becomes_symmetric_only_with_augmentation(augment):
    model = make_model(OneSidedEnv(), symmetry_augmentation=augment, policy_kwargs={"ortho_init": True})
    model.learn(64 * 8 * 16)
    seen, image = model.predict(np.array([[1, 1], [-1, 1]], np.float32), deterministic=True)[0][:, 0]
    assert seen == pytest.approx(0.5, abs=0.15)
    assert (abs(image + 0.5) < 0.15) == augment
