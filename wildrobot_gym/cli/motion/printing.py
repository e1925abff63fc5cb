"""What several `wildrobot motion` commands print."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wildrobot_gym.console.tables import number_table
from wildrobot_gym.files import write_json

if TYPE_CHECKING:
    from wildrobot_gym.experiments.motion.written import MinedDataset
    from wildrobot_gym.motion.mining import MiningReport


def say(console: Console, text: str) -> None:
    """Print a text as it is, in one line however narrow the terminal."""
    console.print(text, soft_wrap=True, highlight=False, markup=False)


def print_skipped(console: Console, skipped: Mapping[str, str]) -> int:
    """Print what was left out and why, and return the exit code: 1 if anything was."""
    for name, reason in skipped.items():
        console.print(
            f"[red]left out[/] {escape(name)}: {escape(reason)}", soft_wrap=True, highlight=False
        )
    return 1 if skipped else 0


def write_metrics(console: Console, path: Path | None, metrics: Any) -> None:
    """Write a command's metrics as JSON if a file is asked for, and print where."""
    if path is not None:
        write_json(path, metrics)
        say(console, f"Metrics: {path}")


def print_mined(console: Console, mined: MinedDataset) -> int:
    """Print a mined dataset's table and totals, and return the exit code."""
    console.print(yield_table(mined.report))
    code = print_skipped(console, mined.skipped)
    say(
        console,
        f"{mined.path}: {len(mined.clips)} segments, {mined.seconds:.1f} s"
        f" of {mined.report.mined_s:.1f} s that pass the gates",
    )
    if mined.features is not None:
        say(console, f"Features: {mined.features}")
    return code


def metric_table(
    title: str,
    names: str,
    columns: Sequence[tuple[str, str, int, float]],
    rows: Iterable[tuple[str, Any]],
    caption: str | None = None,
) -> Table:
    """Return a table of named objects.

    A column is (heading, attribute, decimals, factor). A star marks the attributes in an object's
    `beyond`, if it has that.
    """
    table = number_table(title, names, [heading for heading, *_ in columns], caption)
    for name, each in rows:
        marked = getattr(each, "beyond", ())
        cells = []
        for _, column, digits, factor in columns:
            value = getattr(each, column)
            text = (
                ("no", "yes")[value] if isinstance(value, bool) else f"{factor * value:.{digits}f}"
            )
            cells.append(f"[red]{text}*[/]" if column in marked else text)
        table.add_row(escape(name), *cells)
    return table


def yield_table(report: MiningReport) -> Table:
    """Return a table of each clip's performed and kept seconds, and the gates that rejected the
    rest.
    """
    table = number_table(
        "segments that pass the gates",
        "motion",
        ("performed\ns", "falls", "windows", "valid", "segments", "kept\ns"),
    )
    table.add_column("rejected by")
    for clip in report.clips:
        rejects = sorted(((n, name) for name, n in clip.rejects.items() if n), reverse=True)[:3]
        table.add_row(
            escape(clip.motion_id),
            f"{clip.performed_s:.0f}",
            str(clip.falls),
            str(clip.windows),
            str(clip.valid_windows),
            str(clip.segments),
            f"{clip.mined_s:.1f}",
            ", ".join(f"{name} {n}" for n, name in rejects),
        )
    return table
