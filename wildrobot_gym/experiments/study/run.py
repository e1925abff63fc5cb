"""One run of a study: trained and evaluated in separate processes, and resumed where needed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from amp_sbx.common.errors import AMPError
from wildrobot_gym import json_io, yaml_io
from wildrobot_gym.console.signals import STOPPING
from wildrobot_gym.errors import RunError, WildRobotError
from wildrobot_gym.evaluation.protocol import PROTOCOL
from wildrobot_gym.evaluation.suites.catalog import FLAT
from wildrobot_gym.experiments.study import processes
from wildrobot_gym.experiments.study.config import digest
from wildrobot_gym.files import atomic_write, locked
from wildrobot_gym.physics.backends import AUTO
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.config import RunConfig
from wildrobot_gym.training.run_directory import RunDirectory

FAILED = "study: failed: "  # in a run's log


@dataclass(frozen=True)
class State:
    """What has become of a run.

    Attributes:
        name: done, failed, unfinished, or elsewhere (another study is working on it).
        reason: Why it failed.
    """

    name: str
    reason: str = ""


@dataclass(frozen=True)
class StudyRun:
    """One run: a config with its seed, and how its final policy is evaluated.

    Equal settings are the same run in every study.

    Attributes:
        root: Directory of the runs of all studies; an absolute path.
        config: The run's settings.
        commands: Forward speeds of the evaluation, in m/s.
        episodes: Episodes for each command, and in each row of a suite.
        suite: `flat`, or `all` suites of the benchmark.
        cwd: Where the study began: relative paths in the settings begin there, on every machine.
    """

    root: Path
    config: RunConfig
    commands: tuple[float, ...]
    episodes: int
    suite: str
    cwd: Path

    @property
    def folder(self) -> RunDirectory:
        """The run directory."""
        return RunDirectory(self.root / f"{digest(self.config)}-s{self.config.seed}")

    @property
    def log(self) -> Path:
        """Output of its processes, beside the run directory, which must be empty at first."""
        return self.folder.path.with_suffix(".log")

    @property
    def results_file(self) -> Path:
        """The benchmark's results. Other commands, episodes or suites have another file."""
        speeds = "_".join(f"{c:g}" for c in self.commands)
        suite = "" if self.suite == FLAT.name else f"_{self.suite}"
        return self.folder.path / f"eval_{speeds}_x{self.episodes}{suite}.json"

    def results(self) -> dict[str, Any] | None:
        """The content of `results_file`; None if there is none that counts."""
        return None if self._outdated() else self._stored()

    def _stored(self) -> dict[str, Any] | None:
        """The content of `results_file`; None if it is missing, damaged or of another version."""
        try:
            found = json_io.read(self.results_file)
            current = found["protocol"] == PROTOCOL and "style" in found
            return found if current and self.folder.final.is_file() else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _outdated(self) -> str:
        """Why the final policy no longer counts: its reference is another file now. Else ""."""
        try:
            if self.folder.final.is_file():
                self.folder.check_motions(self.config, self.folder.final, self.cwd)
        except (OSError, AMPError, WildRobotError) as error:
            return _in_a_line(error)
        return ""

    def state(self) -> State:
        """The state of the run by the files on the disk."""
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
    def _claimed(self, wait_s: float = 0.0) -> Iterator[BinaryIO]:
        """The log, locked for this study. Its processes inherit the lock, even of a killed study.

        Raises:
            BlockingIOError: Another study is working on this run.
        """
        give_up = time.monotonic() + wait_s
        with contextlib.ExitStack() as held:
            while True:
                try:
                    log = held.enter_context(locked(self.log))
                    break
                except BlockingIOError:
                    if time.monotonic() >= give_up:
                        raise
                    time.sleep(min(1.0, wait_s))
            yield log

    def execute(self, stop: Path, wait_s: float = 0.0) -> State:
        """Train, then evaluate. What is done already is not done again.

        Args:
            stop: A file that stops the run when it appears, see `run_command`.
            wait_s: Seconds to wait for a run that is in other hands. After a worker has died, its
                training writes a last checkpoint.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with self._claimed(wait_s) as log:
                state = State("done") if self.results() is not None else self._execute(stop, log)
                if state.name == "failed":
                    log.write(f"\n{FAILED}{state.reason}\n".encode())
                return state
        except BlockingIOError:
            return State("elsewhere", "Another study is working on it.")
        except OSError as error:
            return State("failed", str(error))

    def _execute(self, stop: Path, log: BinaryIO) -> State:
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
            code = processes.run_command(arguments, log, stop, self.cwd)
            if code in {-signum for signum in STOPPING} | {128 + signum for signum in STOPPING}:
                return State("unfinished")
            if code != 0:
                return State(
                    "failed", _reason(self.log.read_bytes()[offset:].decode(errors="replace"), code)
                )
        return State("done")

    def _is_of(self, stored: RunConfig) -> bool:
        """Whether a run was begun with these settings; "auto" allows every engine."""
        if self.config.env.backend == AUTO:
            stored = replace(stored, env=replace(stored.env, backend=AUTO))
        return digest(stored) == digest(self.config)

    def _steps(self) -> list[list[str]]:
        """The commands that are left to run, as arguments of `wildrobot`."""
        folder = self.folder
        begun = folder.holds_a_run()
        if begun and not self._is_of(run_config.from_mapping(folder.read_config())):
            raise RunError(f"{folder.path} holds a run with other settings. Move it away.")
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
                    "--no-report",
                    *(["--resume"] if begun else []),
                ]
            )
        commands = [f"{command:g}" for command in self.commands]
        protocol = [
            "--commands",
            *commands,
            "--episodes",
            str(self.episodes),
            "--suite",
            self.suite,
            "--backend",
            "native",  # one engine judges all runs, whatever the worker has
            "--json",
            str(self.results_file),
        ]
        return [*steps, ["eval", str(folder.final), *protocol]]


def _in_a_line(error: Exception) -> str:
    """A message in one line, as the log's last line holds it."""
    return " ".join(str(error).split())


def _reason(output: str, code: int) -> str:
    """Why a process failed, in one line: its error message, or else its last output."""
    if code < 0:
        return f"killed by signal {-code}."
    lines = output.strip().splitlines() or [f"exit code {code}, without any output."]
    messages = [i for i, line in enumerate(lines) if line.startswith("wildrobot: ")]
    return " ".join(lines[messages[-1] :] if messages else lines[-1:]).removeprefix("wildrobot: ")
