"""Damaged, foreign and edited files."""

import io
import json
import zipfile

import jax
import numpy as np
import pytest
import sbx
import stable_baselines3
from laid_out import amp_model

from amp_sbx import AMPPPO, CheckpointError
from amp_sbx.common import archive as checkpoint


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
        try:  # bytes without meaning, such as a date, may change
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
    left_out = {"critic"}  # older files have none
    told_only = left_out | {"algorithm", "versions", "format", "format_version"}
    for name in sorted(set(meta) - told_only):
        checkpoint.write(
            tmp_path / "edited.zip", {k: v for k, v in meta.items() if k != name}, arrays
        )
        with pytest.raises(CheckpointError, match="incomplete"):
            AMPPPO.load(tmp_path / "edited.zip")
    older = {k: v for k, v in meta["hyperparameters"].items() if k != "critic_learning_rate"}
    checkpoint.write(tmp_path / "edited.zip", meta | {"hyperparameters": older}, arrays)
    assert AMPPPO.load(tmp_path / "edited.zip").critic_learning_rate is None
    settings = {("gama" if k == "gamma" else k): v for k, v in meta["hyperparameters"].items()}
    checkpoint.write(tmp_path / "edited.zip", meta | {"hyperparameters": settings}, arrays)
    with pytest.raises(CheckpointError, match="missing or unknown: gama, gamma"):
        AMPPPO.load(tmp_path / "edited.zip")
