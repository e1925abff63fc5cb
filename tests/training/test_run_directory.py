"""What a finished run leaves on the disk, and which directories a run is started in."""

import csv
import json

import mujoco
import pytest
from run_helpers import EVAL, SMALL, refused

from amp_sbx.common import archive
from wildrobot_gym import yaml_io
from wildrobot_gym.cli.main import main
from wildrobot_gym.errors import RunError
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.run_directory import RunDirectory, steps_of
from wildrobot_gym.training.selection import best_score


def test_run_directory_is_complete(tiny_run):
    config = yaml_io.read(tiny_run / "config.yaml")
    assert (config["seed"], config["n_envs"], config["n_timesteps"]) == (3, 8, 256)
    # A default that the run did not name: it can change in a later version.
    assert config["amp"]["normalization"] == "layer"
    assert config["env_kwargs"]["control_dt"] == 0.02
    about = json.loads((tiny_run / "versions.json").read_text())
    assert {"python", "platform", "packages", "git"} <= set(about)
    assert about["packages"]["mujoco"] == mujoco.__version__
    assert any((tiny_run / "tb").iterdir())
    assert (tiny_run / "best.zip").is_file()
    assert (tiny_run / "final.zip").is_file()
    assert [p.name for p in RunDirectory(tiny_run).checkpoints()] == [
        "step_000000000192.zip",
        "step_000000000256.zip",
    ]
    assert not list(tiny_run.rglob("*.tmp"))


def test_what_a_killed_process_left_is_deleted(tmp_path, capsys):
    """Temporary files, and a checkpoint's environments without its model."""
    run = RunDirectory(tmp_path / "run")
    rubbish = [run.path / ".config.yaml.7.tmp", run.path / "checkpoints" / ".step_1.zip.x.tmp"]
    run.path.mkdir()
    rubbish[0].write_bytes(b"half")  # of a process that was killed at its start
    small = ["train", "smoke", "--no-report", *SMALL, "eval.every=0", "n_timesteps=64"]
    assert main([*small, "--out", str(run.path)]) == 0
    assert "deleted what a killed process left: .config.yaml.7.tmp" in flat(capsys)
    rubbish += [run.checkpoint(128).with_suffix(".npz")]
    for path in rubbish:
        path.write_bytes(b"half")
    kept = {*run.path.rglob("*")} - {*rubbish}
    assert main([*small, "n_timesteps=128", "--out", str(run.path), "--resume"]) == 0
    assert "step_000000000128.npz" in flat(capsys)
    assert not list(run.path.rglob("*.tmp")) and kept <= {*run.path.rglob("*")}
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.tmp").touch()  # not hidden: not ours
    with pytest.raises(RunError, match="not an empty directory"):
        RunDirectory(tmp_path / "other").check_free()


def flat(capsys) -> str:
    return " ".join(capsys.readouterr().out.split())


def test_progress_holds_every_metric_that_matters(tiny_run):
    with open(tiny_run / "progress.csv") as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row["time/total_timesteps"]) for row in rows] == [64, 128, 192, 256, 256]
    assert rows[1]["eval/success"] and rows[3]["eval/success"] and not rows[2]["eval/success"]
    # The discriminator's metrics are known after an iteration's row.
    assert [bool(row["amp/disc_acc"]) for row in rows] == [False, True, True, True, True]
    wanted = {
        "rollout/success_rate",
        "task/forward_velocity",
        "task/velocity_error",
        "rollout/ep_len_mean",
    }
    wanted |= {
        "reward/tracking_lin_vel",
        "amp/reward_mean",
        "amp/disc_acc",
        "amp/disc_auc",
        "time/fps",
        "eval/success",
    }
    assert wanted <= set(rows[0])


def test_policy_file_knows_its_environment(tiny_run):
    extra = archive.read(tiny_run / "best.zip")[0]["extra"]
    assert extra["reference"] == "walk_synthetic" and extra["env_id"] == "WildRobot-v0"
    assert set(extra["motions"]) == {"walk_synthetic"}
    # Every setting is in the file, with the defaults of its time and the engine that was taken.
    asked = run_config.load("smoke", ["env_kwargs.backend=native"])
    assert extra["env_kwargs"] == asked.to_mapping()["env_kwargs"]
    assert extra["env_kwargs"]["reset"]["stagger"] is True
    assert extra["env_kwargs"]["features"]["history"] == {"frames": 2, "stride": 2}
    assert set(extra["evaluation"]) == {
        "success",
        "survived",
        "velocity_error",
        "slip",
        "num_timesteps",
        "protocol",
    }


def test_a_second_run_in_the_directory_is_refused(tiny_run, capsys):
    before = (tiny_run / "final.zip").stat().st_mtime_ns
    assert "already holds a run" in refused(capsys, "train", "smoke", "--out", str(tiny_run))
    assert (tiny_run / "final.zip").stat().st_mtime_ns == before
    resumed = ("--out", str(tiny_run), "--resume")
    message = refused(capsys, "train", "smoke", *SMALL, *EVAL, "--seed", "3", *resumed)
    assert "is finished" in message
    message = refused(capsys, "train", "smoke", *SMALL, "--set", "gamma=0.5", *resumed)
    assert "other settings" in message and "gamma" in message and "seed" in message


def test_foreign_directories_are_refused(tmp_path, capsys):
    (tmp_path / "thesis.tex").write_text("mine")
    assert "not an empty directory" in refused(capsys, "train", "smoke", "--out", str(tmp_path))
    message = refused(capsys, "train", "smoke", "--out", str(tmp_path), "--resume")
    assert "no run to resume" in message
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_damaged_config_is_named(tmp_path):
    (tmp_path / "config.yaml").write_text("- 1\n")
    with pytest.raises(RunError, match=r"config\.yaml is damaged"):
        RunDirectory(tmp_path).read_config()


def test_half_checkpoints_and_other_files_are_not_checkpoints(tmp_path):
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    for name in ("step_9.zip", "step_9.npz", "step_10.zip", "step_10.npz", "step_11.zip"):
        (folder / name).touch()
    for name in ("step_x.zip", "step_x.npz", "other.zip", "other.npz"):
        (folder / name).touch()
    found = RunDirectory(tmp_path).checkpoints()
    assert [steps_of(path) for path in found] == [9, 10]
    assert steps_of(folder / "step_x.zip") == 0


def test_best_is_not_compared_across_evaluations(tiny_run):
    config = run_config.load("smoke", [*SMALL[1:], *EVAL[1:]])
    assert best_score(RunDirectory(tiny_run), config.eval) is not None
    harder = run_config.load("smoke", [*SMALL[1:], *EVAL[1:], "eval.commands=[0.8]"])
    assert best_score(RunDirectory(tiny_run), harder.eval) is None


def test_of_equally_good_policies_the_newest_is_best(tiny_run):
    evaluation = archive.read(tiny_run / "best.zip")[0]["extra"]["evaluation"]
    assert evaluation["velocity_error"] is None  # it ends before anything is measured
    assert evaluation["num_timesteps"] == 256
