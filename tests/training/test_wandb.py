"""W&B, offline: what is uploaded, that a resumed run continues, and what is said without it."""

import json
import struct
import sys

import pytest
from run_helpers import EVAL, SMALL, refused

from wildrobot_gym.cli.main import main
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.evaluation.progress import STEPS
from wildrobot_gym.training import config as run_config

ON = ("--set", "wandb={enabled: true, project: walking}")


def records(run):
    """The records of a run that was logged offline, as they would be uploaded.

    The file is a LevelDB log behind a header: blocks of 32 KiB with pieces of records.
    """
    from wandb.proto.wandb_internal_pb2 import Record

    (file,) = run.glob("*.wandb")
    data, block, start, found, text = file.read_bytes(), 32_768, 7, [], b""
    while start + 7 <= len(data):
        if block - start % block < 7:  # too short for a piece: padding
            start += block - start % block
            continue
        length, kind = struct.unpack_from("<HB", data, start + 4)
        text += data[start + 7 : start + 7 + length]
        start += 7 + length
        if kind in (1, 4):  # whole, or the last piece
            found.append(Record.FromString(text))
            text = b""
    return found


def history(found):
    """By step, the metrics that W&B got."""
    rows = [
        {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in row.item}
        for row in (record.history for record in found if record.HasField("history"))
    ]
    return {row["global_step"]: row for row in rows if "global_step" in row}


@pytest.mark.slow
def test_offline_run_and_its_continuation(tmp_path, monkeypatch, capsys):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    run = tmp_path / "my_run"
    arguments = ["train", "smoke", *SMALL, *EVAL, *ON, "--out", str(run)]
    assert main([*arguments, "--set", "n_timesteps=128"]) == 0
    assert main([*arguments, "--resume"]) == 0
    assert capsys.readouterr().out.count("W&B run: ") == 2

    first, second = sorted((run / "wandb").glob("offline-run-*"))
    assert first.name.rpartition("-")[2] == second.name.rpartition("-")[2]  # one run of W&B
    one, two = records(first), records(second)
    about = next(record.run for record in one if record.HasField("run"))
    assert (about.project, about.display_name, about.entity) == ("walking", "my_run", "")

    metrics = history(one) | history(two)
    assert set(metrics) >= {64, 128, 192, 256}
    names = set().union(*metrics.values())
    assert {"amp/disc_acc", "task/velocity_error", "gait/cadence", "eval/success"} <= names
    assert {"time/fps", STEPS} <= names

    # Settings and numbers only. Arrays would be in the config, and motion or code among the files.
    updates = [item for r in one if r.HasField("config") for item in r.config.update]
    values = {
        i.key or "/".join(i.nested_key): json.loads(i.value_json)
        for i in [*updates, *about.config.update]
    }
    assert values["amp"]["reference"] == "walk_synthetic" and values["algo"] == "AMPPPO"
    assert values["versions"]["packages"]["jax"]
    assert "array(" not in json.dumps(values) and len(json.dumps(values)) < 20_000
    files = {
        p.relative_to(first / "files").as_posix()
        for p in (first / "files").rglob("*")
        if p.is_file()
    }
    assert {name for name in files if "tfevents" not in name} <= {
        "config.yaml",
        "requirements.txt",
        "wandb-metadata.json",
        "wandb-summary.json",
        "output.log",
    }


def test_without_the_package_the_extra_is_named_before_anything_is_written(
    tmp_path, monkeypatch, capsys
):
    for name in [name for name in sys.modules if name.partition(".")[0] == "wandb"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "wandb", None)
    run = tmp_path / "run"
    message = refused(capsys, "train", "smoke", *SMALL, *ON, "--out", str(run))
    assert "pip install 'wildrobot[wandb]'" in message
    assert not run.exists()


@pytest.mark.parametrize("given", ["true", "{enable: true}"])
def test_a_wrong_section_is_refused(given):
    with pytest.raises(ConfigError, match=r"enabled"):
        run_config.load("smoke", [f"wandb={given}"])


def test_it_is_off_by_default_and_can_be_off():
    assert not run_config.load("smoke").wandb.enabled
    assert not run_config.load("smoke", ["wandb=null"]).wandb.enabled
