"""`critic_obs=True`: the critic sees what the policy does not."""

import numpy as np
import pytest
from critic_envs import (
    Counting,
    HiddenEnv,
    HiddenGoal,
    Redundant,
    Still,
    Swapped,
    copy_of_learner,
    values_of,
)
from functional_envs import ITERATION, assert_close, point_model
from gymnasium.vector import SyncVectorEnv
from gymnasium.wrappers.vector import TransformObservation
from probe_envs import REFERENCE, SMALL_AMP, ProbeEnv, assert_trees_equal, make_model
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from amp_sbx import (
    AMPPPO,
    ConfigError,
    GymnasiumVecEnv,
)
from amp_sbx.common import archive
from amp_sbx.common.critic_infos import critic_observations
from amp_sbx.common.functional_vector_env import FunctionalVectorEnv

HIDDEN, REDUNDANT, STILL = HiddenGoal(), Redundant(), Still()
"""One environment each, so that all models here share their compiled programs."""
AMP = {"amp": SMALL_AMP | {"critic": "separate"}, "reference": REFERENCE, "clip_range_vf": 0.5}
LOOPS = ("host", "fused")


def test_a_critic_that_sees_the_coin_knows_the_value_through_time_outs():
    """V = 5 with heads and -5 with tails. The next episode's coin at a time-out would give 4."""
    env = HiddenEnv(8, length=4, truncate=True)
    model = make_model(env, gamma=0.8, learning_rate=2e-2, critic_obs=True)
    model.learn(ITERATION * 60)
    np.testing.assert_allclose(values_of(model, [[0, 1], [0, -1]]), [5, -5], atol=0.3)
    assert model.logger.name_to_value["train/value_loss"] < 0.05
    assert model.logger.name_to_value["train/explained_variance"] > 0.98


def test_a_critic_that_sees_the_observation_alone_does_not():
    model = make_model(HiddenEnv(8, length=4, truncate=True), gamma=0.8, learning_rate=2e-2)
    model.learn(ITERATION * 60)
    assert model.logger.name_to_value["train/value_loss"] > 2.0
    assert abs(values_of(model, [[0.0]]).item()) < 3.0


def test_a_critic_that_sees_the_same_learns_the_same_bit_for_bit():
    """Equal networks and keys: so every array reaches the critic where it belongs."""
    plain, own = (
        point_model(REDUNDANT, collect="host", critic_obs=flag, **AMP) for flag in (False, True)
    )
    own.set_parameters(plain.get_parameters())
    own.key, own.policy.key, own.policy.noise_key = (
        plain.key,
        plain.policy.key,
        plain.policy.noise_key,
    )
    own.learner.restore(copy_of_learner(plain))
    for model in (plain, own):
        model.learn(3 * ITERATION)
    assert_trees_equal(plain.get_parameters(), own.get_parameters())


@pytest.fixture(scope="module")
def both():
    """A model by each loop, after the same iterations."""
    return {
        collect: point_model(HIDDEN, collect=collect, critic_obs=True, **AMP).learn(3 * ITERATION)
        for collect in LOOPS
    }


def test_both_loops_learn_the_same(both):
    assert both["fused"].fused and not both["host"].fused
    assert_close(both["host"], both["fused"])
    np.testing.assert_allclose(
        both["host"]._last_critic_obs, both["fused"]._last_critic_obs, atol=1e-5
    )
    for model in both.values():
        np.testing.assert_array_equal(model._last_critic_obs[:, :1], model._last_obs)


def test_time_outs_are_bootstrapped_from_the_terminal_one(both):
    wrong = point_model(Swapped(), collect="host", critic_obs=True, **AMP).learn(3 * ITERATION)
    with pytest.raises(AssertionError):
        assert_close(both["host"], wrong)


def test_loops_can_change_between_iterations(both):
    """One more rollout on the host begins with what the fused loop left for the critic."""
    model = both["fused"]
    assert model.collect_amp_observations().shape == (ITERATION, 2)
    model.learn(ITERATION, reset_num_timesteps=False)
    assert model.num_timesteps == 4 * ITERATION


def vector_env(kind):
    """Counting environments with episodes of three steps, seen by SB3."""
    makers = [Counting] * 2
    if kind == "dummy":
        return DummyVecEnv(makers)
    if kind == "wrapped":
        return VecNormalize(GymnasiumVecEnv(SyncVectorEnv(makers)), norm_obs=False)
    env = SyncVectorEnv(makers)
    if kind == "disabled":  # Gymnasium's observation wrappers refuse SAME_STEP
        env = TransformObservation(env, lambda obs: obs)
    return GymnasiumVecEnv(env)


@pytest.mark.parametrize("kind", ["dummy", "sync", "disabled", "wrapped"])
def test_it_belongs_to_the_observations_beside_it(kind):
    """Also where an episode began, and the terminal one is in the ended episode's info."""
    env = vector_env(kind)
    obs, infos, begun = env.reset(), [{}] * 2, np.ones(2, bool)
    for step in range(8):
        seen = critic_observations(env, infos, begun, 2)
        np.testing.assert_array_equal(seen, [[step // 3, step % 3]] * 2)
        np.testing.assert_array_equal(seen[:, 1:], obs)
        obs, _, begun, infos = env.step(np.zeros((2, 1), np.float32))
        assert begun.all() == (step % 3 == 2)
        for info in infos if begun.all() else ():
            np.testing.assert_array_equal(info["critic_obs"], [step // 3, 3])
            np.testing.assert_array_equal(info["terminal_observation"], [3])
    env.close()


def test_every_adapter_trains_the_same():
    """SB3's own environments, and Gymnasium's in both modes of restarting."""
    models = [
        make_model(vector_env(kind), critic_obs=True, batch_size=32).learn(64)
        for kind in ("dummy", "sync", "disabled")
    ]
    for other in models[1:]:
        assert_trees_equal(models[0].get_parameters(), other.get_parameters())


def test_an_equivariant_critic_values_images_of_what_it_sees_equally():
    seen = np.array([[0.3, -0.2], [-0.3, 0.2]])
    settings = {"critic_obs": True, "symmetric_policy": "equivariant", **AMP}
    model = point_model(HIDDEN, **settings).learn(ITERATION)
    values = values_of(model, seen)
    np.testing.assert_allclose(values[0], values[1], atol=1e-6)
    style = model.style_critic
    np.testing.assert_allclose(*style.apply_fn(style.params, seen.astype(np.float32)), atol=1e-6)
    plain = values_of(point_model(HIDDEN, critic_obs=True, symmetric_policy="mean"), seen)
    assert abs(plain[0] - plain[1]) > 1e-3
    other = point_model(HIDDEN, **settings)  # equal models share their compiled functions
    assert other.policy.vf_state.apply_fn == model.policy.vf_state.apply_fn


@pytest.mark.parametrize(("collect", "symmetric"), [("host", "none"), ("fused", "equivariant")])
def test_a_resumed_model_equals_one_that_never_stopped(collect, symmetric, tmp_path):
    """Each iteration ends with an episode, as after the reset of a load."""
    settings = {"critic_obs": True, "symmetric_policy": symmetric, "collect": collect}
    straight = point_model(STILL, **settings, **AMP).learn(2 * ITERATION)
    straight.save(tmp_path / "half")
    straight.learn(2 * ITERATION, reset_num_timesteps=False)
    points = FunctionalVectorEnv(STILL, 8)
    resumed = AMPPPO.load(tmp_path / "half", env=points, reference=REFERENCE, collect=collect)
    assert resumed.critic_obs and resumed.critic_inputs == straight.critic_inputs
    resumed.learn(2 * ITERATION, reset_num_timesteps=False)
    assert_trees_equal(resumed.get_parameters(), straight.get_parameters())
    assert_trees_equal(resumed.style_critic, straight.style_critic)


def test_acting_needs_nothing_of_the_critic(tmp_path):
    model = make_model(HiddenEnv(8, length=4), critic_obs=True).learn(ITERATION)
    model.save(tmp_path / "model")
    loaded = AMPPPO.load(tmp_path / "model")
    obs = np.linspace(-1, 1, 5, dtype=np.float32)[:, None]
    np.testing.assert_array_equal(*(m.predict(obs, deterministic=True)[0] for m in (model, loaded)))
    np.testing.assert_array_equal(
        *(values_of(m, [[0, 1], [0, -1], [1, 1]]) for m in (model, loaded))
    )
    acting = AMPPPO.load(tmp_path / "model", env=ProbeEnv(8, length=4))
    acting.predict(acting.env.reset())
    with pytest.raises(ConfigError, match=r"sees 2 columns .* the environment gives none"):
        acting.learn(ITERATION)


def test_files_from_before_still_load(tmp_path):
    """They say nothing of the critic."""
    model = make_model(HiddenEnv(8))
    model.save(tmp_path / "model")
    meta, arrays = archive.read(tmp_path / "model.zip")
    del meta["critic"]
    archive.write(tmp_path / "old.zip", meta, arrays)
    loaded = AMPPPO.load(tmp_path / "old.zip", env=ProbeEnv(8))
    assert not loaded.critic_obs and loaded.critic_inputs is None
    assert_trees_equal(loaded.get_parameters(), model.get_parameters())


def test_behavior_cloning_leaves_the_critic_alone():
    model = make_model(HiddenEnv(8), critic_obs=True)
    before = model.get_parameters()["critic"]
    observations = np.linspace(-1, 1, 64, dtype=np.float32)[:, None]
    model.clone_behavior(observations, 0.5 * observations, {"steps": 300, "batch_size": 32})
    assert_trees_equal(before, model.get_parameters()["critic"])
    action, _ = model.predict(np.array([[0.8]], np.float32), deterministic=True)
    assert action.item() == pytest.approx(0.4, abs=0.15)
