"""A study on a real Dask scheduler, and a worker that is killed."""

import contextlib
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from study_files import write

from amp_sbx.common import archive as checkpoint
from wildrobot_gym.errors import RunError
from wildrobot_gym.experiments.study.cluster import dask_executor
from wildrobot_gym.experiments.study.config import load_study
from wildrobot_gym.experiments.study.study import run_study, study_runs


def test_no_scheduler_is_a_clear_error(here):
    with pytest.raises(RunError, match=r"No Dask scheduler answers at tcp://127.0.0.1:9"):
        held_open(dask_executor("tcp://127.0.0.1:9", timeout_s=0.5))
    with pytest.raises(RunError, match=r"no Dask scheduler file none\.json"):
        held_open(dask_executor("none.json", timeout_s=0.5))


def held_open(context):
    with context:
        raise AssertionError("it answered")


@pytest.mark.slow
def test_a_killed_dask_worker_loses_nothing(here):
    """The arm of the killed one resumes from its last checkpoint on the other worker."""
    small = {"n_envs": 8, "n_steps": 8, "batch_size": 32, "n_timesteps": 4096, "eval.every": 0}
    file = write(
        arms={"base": {}}, seeds=[4], set=small | {"amp": None, "checkpoint_every": 64}, episodes=1
    )
    run = study_runs(load_study(file)[1])["base"][4]
    with contextlib.ExitStack() as held:

        def start(*command):
            log = held.enter_context(open("dask.log", "ab"))
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *command], stdout=log, stderr=log
            )
            held.callback(process.wait)
            held.callback(process.kill)
            return process

        start("scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", "dask.json")
        until(Path("dask.json").exists)
        one = ("worker", "--scheduler-file", "dask.json", "--nthreads", "1", "--no-nanny")
        first = start(*one, "--no-dashboard")
        results = []
        with dask_executor("dask.json") as executor:
            thread = threading.Thread(
                target=lambda: results.append(run_study(file, executor=executor))
            )
            thread.start()
            until(run.folder.checkpoints)
            start(*one, "--no-dashboard")
            first.kill()
            thread.join()
    assert results[0].complete
    log = run.log.read_text()
    resumed = re.search(r"resuming at ([\d,]+) steps", log)
    assert resumed and 0 < int(resumed[1].replace(",", "")) < 4096
    assert log.count("Done: ") == 1 and run.results() is not None
    assert checkpoint.read(run.folder.final)[0]["counters"]["num_timesteps"] == 4096


def until(condition):
    while not condition():
        time.sleep(0.05)
