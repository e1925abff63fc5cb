"""Where a run's figures go: progress.csv, which survives a resume, TensorBoard, and the console; none can stop the training."""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from rich.console import Console
from rich.markup import escape
from stable_baselines3.common.logger import KVWriter, Logger, TensorBoardOutputFormat

from amp_sbx.discriminator.health import VERDICTS, WARM_UP
from wildrobot_gym.evaluation.progress import STEPS, read_columns
from wildrobot_gym.files import atomic_write


class ProgressCsv(KVWriter):
    """One row an iteration, which other figures of the same step join. New columns may come at any time; the file is
    then written anew.

    Args:
        path: the file; rows that are there up to ``num_timesteps`` are kept, later ones belong to a past that a resumed
            run does again.
    """

    def __init__(self, path: Path, num_timesteps: int = 0) -> None:
        self._path = path
        self._rows: list[dict[str, Any]] = []
        if path.is_file():
            with open(path, newline="") as stream:
                rows = [row for row in csv.DictReader(stream) if (row.get(STEPS) or "").isdigit()]
            self._rows = [row for row in rows if int(row[STEPS]) <= num_timesteps]
        self._columns = list(self._rows[0]) if self._rows else []
        self._whole = False  # whether every row so far is in the file
        self._write_all()

    def write(
        self, key_values: dict[str, Any], key_excluded: dict[str, tuple[str, ...]], step: int = 0
    ) -> None:
        row = {
            key: value
            for key, value in sorted(key_values.items())
            if isinstance(value, int | float)
        }
        new = [key for key in row if key not in self._columns]
        last = self._rows[-1] if self._rows else {}
        common = {name for name in row if last.get(name) not in (None, "")}
        joins = common == {STEPS} and str(last[STEPS]) == str(row[STEPS])
        if joins:
            self._rows[-1] |= row
        else:
            self._rows.append(row)
        self._columns += new
        if new or joins or not self._whole:
            self._write_all()
            return
        self._whole = False  # a full disk may take half of the line
        with open(self._path, "a", newline="") as stream:
            csv.DictWriter(stream, self._columns).writerow(row)
        self._whole = True

    def _write_all(self) -> None:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, self._columns)
        writer.writeheader()
        writer.writerows(self._rows)
        with atomic_write(self._path) as stream:
            stream.write(text.getvalue().encode())
        self._whole = True

    def close(self) -> None:
        pass


class _Stdout:
    """Standard output, but what cannot be written to a full disk is lost without an error: no line is worth the training."""

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stdout, name)

    def write(self, text: str) -> int:
        with _full_disk_passed_over():
            return sys.stdout.write(text)
        return len(text)

    def flush(self) -> None:
        with _full_disk_passed_over():
            sys.stdout.flush()


@contextlib.contextmanager
def _full_disk_passed_over() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise


def training_console() -> Console:
    """Where a training tells of itself; often a log on the very disk that its checkpoints fill."""
    return Console() if sys.stdout is None else Console(file=cast(IO[str], _Stdout()))  # type: ignore[redundant-expr]


class Forgiving(KVWriter):
    """Passes on to another writer until the disk fails, then says so once and lets the training go on."""

    def __init__(self, inner: KVWriter, name: str, console: Console) -> None:
        self._inner, self._name, self._console = inner, name, console
        self._failed = False

    def write(
        self, key_values: dict[str, Any], key_excluded: dict[str, tuple[str, ...]], step: int = 0
    ) -> None:
        try:
            self._inner.write(key_values, key_excluded, step)
        except OSError as error:
            if not self._failed:
                message = escape(
                    f"Cannot write {self._name}: {error}. Training goes on without it."
                )
                self._console.print(f"[yellow]{message}[/]", soft_wrap=True)
            self._failed = True

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._inner.close()


def verdicts_text(progress: Path) -> str | None:
    """Verdicts with their shares of the iterations: "healthy 97 %, too strong 3 %"; None where there are too few to judge.

    Raises:
        RunError: progress.csv is missing or damaged.
    """
    verdicts = read_columns(progress).get("amp/verdict", np.array([]))
    known = verdicts[np.isfinite(verdicts)][WARM_UP - 1 :].astype(int)
    fractions = Counter(
        VERDICTS[number] for number in known.tolist() if 0 <= number < len(VERDICTS)
    )
    return (
        ", ".join(
            f"{name} {100 * count / len(known):.0f} %" for name, count in fractions.most_common()
        )
        or None
    )


def forget_told(told: Path, num_timesteps: int) -> None:
    """Leave in ``RunDirectory.told`` what was told up to ``num_timesteps``; a resumed run does again what came after.

    Raises:
        OSError: it cannot be written.
    """
    if told.is_file():
        lines = told.read_text(errors="replace").splitlines(keepends=True)
        steps = [re.match(r"[\d,]+(?= steps: )", line) for line in lines]
        kept = [
            line
            for line, step in zip(lines, steps, strict=True)
            if step and int(step[0].replace(",", "")) <= num_timesteps
        ]
        with atomic_write(told) as stream:
            stream.write("".join(kept).encode())


def last_told(told: Path) -> str | None:
    """The last line of ``RunDirectory.told``; None where there is none or it cannot be read."""
    try:
        lines = told.read_text(errors="replace").splitlines()
    except OSError:
        return None
    return lines[-1] if lines else None


def make_logger(progress: Path, tensorboard: Path, num_timesteps: int, console: Console) -> Logger:
    """SB3's logger onto progress.csv and TensorBoard."""
    writers: list[tuple[str, KVWriter]] = [
        ("progress.csv", ProgressCsv(progress, num_timesteps)),
        ("TensorBoard's log", TensorBoardOutputFormat(str(tensorboard))),
    ]
    return Logger(
        str(progress.parent), [Forgiving(writer, name, console) for name, writer in writers]
    )
