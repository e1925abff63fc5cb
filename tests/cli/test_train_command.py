"""``wildrobot train`` and what is done with its run: in this process, on the smoke config made smaller still."""

import csv
import errno
import io
import json
import os
import re
import shutil
import signal
import sys
from types import SimpleNamespace

import imageio.v2 as imageio
import mujoco
import numpy as np
import pytest
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from amp_sbx import CheckpointError
from amp_sbx.common import archive as checkpoint
from amp_sbx.discriminator.verdict import Verdict
from amp_sbx.reference.layout import channel_columns
from wildrobot_gym.cli.main import main
from wildrobot_gym.console.reporter import ConsoleReporter
from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.evaluation.progress import read_columns
from wildrobot_gym.experiments.style_eval import prepare_style
from wildrobot_gym.motion.clip_files import save_clips
from wildrobot_gym.motion.gait.build import walk_clip
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training import progress as run_progress
from wildrobot_gym.training.callbacks import LOGGED, CheckpointCallback, EvalCallback, eval_score
from wildrobot_gym.training.config import yaml_io
from wildrobot_gym.training.logger import STEPS, ProgressCsv, forget_told, training_console
from wildrobot_gym.training.policy import LoadedPolicy, load_policy
from wildrobot_gym.training.run_directory import RunDirectory
from wildrobot_gym.training.train import _best_so_far, begin_trained, make_model, make_vec_env

SMALL = (
    "--set",
    "n_envs=8",
    "n_steps=8",
    "batch_size=32",
    "n_timesteps=256",
    "checkpoint_every=64",
)
NO_EVAL = ("--set", "eval.every=0")
EVAL = ("--set", "eval.every=128", "eval.steps=20", "eval.episodes=1")


@pytest.fixture(scope="module")
def run_path(tmp_path_factory):
    """A finished run, for tests that only read it."""
    path = tmp_path_factory.mktemp("train") / "run"
    assert main(["train", "smoke", *SMALL, *EVAL, "--seed", "3", "--out", str(path)]) == 0
    return path


@pytest.fixture
def no_gl(monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError("no GL here")

    monkeypatch.setattr(mujoco, "Renderer", refuse)


def progress_rows(run):
    with open(run.progress, newline="") as stream:
        return list(csv.DictReader(stream))


def evaluations(run):
    """By step, the figures of each evaluation in progress.csv."""
    figures = [
        {name: row[name] for name in row if name.startswith("eval/")} for row in progress_rows(run)
    ]
    return {
        row[STEPS]: found
        for row, found in zip(progress_rows(run), figures, strict=True)
        if found["eval/success"]
    }


def refused(capsys, *arguments: str) -> str:
    """The message of a command that must end with exit code 2 and without a traceback."""
    assert main(list(arguments)) == 2
    message = capsys.readouterr().err
    assert message.startswith("wildrobot: ")
    assert "Traceback" not in message
    return message


def test_run_folder_is_complete(run_path):
    config = yaml_io.read(run_path / "config.yaml")
    assert (config["seed"], config["n_envs"], config["n_timesteps"]) == (3, 8, 256)
    assert (
        config["amp"]["normalization"] == "layer"
    )  # a default that the run did not name: it may be another one day
    assert config["env_kwargs"]["control_dt"] == 0.02
    about = json.loads((run_path / "versions.json").read_text())
    assert {"python", "platform", "packages", "git"} <= set(about)
    assert about["packages"]["mujoco"] == mujoco.__version__
    assert any((run_path / "tb").iterdir())
    assert (run_path / "best.zip").is_file()
    assert (run_path / "final.zip").is_file()
    assert [p.name for p in RunDirectory(run_path).checkpoints()] == [
        "step_000000000192.zip",
        "step_000000000256.zip",
    ]
    assert not list(run_path.rglob("*.tmp"))


def test_progress_holds_every_figure_that_matters(run_path):
    with open(run_path / "progress.csv") as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row["time/total_timesteps"]) for row in rows] == [64, 128, 192, 256, 256]
    assert rows[1]["eval/success"] and rows[3]["eval/success"] and not rows[2]["eval/success"]
    assert [bool(row["amp/disc_acc"]) for row in rows] == [
        False,
        True,
        True,
        True,
        True,
    ]  # known after an iteration's row
    wanted = {
        "rollout/success_rate",
        "metrics/forward_velocity",
        "metrics/velocity_error",
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


def test_policy_file_knows_its_environment(run_path):
    extra = checkpoint.read(run_path / "best.zip")[0]["extra"]
    assert extra["reference"] == "walk_synthetic"
    assert extra["env_kwargs"] == {
        "reset": {"stagger": True},
        "features": {"history": {"frames": 2, "stride": 2}},
    }
    assert set(extra["evaluation"]) == {
        "success",
        "survived",
        "velocity_error",
        "slip",
        "num_timesteps",
        "protocol",
    }


def test_the_better_policy_succeeds_more_then_follows_closer_and_slips_less():
    def figures(success, velocity_error, slip, survived=1.0):
        return {
            "success": success,
            "survived": survived,
            "velocity_error": velocity_error,
            "slip": slip,
        }

    ranked = [  # the last slips less than half as much as the one before, and follows a hundredth less closely
        figures(0.0, 0.0, 0.0, survived=0.1), figures(0.0, 0.5, 0.9, survived=0.9), figures(0.9, 0.0, 0.0),
        {"success": 1.0, "survived": 1.0, "velocity_error": 0.0}, figures(1.0, None, 0.0), figures(1.0, 0.01, 0.10),
        figures(1.0, 0.02, 0.04),
    ]  # fmt: skip
    scores = [eval_score(means) for means in ranked]
    assert scores == sorted(scores) and scores[-3] < scores[-2] < scores[-1]


def test_a_second_run_into_the_folder_is_refused(run_path, capsys):
    before = (run_path / "final.zip").stat().st_mtime_ns
    assert "already holds a run" in refused(capsys, "train", "smoke", "--out", str(run_path))
    assert (run_path / "final.zip").stat().st_mtime_ns == before
    message = refused(
        capsys, "train", "smoke", *SMALL, *EVAL, "--seed", "3", "--out", str(run_path), "--resume"
    )
    assert "is finished" in message
    message = refused(
        capsys, "train", "smoke", *SMALL, "--set", "gamma=0.5", "--out", str(run_path), "--resume"
    )
    assert "other settings" in message and "gamma" in message and "seed" in message


def test_a_reference_made_anew_is_not_the_one_of_before(tmp_path, wildrobot, capsys):
    """Its name is as it was, so a run would go on with other motion, and style be called held out, without a word."""
    reference = tmp_path / "own.npz"
    walks = [walk_clip(wildrobot, speed) for speed in (0.2, 0.3, 0.4)]
    save_clips(reference, walks)
    run, asked = (
        tmp_path / "run",
        ["train", "smoke", *SMALL, *NO_EVAL, "--set", f"amp.reference={reference}"],
    )
    assert main([*asked, "--out", str(run)]) == 0
    longer = [*asked, "--set", "n_timesteps=320", "--out", str(run), "--resume"]
    policy, before = load_policy(str(run)), reference.read_bytes()
    copy = tmp_path / "copy.npz"
    copy.write_bytes(before)
    assert policy.learned_from(copy) and policy.learned_from(reference)

    save_clips(reference, walks[:2])
    assert (
        "learned from another file" in (message := refused(capsys, *longer))
        and "own.npz" in message
    )
    console = Console(width=10_000, file=io.StringIO())
    assert prepare_style(policy, None, ConsoleReporter(console)).held_out is None
    assert "not the one it was trained with" in console.file.getvalue()
    assert prepare_style(
        policy, str(copy), ConsoleReporter(console)
    ).held_out  # the middle one, as it was in training

    reference.write_bytes(before)
    assert main(longer) == 0


def test_held_out_is_what_was_not_learned_from(tmp_path, wildrobot):
    """Whatever file it lies in: of three walks the second is held out."""
    reference, part = tmp_path / "own.npz", tmp_path / "part.npz"
    walks = [walk_clip(wildrobot, speed) for speed in (0.2, 0.3, 0.4)]
    save_clips(reference, walks)
    asked = [
        "train",
        "smoke",
        *SMALL,
        *NO_EVAL,
        "--set",
        f"amp.reference={reference}",
        "n_timesteps=64",
    ]
    assert main([*asked, "--out", str(tmp_path / "run")]) == 0
    policy, console = load_policy(str(tmp_path / "run")), Console(width=10_000, file=io.StringIO())
    test = prepare_style(policy, None, ConsoleReporter(console))
    assert test.held_out and {clip.motion_id for clip in test.reference.clips} == {
        "walk_0.30_plain"
    }
    for chosen, held_out in (
        ([walks[0]], False),
        ([walks[1]], True),
        ([walks[0], walks[1]], False),
    ):
        save_clips(part, chosen)
        assert prepare_style(policy, str(part), ConsoleReporter(console)).held_out is held_out


def test_foreign_folders_are_refused(tmp_path, capsys):
    (tmp_path / "thesis.tex").write_text("mine")
    assert "no empty folder" in refused(capsys, "train", "smoke", "--out", str(tmp_path))
    assert "no run to resume" in refused(
        capsys, "train", "smoke", "--out", str(tmp_path), "--resume"
    )
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_killed_and_resumed_is_as_if_not(tmp_path, monkeypatch, capsys):
    arguments = ["train", "smoke", *SMALL, *NO_EVAL, "--out"]
    straight, broken = RunDirectory(tmp_path / "straight"), RunDirectory(tmp_path / "broken")
    assert main([*arguments, str(straight.path)]) == 0

    kills = {64: signal.SIGTERM, 192: signal.SIGINT}

    def kill(self):
        if self.num_timesteps in kills:
            os.kill(os.getpid(), kills.pop(self.num_timesteps))

    monkeypatch.setattr(CheckpointCallback, "_on_rollout_end", kill)
    assert main([*arguments, str(broken.path)]) == 128 + signal.SIGTERM
    assert "step_000000000064.zip" in capsys.readouterr().out.replace("\n", "")
    assert main([*arguments, str(broken.path), "--resume"]) == 128 + signal.SIGINT
    assert main([*arguments, str(broken.path), "--resume"]) == 0

    a, b = (checkpoint.read(folder.checkpoint(256))[1] for folder in (straight, broken))
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    a, b = (
        dict(np.load(folder.checkpoint(256).with_suffix(".npz"))) for folder in (straight, broken)
    )
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    steps = [row.split(",") for row in broken.progress.read_text().splitlines()]
    column = steps[0].index("time/total_timesteps")
    assert [row[column] for row in steps[1:]] == ["64", "128", "192", "256"]


def test_a_finished_run_can_be_completed_and_lengthened(run_path, tmp_path):
    run = RunDirectory(shutil.copytree(run_path, tmp_path / "run"))
    run.final.unlink()
    arguments = ["train", "smoke", *SMALL, *EVAL, "--seed", "3", "--out", str(run.path), "--resume"]
    assert main(arguments) == 0
    assert checkpoint.read(run.final)[0]["counters"]["num_timesteps"] == 256
    assert main([*arguments, "--set", "n_timesteps=320"]) == 0
    assert checkpoint.read(run.final)[0]["counters"]["num_timesteps"] == 320
    assert yaml_io.read(run.config)["n_timesteps"] == 320
    assert main(arguments) == 2  # 256 steps are done; the refusal changes nothing
    assert yaml_io.read(run.config)["n_timesteps"] == 320


def test_a_lengthened_run_that_is_stopped_at_its_end_gets_its_final_policy(
    run_path, tmp_path, monkeypatch
):
    """And the evaluation at its end, too."""
    run = RunDirectory(shutil.copytree(run_path, tmp_path / "run"))
    longer = [
        "train",
        "smoke",
        *SMALL,
        *EVAL,
        "n_timesteps=384",
        "--seed",
        "3",
        "--out",
        str(run.path),
        "--resume",
    ]

    def stop(self):
        if self.num_timesteps == 384:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(CheckpointCallback, "_on_rollout_end", stop)
    assert main(longer) == 128 + signal.SIGINT
    assert run.final_steps() == 256 and run.checkpoint(384).is_file()
    assert "384" not in evaluations(run)
    assert main(longer) == 0
    assert run.final_steps() == 384
    assert list(evaluations(run)) == ["128", "256", "384"]
    assert main(longer) == 2  # finished


def test_a_shorter_length_does_not_end_a_longer_run(run_path, tmp_path, monkeypatch, capsys):
    run = RunDirectory(shutil.copytree(run_path, tmp_path / "run"))
    asked = ["train", "smoke", *SMALL, *EVAL, "--seed", "3", "--out", str(run.path), "--resume"]

    def stop(self):
        if self.num_timesteps == 384:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as stopped:
        stopped.setattr(CheckpointCallback, "_on_rollout_end", stop)
        assert main([*asked, "--set", "n_timesteps=512"]) == 128 + signal.SIGINT
    assert "is finished: 384 of 256 steps" in refused(capsys, *asked).replace("\n", " ")
    assert run.final_steps() == 256 and yaml_io.read(run.config)["n_timesteps"] == 512


def test_evaluations_outlive_a_kill(run_path, tmp_path):
    """They come after their iteration's row, join it, and stand before the checkpoint that is gone on from."""
    run = RunDirectory(shutil.copytree(run_path, tmp_path / "run"))
    before = evaluations(run)
    for path in (run.final, run.checkpoint(256)):
        path.unlink()
    assert (
        main(["train", "smoke", *SMALL, *EVAL, "--seed", "3", "--out", str(run.path), "--resume"])
        == 0
    )
    assert evaluations(run) == before and list(before) == ["128", "256"]


def test_a_run_is_trained_by_one_process(run_path, tmp_path, capsys):
    run = RunDirectory(shutil.copytree(run_path, tmp_path / "run"))
    arguments = [
        "train",
        "smoke",
        *SMALL,
        *EVAL,
        "n_timesteps=320",
        "--seed",
        "3",
        "--out",
        str(run.path),
        "--resume",
    ]
    with run.claimed():
        assert "Another process is training" in refused(capsys, *arguments)
    assert main(arguments) == 0


def test_best_is_not_compared_across_evaluations(run_path):
    config = run_config.load("smoke", [*SMALL[1:], *EVAL[1:]])
    assert _best_so_far(RunDirectory(run_path), config) is not None
    harder = run_config.load("smoke", [*SMALL[1:], *EVAL[1:], "eval.commands=[0.8]"])
    assert _best_so_far(RunDirectory(run_path), harder) is None


def test_of_policies_that_cannot_be_told_apart_the_newest_is_best(run_path):
    evaluation = checkpoint.read(run_path / "best.zip")[0]["extra"]["evaluation"]
    assert evaluation["velocity_error"] is None  # it is over before anything is measured
    assert evaluation["num_timesteps"] == 256


def test_a_best_policy_that_was_not_written_is_no_best(tmp_path):
    class Model:
        num_timesteps, extra, kept = 64, {}, []
        logger = SimpleNamespace(output_formats=[])

        def save(self, path, exclude, extra):
            if self.num_timesteps == 64:
                raise CheckpointError("the disk is full")
            self.kept.append(extra["evaluation"]["success"])

    callback = EvalCallback(RunDirectory(tmp_path), run_config.load("smoke"), Console(quiet=True))
    callback.model = model = Model()
    for model.num_timesteps, success in ((64, 0.9), (128, 0.6), (192, 0.5)):
        overall = {name: {"mean": success} for name in LOGGED}
        to_json = {"overall": overall}
        callback._benchmark = SimpleNamespace(
            run=lambda _, found=to_json: SimpleNamespace(to_json=lambda: found)
        )
        callback.evaluate()
    assert model.kept == [0.6]


def test_a_full_disk_under_the_output_costs_no_training(monkeypatch):
    class Full(io.StringIO):
        code = errno.ENOSPC

        def write(self, text):
            raise OSError(self.code, "")

    monkeypatch.setattr(sys, "stdout", Full())
    console = training_console()
    console.print("64 of 256 steps")
    Full.code = errno.EIO
    with pytest.raises(OSError, match="5"):
        console.print("128 of 256 steps")


def test_no_output_at_all_costs_no_training(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    training_console().print("64 of 256 steps")


def test_progress_is_written_whole_after_a_full_disk(tmp_path, monkeypatch):
    progress = ProgressCsv(tmp_path / "progress.csv")
    progress.write({STEPS: 1, "a": 0.5}, {})

    def half(self, row):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full, pytest.raises(OSError, match="No space"):
        full.setattr(csv.DictWriter, "writerow", half)
        progress.write({STEPS: 2, "a": 1.5}, {})
    with open(tmp_path / "progress.csv", "a") as stream:
        stream.write("1.")  # what the disk still took
    progress.write({STEPS: 3, "a": 2.5}, {})
    columns = read_columns(tmp_path / "progress.csv")
    assert columns["a"].tolist() == [0.5, 1.5, 2.5]


def test_warm_start(tmp_path, capsys):
    """The fresh policy is fitted to the reference; a resumed one is not fitted again."""
    arguments = [
        "train",
        "smoke",
        *SMALL,
        *NO_EVAL,
        "--set",
        "amp.warm_start={steps: 50}",
        "n_timesteps=64",
    ]
    arguments += ["--out", str(tmp_path / "run")]
    assert main(arguments) == 0
    assert "50 steps of behaviour cloning" in capsys.readouterr().out
    assert main([*arguments, "--set", "n_timesteps=128", "--resume"]) == 0
    assert "cloning" not in capsys.readouterr().out


def test_verdicts_are_told_and_kept(tmp_path, capsys, monkeypatch):
    """In a line where one changes, which a file keeps, in the progress line, progress.csv, TensorBoard, and a line at the end."""
    monkeypatch.setattr(run_progress, "PRINT_EVERY_S", 0.0)
    settings = ["n_timesteps=1280", "amp.disc_lr=1e-12", "n_epochs=1"]
    assert (
        main(["train", "smoke", *SMALL, *NO_EVAL, *settings, "--out", str(tmp_path / "run")]) == 0
    )
    text = capsys.readouterr().out
    told = next(
        line for line in text.splitlines() if line.startswith("960 steps: discriminator frozen: ")
    )  # 15 of 64 steps
    folder = RunDirectory(tmp_path / "run")
    assert (
        "an iteration changes its parameters by" in told and folder.told.read_text() == f"{told}\n"
    )
    with open(folder.told, "a") as stream:
        stream.write("1,344 steps: of a past that is done again\n")
    forget_told(folder.told, 1280)
    assert folder.told.read_text() == f"{told}\n"
    lines = [line for line in text.splitlines() if "min left" in line]
    assert len(lines) == 20 and all(
        line.endswith("  frozen" if i >= 15 else "  healthy") for i, line in enumerate(lines)
    )
    assert all(re.search(r"  amp \S+  acc \S+  auc \S+  ", line) for line in lines[1:])
    assert (
        "Verdicts on the discriminator, by iterations: frozen 100 %" in text
    )  # of those that were judged
    verdicts = read_columns(folder.progress)["amp/verdict"]
    expected = [0.0] * 14 + [Verdict.FROZEN.value] * 6
    assert verdicts[np.isfinite(verdicts)].tolist() == expected
    events = EventAccumulator(str(folder.tensorboard)).Reload()
    assert [event.value for event in events.Scalars("amp/verdict")] == expected
    assert {
        "amp/held_out_auc",
        "amp/learned_auc",
        "amp/feature_auc",
        "amp/outside",
        "amp/still",
    } <= {*events.Tags()["scalars"]}


def test_contacts_that_are_always_zero_are_told_by_name(tmp_path, capsys, monkeypatch):
    """In the robot's own features, with a part of the reference held out."""
    step = WildRobotVectorEnv.step

    def without_contacts(env, actions):
        *rest, infos = step(env, actions)
        infos["amp_obs"][
            :, channel_columns(env.amp_layout, ["foot_contacts"], infos["amp_obs"].shape[1])
        ] = 0.0
        return *rest, infos

    monkeypatch.setattr(WildRobotVectorEnv, "step", without_contacts)
    settings = ["n_timesteps=1024", "n_epochs=1"]
    assert (
        main(["train", "smoke", *SMALL, *NO_EVAL, *settings, "--out", str(tmp_path / "run")]) == 0
    )
    text = capsys.readouterr().out
    assert re.search(
        r"960 steps: discriminator feature mismatch: foot_contacts\[0\], 1 frame back alone gives AUC 0\.\d\d; the policy's"
        " values are always 0, the reference's are not. Look where the environment makes it",
        text,
    )


def test_a_schedule_that_never_ends_is_refused(tmp_path, capsys):
    ramp = "amp.schedule={initial: 0.0, ramp_start: 0, ramp_end: 1e6, final: 1.0}"
    message = refused(capsys, "train", "smoke", *SMALL, ramp, "--out", str(tmp_path / "run"))
    assert (
        "ramp_end 1,000,000 lies 999,744 environment steps beyond 256" in message
        and "raise that" in message
    )
    waits = "amp.schedule={initial: 0.0, ramp_end: 100, final: 1.0, wait_auc: [0.6, 0.85], wait_at_most: 1e6}"
    message = refused(capsys, "train", "smoke", *SMALL, waits, "--out", str(tmp_path / "run"))
    assert (
        "ramp_end 100 with wait_at_most 1,000,000 lies 999,844 environment steps beyond 256"
        in message
    )


def test_a_run_begins_with_a_trained_agent(run_path, tmp_path):
    """It gives its networks and no more, to plain PPO too, which has no discriminator to take."""
    config = run_config.load(
        "smoke", ["n_envs=8", "n_steps=8", "batch_size=32", "amp=null", f"trained_agent={run_path}"]
    )
    env = make_vec_env(config)
    model = make_model(config, env, None)
    begin_trained(model, config.trained_agent, env, Console(quiet=True))
    env.close()
    stored = checkpoint.read(run_path / "best.zip")[1]
    given = model.get_parameters()
    assert set(given) == {"actor", "critic"}
    assert (
        model.seed == config.seed != 3 and model.env._seeds[0] == config.seed
    )  # the agent's seed was 3
    for part in given:
        for name, array in given[part].items():
            np.testing.assert_array_equal(array, stored[f"{part}/params/{name}"])
    assert model.num_timesteps == 0
    arguments = ["train", "smoke", *SMALL, *NO_EVAL, "n_timesteps=64", f"trained_agent={run_path}"]
    assert main([*arguments, "--out", str(tmp_path / "run")]) == 0
    assert yaml_io.read(tmp_path / "run" / "config.yaml")["trained_agent"] == str(run_path)


def test_a_trained_agent_that_does_not_fit_is_refused(run_path, tmp_path, capsys):
    def told(*settings: str) -> str:
        out = tmp_path / "run"
        message = refused(capsys, "train", "smoke", *SMALL, *NO_EVAL, *settings, "--out", str(out))
        assert not out.exists()
        return message

    agent = f"trained_agent={run_path}"
    assert "policy_kwargs" in told(agent, "policy_kwargs.activation_fn=tanh")
    assert "symmetric_policy False, not True" in told(agent, "symmetric_policy=true")
    assert "observation_space" in told(
        agent, "env_kwargs.robot=wildrobot_8dof", "amp.reference=walk_synthetic_8dof"
    )
    assert "history" in told(agent, "env_kwargs.features.history.frames=3")
    assert "Unknown policy 'wlak'" in told("trained_agent=wlak")


def test_a_failed_warm_start_leaves_no_folder(tmp_path, capsys):
    settings = ["--set", "amp.warm_start={steps: 50, learning_rate: 1.0e+30}"]
    assert "diverged" in refused(
        capsys, "train", "smoke", *SMALL, *NO_EVAL, *settings, "--out", str(tmp_path / "run")
    )
    assert not (tmp_path / "run").exists()


def test_full_disk_leaves_the_old_checkpoint_and_training_goes_on(tmp_path, monkeypatch, capsys):
    run = RunDirectory(tmp_path / "run")
    written = checkpoint._write_zip
    saves = []

    def full(stream, meta, arrays):
        saves.append(meta["counters"]["num_timesteps"])
        if saves[-1] in (128, 192):
            stream.write(b"half a file")
            raise OSError(errno.ENOSPC, "No space left on device")
        written(stream, meta, arrays)

    monkeypatch.setattr(checkpoint, "_write_zip", full)
    old = {}
    save = CheckpointCallback.save

    def watched_save(self):
        message = save(self)
        if self.model.num_timesteps == 128:
            old.update({p.name: p.read_bytes() for p in run.checkpoints()})
        return message

    monkeypatch.setattr(CheckpointCallback, "save", watched_save)
    assert main(["train", "smoke", *SMALL, *NO_EVAL, "--out", str(run.path)]) == 0
    output = capsys.readouterr().out.replace("\n", " ")
    assert "No checkpoint was written" in output and "No space left" in output
    assert list(old) == ["step_000000000064.zip"]
    assert [p.name for p in run.checkpoints()] == ["step_000000000064.zip", "step_000000000256.zip"]
    assert run.checkpoint(64).read_bytes() == old["step_000000000064.zip"]
    assert not list(run.path.rglob("*.tmp"))


def test_damaged_motion(tmp_path, capsys):
    motion = tmp_path / "torn.npz"
    motion.write_bytes(b"PK\x03\x04 torn")
    message = refused(
        capsys, "train", "smoke", "--set", f"amp.reference={motion}", "--out", str(tmp_path / "run")
    )
    assert "torn.npz" in message
    assert not (tmp_path / "run").exists()


def test_eval_writes_table_and_json(run_path, tmp_path, capsys, monkeypatch):
    # It falls within a second.
    for name, value in (
        ("style.EPISODES", 4),
        ("metrics.SETTLING_S", 0.1),
        ("benchmark.DURATION_S", 0.6),
    ):
        monkeypatch.setattr(f"wildrobot_gym.evaluation.{name}", value)
    file = tmp_path / "new" / "results.json"
    arguments = ["--commands", "0.3", "0.5", "--episodes", "2", "--json", str(file), "--seed", "5"]
    assert main(["eval", str(run_path), *arguments]) == 0
    results = json.loads(file.read_text())
    assert results["seed"] == results["style"]["seed"] == 5
    assert results["protocol"] == "walk-1"
    assert list(results["commands"]) == ["0.3", "0.5"]
    assert {"mean", "low", "high"} <= set(results["overall"]["success"])
    assert results["policy"]["env_kwargs"]["features"]["history"]["frames"] == 2
    told = capsys.readouterr().out
    assert "velocity error" in told and "two-sample AUC" in told
    assert results["style"]["reference"] == "walk_synthetic" and results["style"]["held_out"]
    assert set(results["style"]) >= {
        "motions",
        "speeds",
        "two_sample_auc",
        "dtw",
        "frechet",
        "amp_reward",
        "other_motions",
    }
    assert 0.0 <= results["style"]["amp_reward"]["mean"] <= 1.0


def test_style_is_left_out_where_it_cannot_be_told(run_path, monkeypatch):
    policy, console = load_policy(str(run_path)), Console(width=10_000, file=io.StringIO())
    monkeypatch.setattr(LoadedPolicy, "reference", property(lambda _: None))
    assert prepare_style(policy, None, ConsoleReporter(console)) is None
    assert "names no reference" in console.file.getvalue()
    monkeypatch.setattr(LoadedPolicy, "reference", property(lambda _: "walk_gone"))
    assert prepare_style(policy, None, ConsoleReporter(console)) is None
    assert "No style metrics: Unknown reference motion 'walk_gone'" in console.file.getvalue()


def test_a_mistyped_reference_is_refused_before_the_benchmark(
    run_path, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("wildrobot_gym.experiments.evaluate.Evaluator.evaluate", None)
    for command in (
        ["eval", str(run_path)],
        ["compare", str(run_path), "--out", str(tmp_path / "c.html")],
    ):
        assert "Unknown reference motion 'walk_gnoe'" in refused(
            capsys, *command, "--reference", "walk_gnoe"
        )


def test_eval_of_what_is_no_policy(run_path, tmp_path, capsys):
    assert "Unknown policy" in refused(capsys, "eval", str(tmp_path / "none.zip"))
    assert "holds no policy" in refused(capsys, "eval", str(tmp_path))
    torn = tmp_path / "torn.zip"
    torn.write_bytes((run_path / "final.zip").read_bytes()[:5000])
    assert "damaged" in refused(capsys, "eval", str(torn))
    foreign = tmp_path / "foreign.zip"
    np.savez(foreign.open("wb"), data=np.zeros(3))
    assert "no amp_sbx checkpoint" in refused(capsys, "eval", str(foreign))


def test_another_robot_is_refused_with_both_named(run_path, capsys):
    message = refused(capsys, "eval", str(run_path), "--robot", "wildrobot_8dof")
    assert "differs" in message and "(39,)" in message and "(36,)" in message


def test_without_gl_everything_but_the_video_is_done(run_path, tmp_path, capsys, no_gl):
    assert (
        main(["record", str(run_path), "--out", str(tmp_path / "v.mp4"), "--seconds", "0.2"]) == 3
    )
    assert "MUJOCO_GL" in capsys.readouterr().err
    file = tmp_path / "results.json"
    arguments = [
        "--commands",
        "0.3",
        "--episodes",
        "1",
        "--json",
        str(file),
        "--video",
        str(tmp_path / "v.mp4"),
    ]
    arguments += ["--no-style"]
    assert main(["eval", str(run_path), *arguments]) == 3
    results = json.loads(file.read_text())
    assert results["protocol"] == "walk-1" and results["style"] is None
    assert "no video" in capsys.readouterr().out
    assert not (tmp_path / "v.mp4").exists()


@pytest.mark.filterwarnings("ignore:os.fork")
def test_record_and_plot(run_path, tmp_path, capsys):
    video, strip = tmp_path / "v.mp4", tmp_path / "strip.png"
    code = main(
        ["record", str(run_path), "--out", str(video), "--seconds", "0.2", "--strip", str(strip)]
    )
    if code == 3:
        pytest.skip("no OpenGL on this machine")
    assert code == 0
    with imageio.get_reader(video) as reader:
        assert reader.get_meta_data()["size"] == (640, 480)
    assert imageio.imread(strip).shape[0] == 480
    assert main(["plot", str(run_path / "best.zip"), "--out", str(tmp_path / "plots")]) == 0
    assert {p.name for p in (tmp_path / "plots").iterdir()} == {
        "gait_0.4.png",
        "learning_curves.png",
    }


def test_enjoy_without_a_screen_says_what_to_do(run_path, capsys, monkeypatch):
    monkeypatch.setattr("wildrobot_gym.experiments.video.has_screen", lambda: False)
    assert "wildrobot record" in refused(capsys, "enjoy", str(run_path))
