"""What a study runs, resumes, leaves alone and does not repeat."""

import contextlib
import fcntl
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from study_files import FakeProcesses, words, write

from amp_sbx.common import archive as checkpoint
from wildrobot_gym.cli.main import main
from wildrobot_gym.console.signals import stop_signals
from wildrobot_gym.errors import ConfigError, RunError
from wildrobot_gym.experiments.study import processes
from wildrobot_gym.experiments.study.config import load_study
from wildrobot_gym.experiments.study.processes import Stop
from wildrobot_gym.experiments.study.run import State
from wildrobot_gym.experiments.study.study import _execute, _jobs_that_fit, run_study, study_runs
from wildrobot_gym.paths import motion_file
from wildrobot_gym.training import config as run_config


def test_jobs_run_at_the_same_time(here, fake, monkeypatch):
    """Each of the two waits for the other."""
    both = threading.Barrier(2, timeout=30)
    execute = FakeProcesses.execute
    monkeypatch.setattr(FakeProcesses, "execute", lambda *given: (both.wait(), execute(*given))[1])
    assert main(["study", write(arms={"base": {}}, seeds=[0, 1]), "--jobs", "2"]) == 0


def test_results_without_style_are_measured_again(here, fake):
    file = write(arms={"base": {}}, seeds=[0])
    assert main(["study", file]) == 0
    run = study_runs(load_study(file)[1])["base"][0]
    results = run.results()
    run.results_file.write_text(json.dumps(results | {"style": None}))
    assert main(["study", file]) == 0 and words(fake) == ["train", "eval"]
    del results["style"]
    run.results_file.write_text(json.dumps(results))
    assert main(["study", file]) == 0 and words(fake) == ["train", "eval", "eval"]


def test_a_failed_run_is_reported_and_the_others_continue(here, fake, monkeypatch, capsys):
    execute = fake.execute

    def fails_at_seed_1(self, arguments, log):
        if "-s1" not in arguments[1]:
            return execute(self, arguments, log)
        log.write(b"bar\nwildrobot: the update is not finite\nand was not applied\n")
        log.flush()
        return 2

    monkeypatch.setattr(fake, "execute", fails_at_seed_1)
    assert main(["study", write(arms={"base": {}})]) == 1
    assert (
        "Failed: base, seed 1: the update is not finite and was not applied"
        in Path("runs/studies/tiny/table.md").read_text()
    )
    assert "2 of 3" in capsys.readouterr().out
    assert main(["study", "tiny.yaml", "--table"]) == 0  # by what lies on the disk
    assert "Failed: base, seed 1: the update is not finite" in capsys.readouterr().out
    monkeypatch.setattr(fake, "execute", execute)
    assert main(["study", "tiny.yaml"]) == 0  # tried again, and no longer listed
    assert "Failed" not in Path("runs/studies/tiny/table.md").read_text()


def test_an_unfinished_run_is_resumed_and_a_killed_one_is_named(here, fake, capsys):
    file = write(arms={"base": {}}, seeds=[0])
    fake.codes = {"train": 128 + signal.SIGTERM}
    assert main(["study", file]) == 1
    assert "base, seed 0: unfinished" in capsys.readouterr().out
    fake.codes = {"train": -9}
    assert main(["study", file]) == 1
    assert "killed by signal 9" in capsys.readouterr().out
    run = study_runs(load_study(file)[1])["base"][0]
    run.folder.begin(run.config)
    fake.codes = {}
    assert main(["study", file]) == 0
    assert (
        "--resume" not in fake.calls[0]
        and "--resume" in fake.calls[-2]
        and fake.calls[-1][0] == "eval"
    )
    assert fake.calls[-1][1] == str(run.folder.final)  # not the best by evaluation


def test_a_run_with_a_changed_reference_is_not_done(here, fake, capsys):
    motion = here / "mine.npz"
    motion.write_bytes(motion_file("walk_synthetic").read_bytes())
    file = write(arms={"base": {}}, seeds=[0], set={"amp.reference": str(motion)})
    assert main(["study", file]) == 0 and main(["study", file]) == 0
    assert words(fake) == ["train", "eval"]
    motion.write_bytes(b"another file")
    for code, arguments in ((0, ["study", file, "--table"]), (1, ["study", file])):
        assert main(arguments) == code
        assert f"learned from another file than {motion} is now" in " ".join(
            capsys.readouterr().out.split()
        )
    for results in Path("runs/studies").glob("*/eval_*.json"):
        results.unlink()
    assert main(["study", file]) == 1
    assert words(fake) == ["train", "eval"]  # nor is it judged
    assert "0 of 1" in Path("runs/studies/tiny/table.md").read_text()


def test_a_claimed_run_and_a_foreign_directory_are_left_alone(here, fake, capsys):
    file = write(arms={"base": {}}, seeds=[0, 1])
    first, second = study_runs(load_study(file)[1])["base"].values()
    first.root.mkdir(parents=True)
    second.folder.begin(run_config.load("smoke", ["gamma=0.5"], 1))
    with first._claimed():
        assert main(["study", file]) == 1
    output = capsys.readouterr().out
    assert (
        "Another study is working on it" in output and "holds a run with other settings" in output
    )
    assert fake.calls == []


def test_a_run_with_settings_that_are_refused_fails_alone(here, fake, capsys):
    file = write(arms={"base": {}}, seeds=[0, 1])
    first, second = study_runs(load_study(file)[1])["base"].values()
    first.root.mkdir(parents=True)
    first.folder.begin(first.config)
    first.folder.config.write_text(
        first.folder.config.read_text().replace("loss: lsgan", "loss: hinge")
    )
    assert main(["study", file]) == 1
    assert (
        first.state().name == "failed"
        and "hinge" in first.state().reason
        and second.state().name == "done"
    )


def test_a_signal_stops_the_processes_and_no_new_one_starts(here):
    codes, before, stop = [], signal.getsignal(signal.SIGINT), Stop(here)

    def run(name):
        with open(name, "wb") as log:
            codes.append(processes.run_command(["doctor"], log, stop.file))

    with stop_signals(stop.on_signal):
        thread = threading.Thread(target=run, args=["log"])
        thread.start()
        while not Path("log").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)
        thread.join()
        run("none")
    assert stop.signum == signal.SIGINT
    assert codes[0] in (-signal.SIGTERM, processes.STOPPED) and codes[1] == processes.STOPPED
    assert Path("none").read_bytes() == b""
    assert signal.getsignal(signal.SIGINT) is before


def test_a_process_ends_with_the_one_that_began_it(here):
    """Its standard input ends then, even where SIGKILL ended the other."""
    script = """
from pathlib import Path
from wildrobot_gym.experiments.study.processes import run_command
from wildrobot_gym.files import locked
with locked(Path("log")) as log:
    Path("begun").touch()
    run_command(["doctor"], log, Path("stop"))
"""
    worker = subprocess.Popen([sys.executable, "-c", script])
    while not Path("begun").exists():
        time.sleep(0.01)
    time.sleep(0.2)
    worker.kill()
    worker.wait()
    with Path("log").open("rb") as log:
        fcntl.flock(log, fcntl.LOCK_EX)  # waits for the process, which holds the lock, too
        assert b"JAX" not in log.read()  # which `doctor` prints at its end


def test_any_executor_runs_the_arms(here, fake):
    with ThreadPoolExecutor(2) as executor:
        result = run_study(write(seeds=[0]), executor=executor)
    assert result.complete
    run, _ = result.runs["base"][0]
    assert pickle.loads(pickle.dumps(run)) == run  # as it reaches another process
    with pytest.raises(ConfigError, match="An executor has its own number"):
        run_study("tiny.yaml", executor=executor, jobs=2)


def test_a_run_that_an_executor_loses_has_failed(here, capsys):
    class Lost(Executor):
        def submit(self, fn, /, *args):
            future = Future()
            future.set_exception(BrokenExecutor("the worker died four times"))
            return future

    result = run_study(write(arms={"base": {}}, seeds=[0]), executor=Lost())
    state = result.runs["base"][0][1]
    assert state == State("failed", "BrokenExecutor: the worker died four times")


def test_a_run_in_other_hands_is_waited_for(here, fake):
    """As after the death of a worker, whose training ends a little later."""
    run = study_runs(load_study(write(arms={"base": {}}, seeds=[0]))[1])["base"][0]
    run.root.mkdir(parents=True)
    with run._claimed():
        assert run.execute(here / "stop").name == "elsewhere"
        states = []
        thread = threading.Thread(target=lambda: states.append(run.execute(here / "stop", 60.0)))
        thread.start()
        time.sleep(0.3)
        assert states == []
    thread.join()
    assert [state.name for state in states] == ["done"]


def test_a_worker_that_began_elsewhere_changes_no_directory(here, fake, monkeypatch):
    """Relative paths of the settings begin where the study did."""
    Path("mine.npz").write_bytes(motion_file("walk_synthetic").read_bytes())
    file = write(arms={"base": {}}, seeds=[0], set={"amp.reference": "mine.npz"})
    run = study_runs(load_study(file)[1])["base"][0]
    began = []

    def run_in(arguments, log, stop, cwd):
        began.append(cwd)
        with contextlib.chdir(cwd):
            return fake().execute(arguments, log)

    monkeypatch.setattr(processes, "run_command", run_in)
    monkeypatch.chdir("/")
    assert _execute(here / "stop", 0.0, run)[0] == State("done")
    assert began == [here, here] and Path.cwd() != here
    assert run.folder.path.parent == here / "runs" / "studies" and run.results() is not None
    with pytest.raises(RunError, match="This worker has no directory"):
        _execute(here / "stop", 0.0, replace(run, cwd=here / "gone"))


def test_one_run_at_a_time_on_an_accelerator(monkeypatch):
    """Another process is asked, and not where the platform is chosen to be the CPU."""
    said = []

    def run(command, **_):
        said.append(command)
        return subprocess.CompletedProcess(command, 0, "a notice\ngpu\n", "")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(9), raising=False)
    assert _jobs_that_fit() == 2 and said == []
    monkeypatch.setenv("JAX_PLATFORMS", "cuda,cpu")
    assert _jobs_that_fit() == 1 and len(said) == 1


@pytest.mark.slow
def test_a_real_run_through_train_and_eval(here, monkeypatch):
    """The commands take the arguments that the study makes. They run in this process."""
    small = {
        "n_envs": 8,
        "n_steps": 8,
        "batch_size": 32,
        "n_timesteps": 128,
        "eval.every": 0,
        "amp": None,
    }
    run = study_runs(load_study(write(arms={"base": {}}, seeds=[4], set=small, episodes=1))[1])[
        "base"
    ][4]
    monkeypatch.setattr(processes, "run_command", lambda arguments, *_: main(list(arguments)))
    assert run.execute(here / "stop").name == "done"
    assert main(["study", "tiny.yaml", "--table"]) == 0
    assert checkpoint.read(run.folder.final)[0]["counters"]["num_timesteps"] == 128
    metrics = json.loads(Path("runs/studies/tiny/results.json").read_text())["arms"]["base"][
        "runs"
    ]["4"]["metrics"]
    assert (
        metrics["success"] == 0 and metrics["minutes"] is not None and metrics["style_mean"] is None
    )
