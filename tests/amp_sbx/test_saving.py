"""Files: what they hold, what cannot be stored, and a full disk."""

import errno
import io
import json
import warnings
import zipfile

import gymnasium as gym
import numpy as np
import pytest
from probe_envs import SignEnv, make_model
from stable_baselines3.common import utils as sb3
from stable_baselines3.common.callbacks import CheckpointCallback

from amp_sbx import AMPPPO, CheckpointError
from amp_sbx.common.schedules import LinearSchedule
from amp_sbx.common.spaces import space_from_json, space_to_json


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
    trained.save(tmp_path / "model.zip")  # the failed extra is not kept


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


def test_what_cannot_be_stored_is_announced_before_training():
    with pytest.warns(UserWarning, match="can learn, but not be saved: policy_kwargs"):
        make_model(
            SignEnv(2),
            batch_size=32,
            policy_kwargs={"net_arch": [16], "activation_fn": lambda x: x},
        )


def test_schedules_are_stored_by_name_and_value(tmp_path):
    """At the end of training as at its start: the present value would be 0."""
    schedules = {
        "learning_rate": sb3.FloatSchedule(sb3.LinearSchedule(4e-3, 1e-3, 0.5)),
        "clip_range": sb3.ConstantSchedule(0.1),
        "clip_range_vf": "lin_0.3",
    }
    model = make_model(SignEnv(2), batch_size=32, **schedules).learn(64)
    model.save(tmp_path / "model")
    loaded = AMPPPO.load(tmp_path / "model")
    assert loaded.learning_rate == LinearSchedule(4e-3, 1e-3, 0.5)
    assert (loaded.clip_range, loaded.clip_range_vf) == (0.1, LinearSchedule(0.3))
    assert [loaded.lr_schedule(p) for p in (1.0, 0.75, 0.5, 0.0)] == pytest.approx(
        [model.lr_schedule(p) for p in (1.0, 0.75, 0.5, 0.0)]
    )
    assert loaded.lr_schedule(1.0) == 4e-3


def test_a_function_is_refused_before_it_is_lost(tmp_path):
    model = make_model(SignEnv(2), learning_rate=lambda progress: 0.01 * progress**2, batch_size=32)
    with pytest.warns(UserWarning, match="can learn, but not be saved: learning_rate is a Python"):
        model.learn(32)
    with pytest.raises(CheckpointError, match="set learning_rate of the model to a number"):
        model.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())
    model.learning_rate = LinearSchedule(0.01)
    model.save(tmp_path / "model")
    assert AMPPPO.load(tmp_path / "model").learning_rate == LinearSchedule(0.01)


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
