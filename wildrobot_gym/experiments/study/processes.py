"""The processes of a study, and how they stop: on a signal, or with the process that began them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import BinaryIO

from wildrobot_gym.reporting import SILENT, Reporter

LAUNCHER_PREFIXES = ("SLURM_", "OMPI_", "PMI_", "PMIX_")
POLL_S = 0.5
STOPPED = 128 + signal.SIGTERM


class Stop:
    """Stops the runs of a study by a file, which all machines of a shared file system see.

    Args:
        folder: Where the file appears on a signal.
        report: Receives a message when a signal arrives.
    """

    def __init__(self, folder: Path, report: Reporter = SILENT) -> None:
        self.signum: int | None = None
        self.file = folder.absolute() / f".stop-{uuid.uuid4().hex}"
        self._report = report

    def on_signal(self, signum: int, _: FrameType | None) -> None:
        """Stop the runs; a handler for `console.signals.stop_signals`."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text("" if self.signum is None else "now")
        self.signum = signum
        self._report.warning(
            "Stopping. Each run writes a checkpoint first; a second signal stops it at once,"
            " without one."
        )


def run_command(
    arguments: Sequence[str], log: BinaryIO, stop: Path, cwd: Path | None = None
) -> int:
    """Run one `wildrobot` command in a separate process.

    The process stops, with a checkpoint, where its standard input ends. That happens when `stop`
    appears, and when this process dies, however it dies. Another process can then resume the run.

    The process is not in the terminal's group. Otherwise Ctrl-C would reach it twice, and a second
    signal stops a training at once, without a checkpoint.

    Args:
        arguments: The arguments of `wildrobot`.
        log: Receives the output.
        stop: A file. No process begins where it exists. One that runs gets a second signal, which
            stops it at once, when the file has a content.
        cwd: Directory that it runs in; this process's own if None.

    Returns:
        The exit code; negative if a signal killed the process.
    """
    if stop.exists():
        return STOPPED
    process = subprocess.Popen(
        [sys.executable, "-m", "wildrobot_gym.cli.child", *arguments],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=subprocess.STDOUT,
        env={**_own_environment(), "PYTHONUNBUFFERED": "1"},
        cwd=cwd,
        start_new_session=True,
    )
    assert process.stdin is not None  # for the type checker: it is a pipe
    at_once = False
    with process.stdin as until_stopped:
        while process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(POLL_S)
            asked = _content(stop)
            if asked is not None and not until_stopped.closed:
                until_stopped.close()
            elif asked and not at_once:
                at_once = True
                process.terminate()
    return process.returncode


def on_accelerator() -> bool:
    """Whether JAX's default device is an accelerator.

    Another process finds out: this one would hold the device's memory, which the runs need.
    """
    chosen = os.environ.get("JAX_PLATFORMS") or ""
    if chosen.startswith("cpu"):
        return False
    asked = subprocess.run(
        [sys.executable, "-c", "import jax; print(jax.default_backend())"],
        env={**_own_environment(), "XLA_PYTHON_CLIENT_PREALLOCATE": "false"},
        capture_output=True,
        text=True,
    )
    # One that fails will fail in the runs, too, and there it is reported.
    return asked.returncode == 0 and asked.stdout.split()[-1:] != ["cpu"]


def _own_environment() -> dict[str, str]:
    """The environment's variables without a launcher's.

    A worker that SLURM or Open MPI started is one of many processes. The run that it trains is not.
    """
    return {name: x for name, x in os.environ.items() if not name.startswith(LAUNCHER_PREFIXES)}


def _content(stop: Path) -> str | None:
    try:
        return stop.read_text()
    except FileNotFoundError:
        return None
