"""Loading: complete round trips, resumed training, and what does not fit."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from laid_out import LAYOUT, LaidOut, amp_model
from probe_envs import REFERENCE, SMALL_AMP, ProbeEnv, StyleEnv, assert_trees_equal, make_model

from amp_sbx import AMPPPO, AMPConfig, CheckpointError, ConfigError, FeatureError, ReferenceFeatures


def test_acting_needs_nothing_but_the_file(trained, saved):
    loaded = AMPPPO.load(saved)
    obs = np.linspace(-1, 1, 5, dtype=np.float32)[:, None]
    again = AMPPPO.load(saved)
    np.testing.assert_array_equal(loaded.predict(obs)[0], again.predict(obs)[0])
    deterministic = [model.predict(obs, deterministic=True)[0] for model in (loaded, trained)]
    np.testing.assert_array_equal(*deterministic)
    np.testing.assert_array_equal(
        loaded.learner.rewards(REFERENCE), trained.learner.rewards(REFERENCE)
    )
    assert loaded.extra == {"run": "walk", "seed": 3} and loaded.layout == LAYOUT
    assert loaded.num_timesteps == 256 and loaded.amp == trained.amp
    assert loaded.adaptive_lr.current_adaptive_lr == trained.adaptive_lr.current_adaptive_lr


def test_state_of_everything_comes_back(trained, saved):
    loaded = AMPPPO.load(
        saved, env=LaidOut(8, length=4), reference=ReferenceFeatures(REFERENCE, layout=LAYOUT)
    )
    assert_trees_equal(loaded.policy.actor_state.opt_state, trained.policy.actor_state.opt_state)
    assert_trees_equal(loaded.policy.vf_state.params, trained.policy.vf_state.params)
    assert_trees_equal(loaded.learner.state, trained.learner.state)
    assert_trees_equal((loaded.key, loaded.policy.key), (trained.key, trained.policy.key))


@pytest.mark.parametrize("amp", [{}, {"critic": "separate"}])
def test_resumed_run_equals_an_uninterrupted_one(amp, tmp_path):
    """Each iteration ends at the start of an episode, as after the reset of a load."""
    steps = 16 * 8 * 2
    straight = amp_model(amp=amp).learn(steps)
    straight.save(tmp_path / "half.zip")
    straight.learn(steps, reset_num_timesteps=False)
    resumed = AMPPPO.load(tmp_path / "half.zip", env=LaidOut(8, length=4), reference=REFERENCE)
    resumed.learn(steps, reset_num_timesteps=False)
    assert resumed.num_timesteps == straight.num_timesteps == 2 * steps
    assert_trees_equal(resumed.get_parameters(), straight.get_parameters())
    assert_trees_equal(resumed.learner.state, straight.learner.state)
    assert ("style_critic" in resumed.get_parameters()) == bool(amp)


def test_learning_without_the_reference_is_refused(saved):
    loaded = AMPPPO.load(saved, env=LaidOut(8, length=4))
    with pytest.raises(Exception, match="reference="):
        loaded.learn(128)
    AMPPPO.load(saved, env=LaidOut(8, length=4), amp=None, n_epochs=1).learn(
        128
    )  # continues as plain PPO


def test_other_number_of_environments_and_overrides(saved):
    loaded = AMPPPO.load(
        saved,
        env=LaidOut(2, length=4),
        verbose=0,
        ent_coef=0.5,
        custom_objects={"lr_schedule": None},
    )
    assert loaded.n_envs == 2 and loaded.ent_coef == 0.5


def test_environments_that_do_not_fit(saved):
    class Wider(LaidOut):
        amp_layout = {"channels": ["a"], "frames": 2}  # noqa: RUF012

    for env in (StyleEnv(2), ProbeEnv(2, action_space=gym.spaces.Discrete(3))):
        with pytest.raises(CheckpointError, match="action_space differs"):
            AMPPPO.load(saved, env=env)
    with pytest.raises(CheckpointError, match="layouts differ"):
        AMPPPO.load(saved, env=Wider(2))


def test_reference_that_does_not_fit(saved):
    with pytest.raises(CheckpointError, match="have 2 columns, the reference has 5"):
        AMPPPO.load(saved, reference=np.tile(np.eye(5), (20, 1)))
    with pytest.raises(CheckpointError, match="layouts differ"):
        AMPPPO.load(saved, reference=ReferenceFeatures(REFERENCE, layout={"channels": []}))
    with pytest.raises(CheckpointError, match="policy_kwargs"):
        AMPPPO.load(saved, policy_kwargs={"net_arch": [3]})


@pytest.mark.parametrize(
    "other", [{"normalization": "none"}, {"activation": "tanh"}, {"target_fake": -1.0}]
)
def test_the_stored_discriminator_is_not_read_as_another(saved, other):
    with pytest.raises(
        CheckpointError,
        match=rf"amp\.{next(iter(other))}: file .* asked {next(iter(other.values()))!r}",
    ):
        AMPPPO.load(saved, amp=SMALL_AMP | other)


def test_a_full_replay_buffer_continues_in_a_larger_one(tmp_path):
    reference = ReferenceFeatures(REFERENCE, layout=LAYOUT)
    model = amp_model(amp={"replay_buffer_size": 30}, n_epochs=1).learn(
        16 * 8 * 13
    )  # a tenth each iteration
    old = model.learner.state.replay
    assert int(old.size) == 30 and int(old.position) != 0
    model.save(tmp_path / "model")
    larger = AMPConfig.from_dict(SMALL_AMP | {"replay_buffer_size": 200})
    new = AMPPPO.load(
        tmp_path / "model", env=LaidOut(8, length=4), reference=reference, amp=larger
    ).learner.state.replay
    assert int(new.size) == int(new.position) == 30
    oldest_first = np.roll(np.asarray(old.data), -int(old.position), axis=0)
    np.testing.assert_array_equal(np.asarray(new.data)[:30], oldest_first)


def test_unknown_arguments_of_load_are_refused(saved):
    with pytest.raises(ConfigError, match=r"'n_epoch'\. Did you mean 'n_epochs'") as raised:
        AMPPPO.load(saved, n_epoch=3)
    assert isinstance(raised.value, TypeError)


def test_arguments_of_load_win_over_the_file(saved):
    env = LaidOut(8, length=4)
    gentle = AMPPPO.load(saved, env=env, learning_rate=1e-5)
    assert gentle.adaptive_lr.current_adaptive_lr == 1e-5
    obs = np.zeros((50, 1), np.float32)
    first, again, stored = (
        AMPPPO.load(saved, env=env, **seed).predict(obs)[0]
        for seed in ({"seed": 1}, {"seed": 1}, {})
    )
    np.testing.assert_array_equal(first, again)
    assert (first != stored).any()
    AMPPPO.load(saved, symmetric_policy=False)
    with pytest.raises(CheckpointError, match="is none in the file, asked equivariant"):
        AMPPPO.load(saved, symmetric_policy=True)
    with pytest.raises(ConfigError, match="_init_setup_model"):
        AMPPPO.load(saved, _init_setup_model=False)


def test_another_critic_is_named(saved, tmp_path):
    with pytest.raises(
        CheckpointError, match=r"amp\.critic is 'shared' in the file, asked 'separate'"
    ):
        AMPPPO.load(saved, amp=SMALL_AMP | {"critic": "separate"})
    make_model(LaidOut(8, length=4)).save(tmp_path / "plain")
    settings = {
        "amp": SMALL_AMP | {"critic": "separate"},
        "reference": ReferenceFeatures(REFERENCE, layout=LAYOUT),
    }
    resumed = AMPPPO.load(tmp_path / "plain", env=LaidOut(8, length=4), n_epochs=1, **settings)
    assert resumed.learn(128).style_critic is not None


def test_an_environment_given_later_is_compared_with_the_reference(tmp_path):
    make_model(ProbeEnv(8), n_epochs=1).save(tmp_path / "plain")
    model = AMPPPO.load(
        tmp_path / "plain",
        amp=SMALL_AMP,
        reference=ReferenceFeatures(REFERENCE, layout={"channels": ["c"]}),
    )
    with pytest.raises(FeatureError, match="layouts differ"):
        model.set_env(LaidOut(8, length=4))
    model = AMPPPO.load(tmp_path / "plain", amp=SMALL_AMP, reference=REFERENCE)
    with pytest.raises(ValueError, match="Observation spaces"):
        model.set_env(
            gym.make_vec(
                "Pendulum-v1", 8, vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP}
            )
        )
    assert model.layout is None
    model.set_env(LaidOut(8, length=4))
    assert model.layout == LAYOUT
