"""Runs commands as real processes."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from subjects import Subject

TIMEOUT_S = 600
LOG = "output.log"
KEPT = (".lock",)  # hidden files that are no rubbish


@dataclass(frozen=True)
class Life:
    """One process of a command.

    Attributes:
        code: Its exit code; negative where a signal killed it.
        output: What it printed.
        answer_s: Seconds from the signal to its end; None where it ended before.
        stage: The last line that it had printed before the signal.
    """

    code: int
    output: str
    answer_s: float | None = None
    stage: str = ""


class Command:
    """A command and the folder that it runs in.

    Args:
        subject: What to run.
        folder: Where it runs; made here.
        cache: Folder of compiled programs.
    """

    def __init__(self, subject: Subject, folder: Path, cache: Path) -> None:
        self.subject, self.folder = subject, folder
        self._cache = cache
        self._begun = False
        folder.mkdir(parents=True)
        subject.prepare(folder)

    def start(
        self, prefix: tuple[str, ...] = (), log: str = LOG, **popen: object
    ) -> subprocess.Popen:
        """The process, begun or continued, which prints into `log`."""
        arguments = self.subject.arguments(self.folder, self._begun)
        self._begun = True
        environment = {"WILDROBOT_CACHE": str(self._cache), "PYTHONUNBUFFERED": "1"}
        with (self.folder / log).open("wb") as output:
            return subprocess.Popen(
                [*prefix, sys.executable, "-m", "wildrobot_gym.cli.main", *arguments],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                start_new_session=True,
                **popen,  # type: ignore[call-overload]
            )

    def finish(self, process: subprocess.Popen, asked: float | None = None, log: str = LOG) -> Life:
        """Wait for its end; `asked` is when a signal was sent."""
        try:
            code = process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            code = process.wait()
        answer = None if asked is None else time.monotonic() - asked
        return Life(code, (self.folder / log).read_text(errors="replace"), answer)

    def run(self) -> Life:
        """One process, from its start to its end."""
        return self.finish(self.start())

    def interrupt(self, name: str, after_s: float) -> Life:
        """One process that gets a signal, if it lives for so long.

        A terminal sends Ctrl-C to all processes of a command. Other signals go to one.
        """
        process = self.start()
        try:
            process.wait(after_s)
            return self.finish(process)
        except subprocess.TimeoutExpired:
            stage = last_line((self.folder / LOG).read_text(errors="replace"))
            send = os.killpg if name == "SIGINT" else os.kill
            send(process.pid, getattr(signal, name))
            return replace(self.finish(process, time.monotonic()), stage=stage)

    def limited(self, most_bytes: int) -> Life:
        """One process whose files cannot grow beyond a size."""

        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))

        return self.finish(self.start(preexec_fn=limit))

    def unfinished(self) -> list[str]:
        """Files that nobody will finish."""
        return [path.name for path in self.folder.rglob(".*") if path.name not in KEPT]


def last_line(output: str) -> str:
    """The last line of an output, cut to 160 characters."""
    return (output.strip().splitlines() or [""])[-1][:160]


def on_disk(command: Command, num_bytes: int, options: str) -> Life:
    """One process of a command whose folder is a disk of a size, copied back in the end.

    It needs Linux's user namespaces.
    """
    disk = (
        'set -e; before=$1; after=$2; cp -a . "$before"; mount -t tmpfs -o size=$3 none "$PWD";'
        ' cd "$PWD"; cp -a "$before"/. .; if [ -n "$4" ]; then mount -o "remount,$4" "$PWD"; fi;'
        ' shift 4; code=0; "$@" || code=$?;'
        ' echo "exit code $code"; cp -a . "$after"; exit $code'
    )
    with tempfile.TemporaryDirectory() as before, tempfile.TemporaryDirectory() as after:
        disk_of = (before, after, str(num_bytes), options)
        life = command.finish(command.start(("unshare", "-rm", "sh", "-c", disk, "sh", *disk_of)))
        assert "exit code" in life.output, life.output  # else the disk was not made
        printed = (command.folder / LOG).read_bytes()
        shutil.rmtree(command.folder)
        shutil.copytree(after, command.folder, symlinks=True)
        (command.folder / LOG).write_bytes(printed)
    return life


def disks_can_be_made() -> bool:
    """Whether `on_disk` works on this machine."""
    try:
        probe = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
