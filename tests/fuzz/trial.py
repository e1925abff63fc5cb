"""Reads damaged files, and counts what comes of it: `make fuzz N=1000` for 1,000 of each kind."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parent / "motion" / "importers")]  # where good files are made

from readers import READERS, Reader  # noqa: E402

from amp_sbx.common.errors import AMPError  # noqa: E402
from wildrobot_gym.errors import WildRobotError  # noqa: E402

OURS = (WildRobotError, AMPError)
LONGEST_MESSAGE = 600  # characters, without the path of the folder
LONGEST_S, MOST_BYTES = 10.0, 2 * 2**30
EXECUTES = ("os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "os.remove", "os.rename")


@dataclass
class Outcome:
    """What came of the damaged files of one kind.

    Attributes:
        tried: Number of files.
        taken: Of those, how many still had a value.
        refused: How many had one of our errors that names the file.
        faults: What must not be, in words, with the number of the trial.
        longest_s: Of one file.
        most_bytes: Memory that one file took.
    """

    tried: int = 0
    taken: int = 0
    refused: int = 0
    faults: list[str] = field(default_factory=list)
    longest_s: float = 0.0
    most_bytes: int = 0


_events: list[str] = []


def _watch(event: str, arguments: tuple) -> None:
    if event in EXECUTES or (event == "open" and _writes(arguments)):
        _events.append(f"{event} {arguments[0]!r}")


def _writes(arguments: tuple) -> bool:
    mode = arguments[1]
    return isinstance(mode, str) and any(letter in mode for letter in "wax+")


sys.addaudithook(_watch)


def peak_memory() -> int:
    """Most memory that this process had since `forget_peak`, bytes; 0 where nobody says."""
    with contextlib.suppress(OSError, StopIteration, ValueError):
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024
    return 0


def forget_peak() -> None:
    """Restart the measurement of `peak_memory`."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def attempt(name: str, reader: Reader, cases: int, seed: int = 0, first: int = 0) -> Outcome:
    """Damage `cases` files of one kind, read each, and count what came of it."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as place, _quiet():
        good = Path(place) / "good"
        good.mkdir()
        file = reader.make(good)
        content = file.read_bytes()
        reader.read(file)  # compiles what must be
        for case in range(first, first + cases):
            rng = np.random.default_rng([seed, case, *name.encode()])
            folder = Path(place) / "case"
            shutil.copytree(good, folder)
            damaged = folder / file.relative_to(good)
            damaged.write_bytes(reader.mutate(rng, content))
            before = set(folder.rglob("*"))
            _read(reader, damaged, case, outcome)
            if new := set(folder.rglob("*")) - before:
                outcome.faults.append(f"{case}: wrote {', '.join(p.name for p in new)}")
            shutil.rmtree(folder)
    return outcome


def _read(reader: Reader, path: Path, case: int, outcome: Outcome) -> None:
    """Read one damaged file."""
    outcome.tried += 1
    forget_peak()
    _events.clear()
    held, began = peak_memory(), time.perf_counter()
    try:
        reader.read(path)
        outcome.taken += 1
    except OURS as error:
        message = str(error).replace(str(path.parent), "")
        if path.name not in message and path.stem not in message:
            outcome.faults.append(f"{case}: does not name the file: {message[:200]}")
        elif len(message) > LONGEST_MESSAGE:
            outcome.faults.append(f"{case}: {len(message)} characters: {message[:200]}")
        else:
            outcome.refused += 1
    except BaseException as error:  # what must not be
        at = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in at if "site-packages" not in frame.filename][-1]
        where = f"{Path(ours.filename).name}:{ours.lineno}"
        outcome.faults.append(f"{case}: {type(error).__name__} at {where}: {str(error)[:200]}")
    if _events:
        outcome.faults.append(f"{case}: did {_events[0]}")
    took, memory = time.perf_counter() - began, peak_memory() - held
    outcome.longest_s = max(outcome.longest_s, took)
    outcome.most_bytes = max(outcome.most_bytes, memory)
    if took > LONGEST_S:
        outcome.faults.append(f"{case}: took {took:.0f} s")
    if memory > MOST_BYTES:
        outcome.faults.append(f"{case}: took {memory / 2**30:.1f} GB")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def main() -> int:
    """Try all kinds, print a table, and give 1 where something must not be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=int, nargs="?", default=1000, help="files of each kind")
    parser.add_argument("--kinds", nargs="*", default=list(READERS), choices=list(READERS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    arguments = parser.parse_args()
    total = Outcome()
    print("| file | damaged | taken | refused | faults | longest, s | memory, MB |")
    print("|---|---|---|---|---|---|---|")
    for name in arguments.kinds:
        found = attempt(name, READERS[name], arguments.cases, arguments.seed, arguments.first)
        print(
            f"| {name} | {found.tried:,} | {found.taken:,} | {found.refused:,} |"
            f" {len(found.faults)} | {found.longest_s:.1f} | {found.most_bytes / 2**20:,.0f} |",
            flush=True,
        )
        for fault in found.faults[:40]:
            print("   ", fault)
        total.tried += found.tried
        total.faults += found.faults
    print(f"{total.tried:,} files, {len(total.faults)} faults")
    return int(bool(total.faults))


if __name__ == "__main__":
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    sys.exit(main())
