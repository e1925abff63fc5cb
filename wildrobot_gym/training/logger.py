"""Where a run's metrics go: progress.csv, which survives a resume, and TensorBoard."""

from __future__ import annotations

import contextlib
import csv
import io
from pathlib import Path
from typing import Any

from stable_baselines3.common.logger import KVWriter, Logger, TensorBoardOutputFormat

from wildrobot_gym.evaluation.progress import STEPS
from wildrobot_gym.files import atomic_write
from wildrobot_gym.reporting import Reporter


class ProgressCsv(KVWriter):
    """One row for each iteration. Other metrics of the same step join that row.

    What the last rows say already is not written again, as where a run was killed at its very end.

    New columns can come at any time; the file is then written again.

    Args:
        path: The file.
        num_timesteps: Rows up to this step are kept. A resumed run repeats what came later.
    """

    def __init__(self, path: Path, num_timesteps: int = 0) -> None:
        self._path = path
        self._rows: list[dict[str, Any]] = []
        if path.is_file():
            with open(path, newline="") as stream:
                rows = [row for row in csv.DictReader(stream) if (row.get(STEPS) or "").isdigit()]
            self._rows = [row for row in rows if int(row[STEPS]) <= num_timesteps]
        self._columns = list(self._rows[0]) if self._rows else []
        self._complete = False  # whether every row so far is in the file
        self._write_all()

    def write(
        self, key_values: dict[str, Any], key_excluded: dict[str, tuple[str, ...]], step: int = 0
    ) -> None:
        """Write the numbers among `key_values`.

        Raises:
            OSError: The disk is full.
        """
        row = {
            key: value
            for key, value in sorted(key_values.items())
            if isinstance(value, int | float)
        }
        if any(all(str(old.get(k)) == str(row[k]) for k in row) for old in self._rows[-2:]):
            return
        new = [key for key in row if key not in self._columns]
        last = self._rows[-1] if self._rows else {}
        common = {name for name in row if last.get(name) not in (None, "")}
        joins = common == {STEPS} and str(last[STEPS]) == str(row[STEPS])
        if joins:
            self._rows[-1] |= row
        else:
            self._rows.append(row)
        self._columns += new
        if new or joins or not self._complete:
            self._write_all()
            return
        self._complete = False  # a full disk can take half of the line
        with open(self._path, "a", newline="") as stream:
            csv.DictWriter(stream, self._columns).writerow(row)
        self._complete = True

    def _write_all(self) -> None:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, self._columns)
        writer.writeheader()
        writer.writerows(self._rows)
        with atomic_write(self._path) as stream:
            stream.write(text.getvalue().encode())
        self._complete = True

    def close(self) -> None:
        """Do nothing: the file is closed after every row."""


class OptionalWriter(KVWriter):
    """Passes metrics on to another writer, and warns once where the disk fails.

    Args:
        inner: The other writer.
        name: What the warning calls it.
        report: Receives the warning.
    """

    def __init__(self, inner: KVWriter, name: str, report: Reporter) -> None:
        self._inner, self._name, self._report = inner, name, report
        self._failed = False

    def write(
        self, key_values: dict[str, Any], key_excluded: dict[str, tuple[str, ...]], step: int = 0
    ) -> None:
        """Write if possible."""
        try:
            self._inner.write(key_values, key_excluded, step)
        except OSError as error:
            if not self._failed:
                self._report.warning(
                    f"Cannot write {self._name}: {error}. Training continues without it."
                )
            self._failed = True

    def close(self) -> None:
        """Close the other writer."""
        with contextlib.suppress(OSError):
            self._inner.close()


def waiting(logger: Logger) -> dict[str, float]:
    """Metrics that the next row will have: those of the update after the last row.

    A checkpoint keeps them, so that a resumed run writes the row as if it had never stopped.
    """
    values = logger.name_to_value.items()
    return {name: value for name, value in values if isinstance(value, int | float)}


def make_logger(progress: Path, tensorboard: Path, num_timesteps: int, report: Reporter) -> Logger:
    """SB3's logger, onto progress.csv and TensorBoard.

    Args:
        progress: The file progress.csv.
        tensorboard: TensorBoard's directory.
        num_timesteps: Environment steps done so far.
        report: Receives a warning where the disk fails.
    """
    writers: list[tuple[str, KVWriter]] = [
        ("progress.csv", ProgressCsv(progress, num_timesteps)),
        ("TensorBoard's log", TensorBoardOutputFormat(str(tensorboard))),
    ]
    return Logger(
        str(progress.parent), [OptionalWriter(writer, name, report) for name, writer in writers]
    )
