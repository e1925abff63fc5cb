"""Symmetric policies and symmetric AMP: checked, stored, and true from the start."""

import re

import gymnasium as gym
import jax.numpy as jnp
import numpy as np
import pytest
import tensorflow_probability.substrates.jax as tfp
from gymnasium.vector.utils import batch_space
from probe_envs import ProbeEnv, assert_trees_equal, make_model
from stable_baselines3.common.vec_env import VecNormalize

from amp_sbx import AMPPPO, AMPConfig, GymnasiumVecEnv, ReferenceFeatures
from amp_sbx.algorithm.symmetry import DEFAULT_WAY, WAYS, SymmetricActor, parse_way
from amp_sbx.common.errors import CheckpointError, ConfigError
from amp_sbx.common.mirror import Mirror
from amp_sbx.discriminator.health import WARM_UP
from amp_sbx.discriminator.learner import AMPLearner
from amp_sbx.discriminator.verdict import Verdict

MIRROR = {"obs_ids": [0, 1], "obs_signs": [-1.0, 1.0], "action_ids": [0], "action_signs": [-1.0]}


class OneSidedEnv(ProbeEnv):
    """The observation is always (1, 1), the best action 0.5. (-1, 1) is never seen."""

    mirror = MIRROR

    def __init__(self):
        super().__init__()
        self.single_observation_space = gym.spaces.Box(-10, 10, (2,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)

    def start(self):
        return np.ones((self.num_envs, 2), np.float32)

    def reward(self, obs, actions):
        return -np.square(actions[:, 0] - 0.5)


IMAGES = np.array([[1, 1], [-1, 1]], np.float32)  # each the other's mirror image


@pytest.mark.parametrize("way", WAYS)
def test_a_new_policy_and_its_spread_are_symmetric(way):
    """Mean and log probability at an image are mirrored, unless the policy is not symmetric."""
    symmetric = way != "none"
    model = make_model(OneSidedEnv(), symmetric_policy=way)
    actor = model.policy.actor_state
    distribution = actor.apply_fn(actor.params, jnp.array(IMAGES))
    here, there = np.asarray(distribution.mode())[:, 0]
    assert (abs(here + there) < 1e-6) == symmetric
    first, second = np.asarray(distribution.log_prob(jnp.array([[0.3], [-0.3]])))
    assert (abs(first - second) < 1e-5) == symmetric


def test_true_and_false_are_names_too():
    assert parse_way(True) == DEFAULT_WAY and parse_way(False) == "none"
    with pytest.raises(ConfigError, match="'both'; allowed: none, mean, equivariant"):
        make_model(OneSidedEnv(), symmetric_policy="both")


def test_symmetric_actor_golden():
    """Mean (3 x, y), spreads (1, 4), and a reflection that swaps actions and negates x."""
    mirror = Mirror((0, 1), (-1.0, 1.0), (1, 0), (1.0, 1.0))

    def network(params, observations):
        return tfp.distributions.MultivariateNormalDiag(
            observations * jnp.array([3.0, 1.0]), jnp.array([1.0, 4.0])
        )

    answer = SymmetricActor(network, mirror)({}, jnp.array([[2.0, 5.0]]))
    # Here (6, 5); at the image (-2, 5) it is (-6, 5), mirrored back (5, -6).
    np.testing.assert_allclose(answer.mode(), [[5.5, -0.5]])
    np.testing.assert_allclose(answer.stddev(), [[2.0, 2.0]])


@pytest.mark.parametrize(
    "broken",
    [{"obs_ids": [1, 1]}, {"obs_signs": [0.5, 1.0]}, {"action_ids": [0, 1]}, {"action_signs": []}],
)
def test_a_map_that_is_no_reflection_is_refused(broken):
    env = OneSidedEnv()
    env.mirror = MIRROR | broken
    with pytest.raises(ConfigError, match="no reflection"):
        make_model(env, symmetric_policy=True)


def test_an_environment_without_a_mirror_is_refused():
    with pytest.raises(ConfigError, match="declares no `mirror`"):
        make_model(ProbeEnv(), symmetric_policy=True)


def test_normalized_observations_are_refused():
    normalized = VecNormalize(GymnasiumVecEnv(OneSidedEnv()))
    with pytest.raises(ConfigError, match="norm_obs=False"):
        make_model(normalized, symmetric_policy=True)
    with pytest.raises(ConfigError, match="norm_obs=False"):
        make_model(normalized).clone_behavior(IMAGES, IMAGES[:, :1])
    make_model(VecNormalize(GymnasiumVecEnv(OneSidedEnv()), norm_obs=False), symmetric_policy=True)


@pytest.mark.parametrize("way", ["mean", "equivariant"])
def test_what_is_learned_on_one_side_is_known_on_the_other(tmp_path, way):
    model = make_model(OneSidedEnv(), symmetric_policy=way, policy_kwargs={"ortho_init": True})
    model.learn(64 * 8 * 16)
    seen, image = model.predict(IMAGES, deterministic=True)[0][:, 0]
    assert seen == pytest.approx(0.5, abs=0.15)
    assert image == pytest.approx(-seen, abs=1e-6)
    model.save(tmp_path / "model.zip")
    for env in (None, OneSidedEnv()):
        np.testing.assert_array_equal(
            AMPPPO.load(tmp_path / "model.zip", env=env).predict(IMAGES, deterministic=True)[0][
                :, 0
            ],
            [seen, image],
        )
    parts = model.get_parameters()
    asymmetric = make_model(OneSidedEnv())
    with pytest.raises(CheckpointError, match="differ in symmetric_policy"):
        asymmetric.set_parameters(tmp_path / "model.zip")
    model.set_parameters(tmp_path / "model.zip")
    assert_trees_equal(model.get_parameters(), parts)
    other = OneSidedEnv()
    other.mirror = MIRROR | {"obs_signs": [1.0, -1.0]}
    with pytest.raises(CheckpointError, match="mirror is another"):
        AMPPPO.load(tmp_path / "model.zip", env=other)
    with pytest.raises(ConfigError, match="`mirror` is another"):
        model.set_env(other)


AMP_MIRROR = {"amp_ids": [1, 0], "amp_signs": [-1.0, -1.0]}
ONE_SIDED = (
    np.random.default_rng(0).normal([2.0, 0.0], 0.3, (500, 2)).astype(np.float32)
)  # its image lies at (0, -2)


def scores_apart(symmetry):
    """Score difference and AUC of a reference and a policy that only does its mirror image."""
    config = AMPConfig(
        symmetry=symmetry,
        batch_size=128,
        discriminator_hidden=(32,),
        update_steps=10,
        disc_lr=1e-2,
        disc_input_noise_std=0.0,
    )
    learner = AMPLearner(config, ReferenceFeatures(ONE_SIDED), mirror=AMP_MIRROR)
    policy = -ONE_SIDED[:, ::-1]
    gaps, areas = [], []
    for _ in range(30):
        areas.append(learner.update(policy)["disc_auc"])
        gaps.append(learner.scores(ONE_SIDED).mean() - learner.scores(policy).mean())
    # One update's gap swings by a tenth; the mean over the last ten does not.
    return float(np.mean(gaps[-10:])), float(np.mean(areas[-10:]))


@pytest.mark.slow
def test_with_symmetry_the_mirror_image_of_the_reference_is_as_good_as_the_reference():
    gap, area = scores_apart(True)
    assert abs(gap) < 0.1 and area == pytest.approx(0.5, abs=0.06)
    gap, area = scores_apart(False)
    assert gap > 0.6 and area > 0.99


def test_the_reference_and_its_images_have_a_symmetric_normalizer_and_are_held_out_together():
    motions = np.repeat(np.arange(5), 100)
    config = AMPConfig(
        symmetry=True, batch_size=64, discriminator_hidden=(8,), held_out_fraction=0.2
    )
    learner = AMPLearner(
        config, ReferenceFeatures(ONE_SIDED, motion_ids=motions), mirror=AMP_MIRROR
    )
    mean, std = np.asarray(learner.state.normalizer.mean), np.asarray(learner.state.normalizer.std)
    np.testing.assert_allclose(-mean[::-1], mean, atol=1e-6)
    np.testing.assert_allclose(std[::-1], std, rtol=1e-6)
    assert learner.sampler.features.shape == (
        800,
        2,
    ) and learner.sampler.held_out.features.shape == (200, 2)
    without_ids = AMPLearner(config, ReferenceFeatures(ONE_SIDED), mirror=AMP_MIRROR)
    for sampler in (learner.sampler, without_ids.sampler):
        learned, away = (
            {tuple(row) for row in np.round(rows, 3).tolist()}
            for rows in (sampler.features, sampler.held_out.features)
        )
        for rows in (learned, away):
            assert {(-b, -a) for a, b in rows} == rows  # each with its image
        assert not learned & away


def test_a_dead_channel_is_seen_though_half_of_the_samples_are_mirrored():
    """Half of the samples are mirrored and show the partner's values; the column itself is 0."""
    rng = np.random.default_rng(1)
    reference = ReferenceFeatures(rng.normal(0.5, 0.4, (3000, 2)))
    config = AMPConfig(
        symmetry=True, batch_size=64, discriminator_hidden=(8,), replay_buffer_size=100
    )
    learner = AMPLearner(config, reference, mirror={"amp_ids": [1, 0], "amp_signs": [1.0, 1.0]})
    policy = rng.normal(0.5, 0.4, (500, 2)) * [0.0, 1.0]
    for _ in range(WARM_UP):
        assessment = learner.health.update(learner.update(policy))
    assert assessment.verdict is Verdict.FEATURE_MISMATCH
    found_text = re.match(
        r"column 0 alone gives AUC (0\.\d\d); the policy's values are always 0,", assessment.reason
    )
    assert float(found_text[1]) == pytest.approx(0.894, abs=0.04)  # Phi(0.5 / 0.4)


def test_a_model_learns_with_symmetry_by_the_environments_reflection(tmp_path):
    env = OneSidedEnv()
    env.mirror = MIRROR | AMP_MIRROR
    amp = {
        "symmetry": True,
        "held_out_fraction": 0.0,
        "batch_size": 64,
        "discriminator_hidden": [8],
        "replay_buffer_size": 256,
    }
    model = make_model(env, amp=amp, reference=ReferenceFeatures(ONE_SIDED))
    model.learn(16 * 8 * 2)
    assert model.learner.sampler.features.shape == (1000, 2)
    assert np.isfinite(model.logger.name_to_value["amp/disc_auc"])
    model.save(tmp_path / "model")
    assert AMPPPO.load(tmp_path / "model").learner is not None
    with pytest.raises(ConfigError, match="give env= together with reference="):
        AMPPPO.load(tmp_path / "model", reference=ReferenceFeatures(ONE_SIDED))


@pytest.mark.parametrize("mirror", [None, {}, MIRROR, {"amp_ids": [0, 0], "amp_signs": [1.0, 1.0]}])
def test_symmetry_without_a_reflection_of_the_features_is_refused(mirror):
    config = AMPConfig(symmetry=True, batch_size=64)
    with pytest.raises(ConfigError, match=r"amp\.symmetry is on|no reflection of its amp space"):
        AMPLearner(config, ReferenceFeatures(ONE_SIDED), mirror=mirror)
