"""Files: whole round trips, resuming as if never stopped, damage, foreign files, and a disk that is full."""

import errno
import io
import json
import warnings
import zipfile

import gymnasium as gym
import jax
import numpy as np
import pytest
import sbx
import stable_baselines3
from amp_probe_envs import (
    REFERENCE,
    SMALL_AMP,
    ProbeEnv,
    SignEnv,
    StyleEnv,
    assert_trees_equal,
    make_model,
)
from gymnasium.vector import AutoresetMode
from sbx.ppo.policies import PPOPolicy
from stable_baselines3.common.callbacks import CheckpointCallback

from amp_sbx import AMPPPO, AMPConfig, CheckpointError, ConfigError, FeatureError, ReferenceFeatures
from amp_sbx.common import archive as checkpoint
from amp_sbx.common.schedules import LinearSchedule
from amp_sbx.common.spaces import space_from_json, space_to_json

LAYOUT = {"channels": ["a", "b"], "frames": 1}


class LaidOut(ProbeEnv):
    """With a layout, and with features that do not count episodes: it is the same again after every reset."""

    amp_layout = LAYOUT

    def amp(self, obs, actions):
        return np.stack([self.steps, actions[:, 0]], axis=1).astype(np.float32)


def amp_model(env=None, **kwargs):
    reference = ReferenceFeatures(REFERENCE, layout=LAYOUT)
    amp = SMALL_AMP | kwargs.pop("amp", {})
    return make_model(env or LaidOut(8, length=4), amp=amp, reference=reference, **kwargs)


@pytest.fixture(scope="module")
def trained():
    return amp_model(learning_rate="lin_3e-3", target_kl=0.01).learn(16 * 8 * 2)


@pytest.fixture
def saved(trained, tmp_path):
    trained.save(tmp_path / "model", extra={"run": "walk", "seed": 3})
    return tmp_path / "model.zip"


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


def test_the_file_holds_json_and_plain_arrays_only(saved):
    with zipfile.ZipFile(saved) as archive:
        names = archive.namelist()
        meta = json.loads(archive.read("meta.json"))
        for name in names:
            if name == "data":  # what SB3 and SBX read
                assert json.loads(archive.read(name))["load_with"] == "amp_sbx.AMPPPO.load"
            elif name != "meta.json":
                np.load(io.BytesIO(archive.read(name)), allow_pickle=False)
    assert all(name in ("meta.json", "data") or name.endswith(".npy") for name in names)
    assert meta["policy_kwargs"]["activation_fn"] == "tanh"
    assert meta["hyperparameters"]["learning_rate"] == "lin_0.003"
    assert {"jax", "flax", "sbx_rl", "stable_baselines3", "python"} <= set(meta["versions"])


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
    """The probe is at an episode's start whenever an iteration ends, so its state agrees after the reset of a load."""
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
    AMPPPO.load(saved, env=LaidOut(8, length=4), amp=None, n_epochs=1).learn(128)  # on as plain PPO


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


def test_missing_truncated_and_foreign_files(tmp_path):
    saved = tmp_path / "model.zip"
    amp_model(amp={"normalization": "spectral"}, learning_rate="lin_3e-3", target_kl=0.01).learn(
        16 * 8 * 2
    ).save(saved, extra={"run": "walk", "seed": 3})
    with pytest.raises(CheckpointError, match="does not exist"):
        AMPPPO.load(tmp_path / "nothing")
    content = saved.read_bytes()
    for fraction in (0.0, 0.3, 0.99):
        (tmp_path / "cut.zip").write_bytes(content[: int(fraction * len(content))])
        with pytest.raises(CheckpointError, match="damaged"):
            AMPPPO.load(tmp_path / "cut.zip")
    refused, whole = 0, jax.tree.leaves(AMPPPO.load(saved).get_parameters())
    for place in np.linspace(0, len(content) - 1, 9).astype(int):
        flipped = bytearray(content)
        flipped[place] ^= 0xFF
        (tmp_path / "flipped.zip").write_bytes(flipped)
        try:  # a byte that says nothing, such as a file's date, may be any
            loaded = jax.tree.leaves(AMPPPO.load(tmp_path / "flipped.zip").get_parameters())
        except CheckpointError:
            refused += 1
        else:
            assert all(np.array_equal(one, two) for one, two in zip(whole, loaded, strict=True))
    assert refused >= 6
    (tmp_path / "random.zip").write_bytes(np.random.default_rng(0).bytes(1000))
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        AMPPPO.load(tmp_path / "random.zip")


def test_sbx_zip_is_refused_without_opening_its_pickles(tmp_path):
    sbx.PPO("MlpPolicy", "CartPole-v1", n_steps=8, batch_size=8).save(tmp_path / "stock")
    with pytest.raises(CheckpointError, match="SBX"):
        AMPPPO.load(tmp_path / "stock")


@pytest.mark.parametrize("library", [sbx.PPO, stable_baselines3.PPO], ids=["sbx", "sb3"])
def test_load_of_sb3_and_sbx_says_which_class_to_use(saved, library):
    """Its warning names the class, and the load fails without deserializing anything."""
    with (
        pytest.warns(UserWarning, match=r"this is an amp_sbx model: load it with amp_sbx.AMPPPO.l"),
        pytest.raises(KeyError, match="observation_space and action_space were not given"),
    ):
        library.load(saved)


def test_object_arrays_are_never_unpickled(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was opened",))

    stream = io.BytesIO()
    np.save(stream, np.array([Bomb()], dtype=object), allow_pickle=True)
    meta = {"format": checkpoint.FORMAT, "format_version": checkpoint.FORMAT_VERSION}
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w") as archive:
        archive.writestr("meta.json", json.dumps(meta))
        archive.writestr("arrays/actor/x.npy", stream.getvalue())
    with pytest.raises(CheckpointError):
        AMPPPO.load(tmp_path / "bomb.zip")


def test_incomplete_and_later_files(tmp_path):
    checkpoint.write(tmp_path / "empty.zip", {}, {})
    with pytest.raises(CheckpointError, match="incomplete"):
        AMPPPO.load(tmp_path / "empty.zip")
    with zipfile.ZipFile(tmp_path / "later.zip", "w") as archive:
        archive.writestr("meta.json", json.dumps({"format": "amp_sbx", "format_version": 99}))
    with pytest.raises(CheckpointError, match="version 99"):
        AMPPPO.load(tmp_path / "later.zip")


def test_a_description_edited_by_hand_is_refused(saved, tmp_path):
    meta, arrays = checkpoint.read(saved)
    told_only = {"algorithm", "versions", "format", "format_version"}
    for name in sorted(set(meta) - told_only):
        checkpoint.write(
            tmp_path / "edited.zip", {k: v for k, v in meta.items() if k != name}, arrays
        )
        with pytest.raises(CheckpointError, match="incomplete"):
            AMPPPO.load(tmp_path / "edited.zip")
    settings = {("gama" if k == "gamma" else k): v for k, v in meta["hyperparameters"].items()}
    checkpoint.write(tmp_path / "edited.zip", meta | {"hyperparameters": settings}, arrays)
    with pytest.raises(CheckpointError, match="missing or unknown: gama, gamma"):
        AMPPPO.load(tmp_path / "edited.zip")


def test_a_full_disk_keeps_the_old_file(trained, saved, monkeypatch):
    before = saved.read_bytes()
    original = np.lib.format.write_array
    calls = []

    def fill_up(*args, **kwargs):
        calls.append(1)
        if len(calls) > 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(*args, **kwargs)

    monkeypatch.setattr(np.lib.format, "write_array", fill_up)
    with pytest.raises(CheckpointError, match="No space left"):
        trained.save(saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]  # no temporary file left


def test_unwritable_places(trained, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CheckpointError, match="cannot write"):
        trained.save(tmp_path / "file" / "model.zip")
    with pytest.raises(CheckpointError, match="JSON"):
        trained.save(tmp_path / "model.zip", extra={"array": np.zeros(3)})
    assert not (tmp_path / "model.zip").exists()
    trained.save(tmp_path / "model.zip")  # what could not be stored is forgotten


def test_numbers_of_numpy_are_stored(tmp_path):
    settings = {
        "n_steps": np.int64(16),
        "batch_size": np.int32(32),
        "gamma": np.float32(0.5),
        "learning_rate": np.float64(1e-3),
    }
    model = make_model(
        SignEnv(2), **settings, tensorboard_log=tmp_path, clip_range=LinearSchedule(np.float64(0.2))
    )
    model.learn(np.int64(32)).save(tmp_path / "model")
    loaded = AMPPPO.load(tmp_path / "model")
    assert (loaded.n_steps, loaded.batch_size, loaded.gamma, loaded.learning_rate) == (
        16,
        32,
        0.5,
        1e-3,
    )
    assert (loaded.tensorboard_log, loaded.clip_range) == (str(tmp_path), LinearSchedule(0.2))


def test_what_cannot_be_stored_is_told_before_anything_is_learned():
    with pytest.warns(UserWarning, match="can learn, but not be saved: policy_kwargs"):
        make_model(
            SignEnv(2),
            batch_size=32,
            policy_kwargs={"net_arch": [16], "activation_fn": lambda x: x},
        )


@pytest.mark.parametrize(
    "other", [{"normalization": "none"}, {"activation": "tanh"}, {"target_fake": -1.0}]
)
def test_the_stored_discriminator_is_not_read_as_another(saved, other):
    with pytest.raises(
        CheckpointError,
        match=rf"amp\.{next(iter(other))}: file .* asked {next(iter(other.values()))!r}",
    ):
        AMPPPO.load(saved, amp=SMALL_AMP | other)


def test_a_full_replay_buffer_goes_on_in_a_larger_one(tmp_path):
    reference = ReferenceFeatures(REFERENCE, layout=LAYOUT)
    model = amp_model(amp={"replay_buffer_size": 30}, n_epochs=1).learn(
        16 * 8 * 13
    )  # a tenth each time
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
    with pytest.raises(ConfigError, match=r"'n_epoch'\. Did you mean 'n_epochs'"):
        AMPPPO.load(saved, n_epoch=3)


def test_callable_schedule_is_stored_as_its_present_value(tmp_path):
    model = make_model(SignEnv(2), learning_rate=lambda progress: 0.25 * progress, batch_size=32)
    with pytest.warns(UserWarning, match="learning_rate is a Python function"):
        model.save(tmp_path / "model")
    assert AMPPPO.load(tmp_path / "model").learning_rate == 0.25
    ended = make_model(
        SignEnv(2), clip_range_vf=lambda progress: 0.2 * progress, batch_size=32
    ).learn(50)
    with pytest.warns(UserWarning, match="clip_range_vf is a Python function"):
        ended.save(tmp_path / "ended")
    assert AMPPPO.load(tmp_path / "ended").clip_range_vf == 0.0


def test_streams_suffixes_and_checkpoint_callback(trained, tmp_path):
    stream = io.BytesIO()
    trained.save(stream)
    stream.seek(0)
    assert AMPPPO.load(stream).num_timesteps == trained.num_timesteps
    trained.save(tmp_path / "deep" / "model.ckpt")
    assert (tmp_path / "deep" / "model.ckpt").exists()
    callback = CheckpointCallback(save_freq=16, save_path=str(tmp_path / "runs"), name_prefix="rl")
    make_model(SignEnv(8)).learn(128, callback=callback)
    assert AMPPPO.load(tmp_path / "runs" / "rl_128_steps").num_timesteps == 128


def test_replay_buffer_can_be_left_out(trained, saved, tmp_path):
    trained.save(tmp_path / "small.zip", exclude=["replay_buffer"])
    assert int(AMPPPO.load(saved).learner.state.replay.size) > 0
    assert int(AMPPPO.load(tmp_path / "small.zip").learner.state.replay.size) == 0
    assert (tmp_path / "small.zip").stat().st_size < saved.stat().st_size


def test_get_and_set_parameters(trained, saved):
    other = amp_model(seed=9)
    other.set_parameters(trained.get_parameters())
    assert_trees_equal(other.get_parameters(), trained.get_parameters())
    another = amp_model(seed=10)
    another.set_parameters(str(saved))
    assert_trees_equal(another.get_parameters(), trained.get_parameters())
    given = trained.get_parameters()
    other.set_parameters(given)
    for array in given["actor"].values():
        array += 1.0  # the caller's own
    assert_trees_equal(other.get_parameters(), trained.get_parameters())
    part = {"actor": trained.get_parameters()["actor"]}
    with pytest.raises(CheckpointError, match="critic"):
        other.set_parameters(part)
    other.set_parameters(part, exact_match=False)
    part["actor"] = {name: array[:1] for name, array in part["actor"].items()}
    with pytest.raises(CheckpointError, match="shape"):
        other.set_parameters(part, exact_match=False)


def test_parameters_bring_what_normalizes_the_features(trained):
    other = make_model(
        LaidOut(8, length=4),
        amp=SMALL_AMP,
        reference=ReferenceFeatures(2 * REFERENCE + 1, layout=LAYOUT),
    )
    other.learn(128)
    assert int(other.learner.state.replay.size) > 0
    other.set_parameters(trained.get_parameters())
    np.testing.assert_array_equal(
        other.learner.rewards(REFERENCE), trained.learner.rewards(REFERENCE)
    )
    assert int(other.learner.state.replay.size) == 0  # its rows were normalised otherwise
    going_on = amp_model(seed=3).learn(128)
    going_on.set_parameters(trained.get_parameters())
    assert int(going_on.learner.state.replay.size) > 0


def test_parameters_leave_the_schedules_mask(trained):
    named = ReferenceFeatures(REFERENCE, layout={"channels": [["a", 1], ["b", 1]]})
    amp = SMALL_AMP | {"reintroduce": [{"channels": ["b"], "at": 1e6}]}
    waiting = make_model(ProbeEnv(8), amp=amp, reference=named)
    assert waiting.learner.state.mask.tolist() == [1.0, 0.0]
    waiting.set_parameters(trained.get_parameters())
    assert waiting.learner.state.mask.tolist() == [1.0, 0.0]
    trained_again = amp_model(seed=3)
    trained_again.set_parameters(waiting.get_parameters())
    assert trained_again.learner.state.mask.tolist() == [1.0, 1.0]


def test_parameters_of_networks_that_compute_something_else(trained, saved):
    """Each fits by its shapes."""
    relu = amp_model(policy_kwargs={"net_arch": [16], "activation_fn": "relu"})
    with pytest.raises(CheckpointError, match="another activation_fn"):
        relu.set_parameters(saved)
    other = amp_model(amp={"normalization": "none"})
    with pytest.raises(CheckpointError, match=r"amp\.normalization: file 'layer'"):
        other.set_parameters(saved)
    with pytest.raises(CheckpointError, match="no array discriminator/params/LayerNorm_0"):
        other.set_parameters(trained.get_parameters())


def test_parameters_of_a_policy_class_of_ones_own(tmp_path):
    class Own(PPOPolicy):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)

    own = AMPPPO(Own, SignEnv(8), n_steps=16)
    own.save(tmp_path / "own")
    AMPPPO(Own, SignEnv(8), n_steps=16, seed=1).set_parameters(tmp_path / "own")
    relu = AMPPPO(Own, SignEnv(8), n_steps=16, policy_kwargs={"activation_fn": "relu"})
    with pytest.raises(CheckpointError, match="another activation_fn"):
        relu.set_parameters(tmp_path / "own")


def test_parameters_of_other_features(saved):
    foreign = make_model(
        ProbeEnv(8),
        amp=SMALL_AMP,
        reference=ReferenceFeatures(REFERENCE, layout={"channels": ["c"]}),
    )
    with pytest.raises(CheckpointError, match="layouts differ"):
        foreign.set_parameters(saved)


def test_what_is_asked_for_at_loading_is_not_overruled(saved):
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
    with pytest.raises(CheckpointError, match="symmetric_policy is False in the file, asked True"):
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
    going_on = AMPPPO.load(tmp_path / "plain", env=LaidOut(8, length=4), n_epochs=1, **settings)
    assert going_on.learn(128).style_critic is not None


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


@pytest.mark.parametrize(
    "space",
    [
        gym.spaces.Box(-np.inf, np.inf, (3,), np.float32),
        gym.spaces.Box(np.array([-0.1, 0.3], np.float32), np.array([1 / 3, np.inf], np.float32)),
        gym.spaces.Box(0, 255, (2, 2), np.uint8),
        gym.spaces.Discrete(4, start=2),
        gym.spaces.MultiDiscrete([2, 5]),
        gym.spaces.MultiDiscrete([2, 5], np.int32, start=[1, -3]),
        gym.spaces.MultiBinary(3),
    ],
)
def test_spaces_round_trip_through_json(space):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (
            space_from_json(json.loads(json.dumps(space_to_json(space), allow_nan=False))) == space
        )
