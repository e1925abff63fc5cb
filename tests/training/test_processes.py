"""Several processes that train together, on this machine's loopback."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest

from amp_sbx import OutOfMemoryError
from amp_sbx.common import archive
from amp_sbx.common.memory import within_memory
from wildrobot_gym.errors import ConfigError, RunError
from wildrobot_gym.training import processes
from wildrobot_gym.training.processes import COORDINATORS, joined, lost_processes_named

PROGRAM = Path(__file__).with_name("two_processes.py")


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def start(folder, iterations, number=2, die_after=None):
    """The processes; the last one dies after `die_after` iterations."""
    address, processes = f"127.0.0.1:{free_port()}", []
    for own in range(number):
        last = [str(die_after)] if die_after and own == number - 1 else []
        arguments = [address, str(number), str(own), str(folder), str(iterations), *last]
        processes.append(
            subprocess.Popen(
                [sys.executable, str(PROGRAM), *arguments],
                env={k: v for k, v in os.environ.items() if k != "XLA_FLAGS"},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    return processes


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """What one process learns."""
    folder = tmp_path_factory.mktemp("alone")
    sys.path.insert(0, str(PROGRAM.parents[1] / "amp_sbx"))
    from functional_envs import ITERATION, PointMass, point_model

    model = point_model(PointMass(), learning_rate=1e-3).learn(20 * ITERATION)
    model.save(folder / "alone.zip")
    return folder / "alone.zip", np.asarray(model._last_obs)


@pytest.mark.slow
def test_two_processes_learn_what_one_does(alone, tmp_path):
    processes = start(tmp_path, 20)
    for process in processes:
        _, said = process.communicate(timeout=300)
        assert process.returncode == 0, said[-3000:]
    together, one = archive.read(tmp_path / "together.zip")[1], archive.read(alone[0])[1]
    assert together.keys() == one.keys()
    for name in one:
        np.testing.assert_allclose(together[name], one[name], atol=1e-5, rtol=1e-5, err_msg=name)
    np.testing.assert_allclose(np.load(tmp_path / "obs.npy"), alone[1], atol=1e-4)


@pytest.mark.slow
def test_a_lost_process_ends_the_other_within_a_minute(tmp_path):
    first, second = start(tmp_path, 1_000_000, die_after=5)
    second.communicate(timeout=300)
    assert second.returncode == -signal.SIGKILL
    lost = time.monotonic()
    _, said = first.communicate(timeout=120)
    assert time.monotonic() - lost < 60
    assert first.returncode == 2
    assert "process 1 of 2 ended or cannot be reached" in said
    assert f"the newest checkpoint is in {tmp_path}" in said


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("127.0.0.1:4321", 2, None), "all of coordinator, num_processes and process_id"),
        (("127.0.0.1:4321", 2, 2), "process_id is 2 and num_processes is 2"),
        (("127.0.0.1", 2, 0), "give host:port"),
        (("127.0.0.1:port", 2, 0), "give host:port"),
    ],
)
def test_arguments_that_do_not_fit(arguments, what):
    with pytest.raises(ConfigError, match=what), joined(*arguments):
        pass


def test_a_coordinator_that_does_not_answer_is_named_with_the_time_limit():
    address = f"127.0.0.1:{free_port()}"
    with (
        pytest.raises(RunError, match=f"coordinator {address} did not answer within 1 s"),
        joined(address, 2, 1, seconds=1),
    ):
        pass


def test_one_process_joins_nothing(monkeypatch):
    """A SLURM allocation's first shell has the number of tasks, but is no step of them."""
    monkeypatch.setenv("SLURM_NTASKS", "4")
    monkeypatch.delenv("SLURM_STEP_NODELIST", raising=False)
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "1")
    with joined():
        pass


def test_open_mpi_5_needs_a_coordinator_and_gives_the_numbers(monkeypatch):
    """The time that was spent on waiting for the coordinator is no longer JAX's."""
    for name in COORDINATORS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "4")
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "3")
    told = r"--coordinator host:port.* --num-processes 4 and --process-id 3"
    with pytest.raises(ConfigError, match=told), joined():
        pass
    with pytest.raises(ConfigError, match="need all of"), joined("127.0.0.1:4321", 4):
        pass

    def initialize(*given, initialization_timeout, **_):
        raise ValueError(f"{given} within {initialization_timeout}")

    monkeypatch.setattr(jax.distributed, "initialize", initialize)
    monkeypatch.setattr(processes, "_wait_for", lambda *_: time.sleep(1.0))
    expected = r"coordinator is 127.0.0.1:4321.*\('127.0.0.1:4321', 4, 3\) within 2"
    with pytest.raises(RunError, match=expected), joined("127.0.0.1:4321", seconds=3):
        pass


def test_a_full_memory_is_no_lost_process(monkeypatch):
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    full = jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes.")
    with (
        pytest.raises(OutOfMemoryError, match="8 environments do not fit the memory; about 4"),
        within_memory(8),
        lost_processes_named("runs/x"),
    ):
        raise full
    with pytest.raises(RunError, match="another process was lost"), lost_processes_named("runs/x"):
        raise jax.errors.JaxRuntimeError("UNAVAILABLE: Connection reset by peer")
