"""Interrupts commands, starts them again, and compares: `make crash N=100`, on Linux or macOS.

A real process gets a signal at a drawn moment. Or its files cannot grow, its disk is full or
read-only, or a second process does the same in the same folder. In the end the same files must be
there, with the same bits.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from processes import Command, Life, disks_can_be_made, last_line, on_disk  # noqa: E402
from subjects import SUBJECTS  # noqa: E402

SIGNALS = ("SIGKILL", "SIGTERM", "SIGHUP", "SIGINT")
DISKS = ("limit on file sizes", "full disk", "read-only disk")
LONGEST_ANSWER_S = 5.0
EARLIEST_S = 1.0  # Python has started, and imported what finds the command
MOST_LIVES = 4  # signals for one folder, before a process runs to its end
TWICE = "two at once"


@dataclass
class Tally:
    """What came of the interruptions of one command.

    Attributes:
        tried: Interruptions, by kind.
        answers: Seconds from a signal to the end of the process, and the last line before it.
        faults: What must not be, in words.
        stopped: Whether Ctrl-C ended the trial early.
    """

    tried: Counter[str] = field(default_factory=Counter)
    answers: list[tuple[float, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    stopped: bool = False


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
        while left > 0 and not tally.stopped:
            command = Command(subject, Path(place) / f"case-{left}", cache)
            try:
                kinds, disk = _interrupt(command, rng, duration, sizes, left, disks, tally)
                left -= len(kinds)
                _compare(command, straight, f"after {', '.join(kinds)}", not disk, tally)
            except KeyboardInterrupt:  # what was tried so far counts
                tally.stopped = True
            shutil.rmtree(command.folder)
    return tally


def _interrupt(
    command: Command,
    rng: np.random.Generator,
    duration: float,
    sizes: tuple[int, int],
    most: int,
    disks: bool,
    tally: Tally,
) -> tuple[list[str], bool]:
    """Interrupt a command in one folder. Gives how, in words, and whether its disk failed."""
    chance = rng.random()
    if disks and chance < 0.2:
        return [_fail_the_disk(command, rng, sizes, tally)], True
    if chance > 0.9:
        return [_twice(command, rng, duration, tally)], False
    lives = min(most, int(rng.integers(1, MOST_LIVES + 1)))
    return [_signal(command, rng, duration, tally) for _ in range(lives)], False


def _signal(command: Command, rng: np.random.Generator, duration: float, tally: Tally) -> str:
    kind, after = str(rng.choice(SIGNALS)), float(rng.uniform(EARLIEST_S, duration))
    life = command.interrupt(kind, after)
    where = f"{kind} after {after:.1f} s"
    tally.tried[kind] += life.answer_s is not None
    if life.answer_s is not None and kind != "SIGKILL":
        tally.answers.append((life.answer_s, life.stage))
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
    _check_end(life, where, tally)
    return where


def _twice(command: Command, rng: np.random.Generator, duration: float, tally: Tally) -> str:
    """Let two processes do the same at once."""
    later = float(rng.uniform(0, duration / 2))
    first = command.start()
    time.sleep(later)
    second = command.start(log="second.log")
    tally.tried[TWICE] += 1
    where = f"{TWICE}, {later:.1f} s apart"
    for life in (command.finish(first), command.finish(second, log="second.log")):
        _check_end(life, where, tally)
    return where


def _check_end(life: Life, where: str, tally: Tally) -> None:
    """A process that cannot do its work says so."""
    _check_output(life, where, tally)
    if life.code not in (0, 1, 2):
        tally.faults.append(f"{where}: exit code {life.code}: {last_line(life.output)}")


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


def stages(tally: Tally) -> dict[str, list[float]]:
    """Seconds until a command answered, by its last line before the signal, without numbers."""
    found: dict[str, list[float]] = {}
    for answer, line in tally.answers:
        words = re.sub(r"[\d.,]+", "N", line)[:60] or "nothing printed yet"
        found.setdefault(words, []).append(answer)
    return dict(sorted(found.items()))


def main() -> int:
    """Interrupt all commands, print a table, and give 1 where something must not be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("interruptions", type=int, nargs="?", default=100, help="of each command")
    parser.add_argument("--commands", nargs="*", default=list(SUBJECTS), choices=list(SUBJECTS))
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    kinds = (*SIGNALS, *DISKS, TWICE)
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
        for stage, answers in stages(tally).items():
            print(f"    {len(answers)} at {stage!r}: at most {max(answers):.1f} s")
        tried += tally.tried.total()
        faults += len(tally.faults)
        if tally.stopped:
            break
    print(f"{tried:,} interruptions, {faults} faults")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
