"""Interrupts commands, starts them again, and compares: `make crash N=100`, on Linux or macOS.

A real process gets a signal at a drawn moment. Or its files cannot grow, or its disk is full or
read-only. In the end the same files must be there, with the same bits.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from subjects import SUBJECTS, Subject  # noqa: E402

SIGNALS = ("SIGKILL", "SIGTERM", "SIGHUP", "SIGINT")
DISKS = ("limit on file sizes", "full disk", "read-only disk")
LONGEST_ANSWER_S = 5.0
EARLIEST_S = 1.0  # Python has started, and imported what finds the command
MOST_LIVES = 4  # signals for one folder, before a process runs to its end
TIMEOUT_S = 600
KEPT = (".lock",)  # hidden files that are no rubbish


@dataclass
class Tally:
    """What came of the interruptions of one command.

    Attributes:
        tried: Interruptions, by kind.
        answers: Seconds from a signal to the end of the process, and its last line.
        faults: What must not be, in words.
    """

    tried: Counter[str] = field(default_factory=Counter)
    answers: list[tuple[float, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Life:
    """One process of a command.

    Attributes:
        code: Its exit code; negative where a signal killed it.
        output: What it printed.
        answer_s: Seconds from the signal to its end; None where it ended before.
    """

    code: int
    output: str
    answer_s: float | None = None


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

    def start(self, prefix: tuple[str, ...] = (), **popen: object) -> subprocess.Popen:
        """The process, begun or continued."""
        arguments = self.subject.arguments(self.folder, self._begun)
        self._begun = True
        environment = {"WILDROBOT_CACHE": str(self._cache), "PYTHONUNBUFFERED": "1"}
        with (self.folder / "output.log").open("wb") as log:
            return subprocess.Popen(
                [*prefix, sys.executable, "-m", "wildrobot_gym.cli.main", *arguments],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                start_new_session=True,
                **popen,  # type: ignore[call-overload]
            )

    def finish(self, process: subprocess.Popen, asked: float | None = None) -> Life:
        """Wait for its end; `asked` is when a signal was sent."""
        try:
            code = process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            code = process.wait()
        answer = None if asked is None else time.monotonic() - asked
        return Life(code, (self.folder / "output.log").read_text(errors="replace"), answer)

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
            send = os.killpg if name == "SIGINT" else os.kill
            send(process.pid, getattr(signal, name))
            return self.finish(process, time.monotonic())

    def limited(self, most_bytes: int) -> Life:
        """One process whose files cannot grow beyond a size."""

        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))

        return self.finish(self.start(preexec_fn=limit))

    def unfinished(self) -> list[str]:
        """Files that nobody will finish."""
        return [path.name for path in self.folder.rglob(".*") if path.name not in KEPT]


def on_disk(command: Command, num_bytes: int, options: str) -> Life:
    """One process of a command whose folder is a disk of a size, copied back in the end.

    It needs Linux's user namespaces.
    """
    disk = (
        'set -e; cp -a . "$1"; mount -t tmpfs -o size=$2 none "$PWD"; cd "$PWD"; cp -a "$1"/. .;'
        ' if [ -n "$3" ]; then mount -o "remount,$3" "$PWD"; fi; shift 3; code=0; "$@" || code=$?;'
        ' echo "exit code $code"; cp -a . "$KEEP"; exit $code'
    )
    with tempfile.TemporaryDirectory() as before, tempfile.TemporaryDirectory() as after:
        os.environ["KEEP"] = after
        prefix = ("unshare", "-rm", "sh", "-c", disk, "sh", before, str(num_bytes), options)
        life = command.finish(command.start(prefix))
        assert "exit code" in life.output, life.output  # else the disk was not made
        log = (command.folder / "output.log").read_bytes()
        shutil.rmtree(command.folder)
        shutil.copytree(after, command.folder, symlinks=True)
        (command.folder / "output.log").write_bytes(log)
    return life


def disks_can_be_made() -> bool:
    """Whether `on_disk` works on this machine."""
    try:
        probe = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def attempt(name: str, interruptions: int, seed: int = 0, disks: bool = True) -> Tally:
    """Interrupt one command so many times, and count what comes of it.

    Args:
        name: A command of `SUBJECTS`.
        interruptions: How many times.
        seed: Of what is drawn.
        disks: Let the disk fail, too, in one of five folders.
    """
    subject, tally = SUBJECTS[name], Tally()
    rng = np.random.default_rng([seed, *name.encode()])
    with tempfile.TemporaryDirectory(prefix="crash-") as place:
        cache = Path(place) / "cache"
        for folder in ("warm", "straight"):  # the first one compiles
            straight = Command(subject, Path(place) / folder, cache)
            began = time.monotonic()
            life = straight.run()
            duration = time.monotonic() - began
            assert life.code == 0, life.output
        largest = max(path.stat().st_size for path in straight.folder.rglob("*"))
        sizes = (largest, size_of(straight.folder))
        left = interruptions
        while left > 0:
            folder = Path(place) / f"case-{left}"
            command = Command(subject, folder, cache)
            disk = disks and rng.random() < 0.2
            if disk:
                kinds = [_fail_the_disk(command, rng, sizes, tally)]
            else:
                lives = min(left, int(rng.integers(1, MOST_LIVES + 1)))
                kinds = [_signal(command, rng, duration, tally) for _ in range(lives)]
            left -= max(1, len(kinds))
            _compare(command, straight, f"after {', '.join(kinds)}", not disk, tally)
            shutil.rmtree(folder)
    return tally


def _signal(command: Command, rng: np.random.Generator, duration: float, tally: Tally) -> str:
    kind, after = str(rng.choice(SIGNALS)), float(rng.uniform(EARLIEST_S, duration))
    life = command.interrupt(kind, after)
    where = f"{kind} after {after:.1f} s"
    tally.tried[kind] += life.answer_s is not None
    if life.answer_s is not None and kind != "SIGKILL":
        tally.answers.append((life.answer_s, f"{where}: {_last_line(life.output)}"))
    _check_output(life, where, tally)
    return where


def _fail_the_disk(
    command: Command, rng: np.random.Generator, sizes: tuple[int, int], tally: Tally
) -> str:
    """Let one process meet a disk that fails. `sizes`: of the largest file, and of all files."""
    kind = str(rng.choice(DISKS if disks_can_be_made() else DISKS[:1]))
    share = float(rng.uniform(0, 1))
    if kind == DISKS[0]:
        life = command.limited(int(share * sizes[0]))
    elif kind == DISKS[1]:
        life = on_disk(command, size_of(command.folder) + int(share * sizes[1]) + 2**16, "")
    else:
        life = on_disk(command, 2**30, "ro")
    tally.tried[kind] += 1
    where = f"{kind}, {share:.2f}"
    _check_output(life, where, tally)
    if life.code not in (0, 1, 2):
        tally.faults.append(f"{where}: exit code {life.code}: {_last_line(life.output)}")
    return where


def _check_output(life: Life, where: str, tally: Tally) -> None:
    # The interpreter's own start answers Ctrl-C by a traceback, before a line of ours runs.
    if "Traceback" in life.output and "wildrobot_gym" in life.output:
        tally.faults.append(f"{where}: a traceback: {life.output[-1500:]}")


def _compare(command: Command, straight: Command, where: str, curves: bool, tally: Tally) -> None:
    """Let the command come to its end, and compare its files with those of another one."""
    life = command.run()
    if life.code != 0 and "is finished" not in life.output:
        tally.faults.append(f"{where}: exit code {life.code}: {life.output[-1500:]}")
        return
    _check_output(life, where, tally)
    if rubbish := command.unfinished():
        tally.faults.append(f"{where}: left {', '.join(rubbish)}")
    wanted = command.subject.digests(straight.folder, curves)
    found = command.subject.digests(command.folder, curves)
    if wrong := [key for key in {**wanted, **found} if wanted.get(key) != found.get(key)]:
        tally.faults.append(f"{where}: {len(wrong)} differ, such as {wrong[:3]}")


def _last_line(output: str) -> str:
    return (output.strip().splitlines() or [""])[-1][:160]


def main() -> int:
    """Interrupt all commands, print a table, and give 1 where something must not be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("interruptions", type=int, nargs="?", default=100, help="of each command")
    parser.add_argument("--commands", nargs="*", default=list(SUBJECTS), choices=list(SUBJECTS))
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    kinds = (*SIGNALS, *DISKS)
    print(f"| command | {' | '.join(kinds)} | faults | longest answer, s |")
    print("|---" * (len(kinds) + 3) + "|")
    tried, faults = 0, 0
    for name in arguments.commands:
        tally = attempt(name, arguments.interruptions, arguments.seed)
        longest = max(tally.answers, default=(0.0, ""))
        counts = " | ".join(str(tally.tried[kind]) for kind in kinds)
        print(f"| `{name}` | {counts} | {len(tally.faults)} | {longest[0]:.1f} |", flush=True)
        for fault in tally.faults[:20]:
            print("   ", fault)
        for answer, line in sorted(tally.answers, reverse=True)[:5]:
            if answer > LONGEST_ANSWER_S:
                print(f"    {answer:.1f} s: {line}")
        tried += tally.tried.total()
        faults += len(tally.faults)
    print(f"{tried:,} interruptions, {faults} faults")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
