"""One run of a study: trained and judged in processes of its own, and gone on with where an earlier study left it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO

from amp_sbx.common.errors import AMPError
from wildrobot_gym.console.error_handling import complain
from wildrobot_gym.errors import RunError, WildRobotError
from wildrobot_gym.evaluation.benchmark import PROTOCOL
from wildrobot_gym.experiments.study.config import digest
from wildrobot_gym.files import atomic_write, locked
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.config import RunConfig, yaml_io
from wildrobot_gym.training.run_directory import RunDirectory

Execute = Callable[
    [Sequence[str], BinaryIO], int
]  # (arguments of `wildrobot`, where its output goes) -> exit code
FAILED = "study: failed: "  # in a run's log


@dataclass(frozen=True)
class State:
    """done, failed, unfinished, or elsewhere: in another study's hands; and the reason where it failed."""

    name: str
    reason: str = ""


@dataclass(frozen=True)
class StudyRun:
    """A config with its seed, and how its final policy is judged. The same settings are the same run in every study."""

    root: Path
    config: RunConfig
    commands: tuple[float, ...]
    episodes: int

    @property
    def folder(self) -> RunDirectory:
        return RunDirectory(self.root / f"{digest(self.config)}-s{self.config.seed}")

    @property
    def log(self) -> Path:
        """Output of its processes. Beside the folder, which must be empty for a run to begin."""
        return self.folder.path.with_suffix(".log")

    @property
    def results_file(self) -> Path:
        """The benchmark's results; other commands or numbers of episodes have another file."""
        return (
            self.folder.path
            / f"eval_{'_'.join(f'{c:g}' for c in self.commands)}_x{self.episodes}.json"
        )

    def results(self) -> dict[str, Any] | None:
        """What :attr:`results_file` holds; None where there is nothing that counts."""
        return None if self._outdated() else self._stored()

    def _stored(self) -> dict[str, Any] | None:
        """The same, of whatever motion the policy has learned; None where it is missing, damaged, or of another version of the
        benchmark, which came to measure style without another version: results that do not speak of it are made anew.
        """
        try:
            found = json.loads(self.results_file.read_text())
            current = found["protocol"] == PROTOCOL and "style" in found
            return found if current and self.folder.final.is_file() else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _outdated(self) -> str:
        """Why the final policy is none of these settings any more, whose reference is another file by now; else nothing."""
        try:
            if self.folder.final.is_file():
                self.folder.check_motions(self.config, self.folder.final)
        except (OSError, AMPError, WildRobotError) as error:
            return _in_a_line(error)
        return ""

    def state(self) -> State:
        """done, failed or unfinished, by what lies on the disk."""
        if reason := self._outdated():
            return State("failed", reason)
        if self._stored() is not None:
            return State("done")
        try:
            last = self.log.read_text(errors="replace").rstrip().rpartition("\n")[2]
        except OSError:
            return State("unfinished")
        return (
            State("failed", last.removeprefix(FAILED))
            if last.startswith(FAILED)
            else State("unfinished")
        )

    @contextlib.contextmanager
    def _claimed(self) -> Iterator[BinaryIO]:
        """The log, open for this study alone; its processes inherit the lock, so it outlives a study that is killed.

        Raises:
            BlockingIOError: another study is at this run.
        """
        with locked(self.log) as log:
            yield log

    def go(self, execute: Execute) -> State:
        """Train what is left to train, then judge; what is done already is not done again."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with self._claimed() as log:
                state = State("done") if self.results() is not None else self._go(execute, log)
                if state.name == "failed":
                    log.write(f"\n{FAILED}{state.reason}\n".encode())
                return state
        except BlockingIOError:
            return State("elsewhere", "Another study is at it.")
        except OSError as error:
            return State("failed", str(error))

    def _go(self, execute: Execute, log: BinaryIO) -> State:
        if reason := self._outdated():
            return State("failed", reason)
        try:
            steps = self._steps()
        except (OSError, WildRobotError, AMPError) as error:
            return State("failed", _in_a_line(error))
        for arguments in steps:
            log.write(f"\nwildrobot {' '.join(arguments)}\n".encode())
            log.flush()
            offset = log.tell()
            code = execute(arguments, log)
            if code in (128 + signal.SIGINT, 128 + signal.SIGTERM, -signal.SIGINT, -signal.SIGTERM):
                return State("unfinished")
            if code != 0:
                return State(
                    "failed", _reason(self.log.read_bytes()[offset:].decode(errors="replace"), code)
                )
        return State("done")

    def _steps(self) -> list[list[str]]:
        """Arguments of ``wildrobot`` for what is left to do."""
        folder = self.folder
        began = folder.holds_a_run()
        if began and digest(run_config.from_mapping(folder.read_config())) != digest(self.config):
            raise RunError(f"{folder.path} holds a run of other settings. Move it away.")
        steps = []
        if not folder.final.is_file():
            config_file = folder.path.with_suffix(".yaml")
            with atomic_write(config_file) as stream:
                stream.write(yaml_io.dump(self.config.to_mapping()).encode())
            steps.append(
                [
                    "train",
                    str(config_file),
                    "--out",
                    str(folder.path),
                    *(["--resume"] if began else []),
                ]
            )
        commands = [f"{command:g}" for command in self.commands]
        protocol = [
            "--commands",
            *commands,
            "--episodes",
            str(self.episodes),
            "--json",
            str(self.results_file),
        ]
        return [*steps, ["eval", str(folder.final), *protocol]]


def _in_a_line(error: Exception) -> str:
    """A message as a log's last line holds it, from where it is read back."""
    return " ".join(str(error).split())


def _reason(output: str, code: int) -> str:
    """Why a process failed, in one line: its message, or the last that it said."""
    if code < 0:
        return f"killed by signal {-code}."
    lines = output.strip().splitlines() or [f"exit code {code}, without a word."]
    messages = [i for i, line in enumerate(lines) if line.startswith("wildrobot: ")]
    return " ".join(lines[messages[-1] :] if messages else lines[-1:]).removeprefix("wildrobot: ")


class Processes:
    """The processes of a study. A signal to the study stops them, with checkpoints, and no further ones begin.

    They are no part of the terminal's group: Ctrl-C would reach them beside the signal from here, and the second one stops
    a training at once, without a checkpoint.
    """

    def __init__(self) -> None:
        self.signum: int | None = None
        self._running: set[subprocess.Popen[bytes]] = set()

    def on_signal(self, signum: int, _: FrameType | None) -> None:
        """For ``guard.stop_signals``."""
        self.signum = signum
        complain(
            "wildrobot",
            "Stopping; runs in work write a checkpoint first. Once more: they stop at once, without one.",
        )
        for process in list(self._running):
            process.terminate()

    def execute(self, arguments: Sequence[str], log: BinaryIO) -> int:
        """Run ``wildrobot`` with ``arguments``; its exit code, negative where a signal killed it."""
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
            if self.signum is not None:  # it came while the process was being made
                process.terminate()
            return process.wait()
        finally:
            self._running.discard(process)
