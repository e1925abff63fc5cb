"""The processes of a study, and how a signal stops them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType
from typing import BinaryIO

from wildrobot_gym.reporting import SILENT, Reporter


class Processes:
    """Runs `wildrobot` commands. A signal stops them, with checkpoints, and no new one starts.

    The processes are not in the terminal's group. Otherwise Ctrl-C would reach them twice, and a
    second signal stops a training at once, without a checkpoint.

    Args:
        report: Receives a message when a signal arrives.
    """

    def __init__(self, report: Reporter = SILENT) -> None:
        self.signum: int | None = None
        self._report = report
        self._running: set[subprocess.Popen[bytes]] = set()

    def on_signal(self, signum: int, _: FrameType | None) -> None:
        """Stop the processes; a handler for `console.signals.stop_signals`."""
        self.signum = signum
        self._report.warning(
            "Stopping. Each run writes a checkpoint first; a second signal stops it at once,"
            " without one."
        )
        for process in list(self._running):
            process.terminate()

    def execute(self, arguments: Sequence[str], log: BinaryIO) -> int:
        """Run one command.

        Args:
            arguments: The arguments of `wildrobot`.
            log: Receives the output.

        Returns:
            The exit code; negative if a signal killed the process.
        """
        if self.signum is not None:
            return 128 + self.signum
        process = subprocess.Popen(
            [sys.executable, "-m", "wildrobot_gym.cli.main", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
        self._running.add(process)
        try:
            if self.signum is not None:  # it arrived while the process was being made
                process.terminate()
            return process.wait()
        finally:
            self._running.discard(process)
