"""Several processes that train one policy together, by JAX's distributed runtime.

Each runs the same program. Process 0 alone writes files, evaluates and reports.
"""

from __future__ import annotations

import atexit
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import jax
import numpy as np

from amp_sbx.algorithm.meeting import gathered, meet
from amp_sbx.common.errors import LostProcessError
from amp_sbx.common.memory import is_out_of_memory
from wildrobot_gym.console.exit_codes import BAD_INPUT
from wildrobot_gym.errors import ConfigError, RunError
from wildrobot_gym.reporting import SILENT, Reporter

JOIN_SECONDS = 60  # for all processes to find each other
LOST_SECONDS = 30  # without a sign of life, a process counts as lost
LEAVE_SECONDS = 2

LAUNCHERS = {
    "SLURM": ("SLURM_NTASKS", "SLURM_PROCID"),
    "Open MPI": ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
}
"""The variables in which a launcher gives the number of processes, and this one's own."""

# JAX finds Open MPI's coordinator by the first, which Open MPI 5 no longer sets.
COORDINATORS = ("OMPI_MCA_orte_hnp_uri", "JAX_COORDINATOR_ADDRESS")


def is_leader() -> bool:
    """Whether this process writes the files: the only one, or process 0."""
    return bool(jax.process_index() == 0)


@contextmanager
def joined(
    coordinator: str | None = None,
    num_processes: int | None = None,
    process_id: int | None = None,
    report: Reporter = SILENT,
    seconds: int = JOIN_SECONDS,
) -> Iterator[None]:
    """Be one of several processes while this is open.

    What is not given, SLURM's or Open MPI's environment says. Without arguments, and where neither
    started several processes, nothing is done. JAX must not have been used before.

    Args:
        coordinator: Address of process 0, as "host:port". Open MPI 5 does not say it.
        num_processes: Number of processes.
        process_id: Number of this process, from 0.
        report: Receives a message.
        seconds: Time limit for all processes to be there.

    Raises:
        ConfigError: Some of the arguments are missing or out of range.
        RunError: The coordinator or a process does not answer in time.
    """
    given = (coordinator, num_processes, process_id)
    launcher = _launcher()
    if given == (None, None, None) and launcher is None:
        yield
        return
    if launcher is not None and num_processes is None and process_id is None:
        num_processes, process_id = _numbers(launcher, coordinator)
    if given != (None, None, None):
        _check(coordinator, num_processes, process_id)
    where = coordinator or f"the one that {launcher} names"
    end = time.monotonic() + seconds
    if coordinator is not None and process_id:
        _wait_for(coordinator, seconds)
    # A lost process is then an error here; otherwise, JAX ends this process without one.
    jax.config.update("jax_enable_recoverability", True)  # type: ignore[no-untyped-call]
    try:
        jax.distributed.initialize(
            coordinator,
            num_processes,
            process_id,
            initialization_timeout=max(1, round(end - time.monotonic())),
            heartbeat_timeout_seconds=LOST_SECONDS,
        )
    except Exception as error:  # JAX, gRPC and the launchers' readers raise many kinds
        raise RunError(
            f"The processes did not all meet within {seconds} s; the coordinator is {where}."
            f" Start all of them, with the same address and number. {_first_line(error)}"
        ) from error
    report.info(
        f"process {jax.process_index()} of {jax.process_count()}, {jax.device_count()} devices"
    )
    try:
        yield
    except BaseException as error:
        if jax.process_count() > 1:
            # JAX would say goodbye to processes that are gone, and end this one by an abort.
            code = BAD_INPUT if isinstance(error, Exception) else 128 + signal.SIGINT
            atexit.register(_leave_at_once, code)
        raise
    meet()
    if is_leader():
        time.sleep(LEAVE_SECONDS)  # the others say goodbye to it first
    with suppress(Exception):
        jax.distributed.shutdown()  # type: ignore[no-untyped-call]


def _leave_at_once(code: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _launcher() -> str | None:
    """The launcher that started several processes, if any."""
    for name, variables in LAUNCHERS.items():
        number, rank = (os.environ.get(variable, "") for variable in variables)
        # A SLURM allocation sets the variable for its first shell, too, but names no step's nodes.
        started = name != "SLURM" or "SLURM_STEP_NODELIST" in os.environ
        if started and number.isdigit() and rank.isdigit() and int(number) > 1:
            return name
    return None


def _numbers(launcher: str, coordinator: str | None) -> tuple[int, int]:
    """The number of processes and this one's, as the launcher gives them."""
    number, rank = (int(os.environ[name]) for name in LAUNCHERS[launcher])
    if launcher == "Open MPI" and coordinator is None and not {*COORDINATORS} & {*os.environ}:
        raise ConfigError(
            f"Open MPI started {number} processes, but names no coordinator (its version 5 does"
            " not). Give all of them --coordinator host:port, the host of process 0 and a free port"
            f" there. --num-processes {number} and --process-id {rank} (here, the rank in"
            " $OMPI_COMM_WORLD_RANK) are then known and can be left out."
        )
    return number, rank


def _check(coordinator: str | None, num_processes: int | None, process_id: int | None) -> None:
    if coordinator is None or num_processes is None or process_id is None:
        raise ConfigError(
            "Several processes need all of coordinator, num_processes and process_id; got"
            f" {coordinator!r}, {num_processes!r} and {process_id!r}."
        )
    if num_processes < 1 or not 0 <= process_id < num_processes:
        raise ConfigError(
            f"process_id is {process_id} and num_processes is {num_processes}; allowed: 1 or more"
            " processes, numbered from 0."
        )
    host, _, port = coordinator.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(
            f"coordinator is {coordinator!r}; give host:port, for instance 10.0.0.1:4321."
        )


def _wait_for(coordinator: str, seconds: float) -> None:
    """Wait until the coordinator accepts connections."""
    host, _, port = coordinator.rpartition(":")
    end = time.monotonic() + seconds
    while True:
        try:
            left = max(end - time.monotonic(), 0.1)
            socket.create_connection((host, int(port)), timeout=min(left, 5.0)).close()
            return
        except OSError as error:
            if time.monotonic() >= end:
                raise RunError(
                    f"The coordinator {coordinator} did not answer within {seconds:g} s: {error}."
                    " Start process 0 there, and check the address, the port and the firewall."
                ) from error
            time.sleep(0.2)


def agreed(signum: int | None) -> int | None:
    """A signal that any process received, so that all stop after the same iteration."""
    if jax.process_count() == 1:
        return signum
    return int(np.max(gathered(np.int32(signum or 0)))) or None


@contextmanager
def lost_processes_named(newest: str) -> Iterator[None]:
    """Turn JAX's errors about the other processes into one that says what to do.

    Args:
        newest: Where to continue from.

    Raises:
        RunError: Another process ended or cannot be reached.
    """
    try:
        yield
    except (LostProcessError, jax.errors.JaxRuntimeError) as error:
        if jax.process_count() == 1 or is_out_of_memory(error):
            raise
        raise RunError(
            f"Training stops, because another process was lost: {_first_line(error)}"
            f" Start all processes again with --resume; the newest checkpoint is in {newest}."
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
