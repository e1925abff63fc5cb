"""`wildrobot compare`: print policies side by side, and write one HTML page with plots."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import tyro
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from wildrobot_gym.console.error_handling import Texts
from wildrobot_gym.console.reporter import ConsoleReporter
from wildrobot_gym.experiments.settings import CompareSettings

if TYPE_CHECKING:
    from wildrobot_gym.experiments.compare.run import ComparedRun
    from wildrobot_gym.experiments.compare.table import Cell


def compare(
    policies: Texts,
    /,
    out: Path = Path("compare.html"),
    settings: tyro.conf.OmitArgPrefixes[CompareSettings] = CompareSettings(),
    json: Path | None = None,
    force: bool = False,
) -> int:
    """Compare policies in one table and one HTML page.

    The table has intervals, and the page has plots.

    Args:
        policies: One to eight policies: .zip files, run directories, or names of shipped policies.
        out: HTML page to write.
        json: Write the metrics of all policies to this JSON file.
        force: Overwrite files that exist.
    """
    from wildrobot_gym.experiments.compare.compare import compare as compare_policies
    from wildrobot_gym.experiments.style_eval import compared_with
    from wildrobot_gym.files import check_free, write_json, write_text

    reporter = ConsoleReporter()
    check_free([out, json], force)
    comparison = compare_policies(policies, settings, report=reporter)
    reporter.console.print(overall_table(comparison.runs))
    for run in comparison.runs:
        if style := run.results.get("style"):
            reporter.info(f"style of {run.name}: compared with {compared_with(style)}")
    write_text(out, comparison.page())
    reporter.info(f"Page: {out}")
    if json is not None:
        write_json(json, comparison.to_json())
        reporter.info(f"Metrics: {json}")
    return 0


def overall_table(runs: Sequence[ComparedRun]) -> Table:
    """Metrics over all commands as rows, runs as columns: mean, interval, and better than which."""
    from wildrobot_gym.experiments.compare.table import rows_of

    first = runs[0].results
    speeds = ", ".join(first["commands"])
    episodes = f"{first['episodes_per_command']} episodes at each of {speeds} m/s"
    title = f"walk benchmark {first['protocol']}, {episodes}"
    caption = "mean and 95 % bootstrap interval; better, differs: the intervals lie wholly apart"
    table = Table(title=title, caption=caption, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("metric", min_width=20)
    for number, run in enumerate(runs, start=1):
        table.add_column(f"{number}: {escape(run.name)}", justify="right")
    for heading, cells in rows_of(runs):
        table.add_row(heading, *(_text(cell) for cell in cells))
    return table


def _text(cell: Cell) -> str:
    quiet = [f"[dim]{text}[/]" for text in (cell.interval, cell.of) if text]
    return "\n".join([cell.mean, *quiet, *([f"[green]{cell.mark}[/]"] if cell.mark else [])])
