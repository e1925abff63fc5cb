"""`wildrobot motion harness`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from wildrobot_gym.console.error_handling import Texts
from wildrobot_gym.experiments.motion.settings import HarnessSettings

if TYPE_CHECKING:
    from rich.table import Table

    from wildrobot_gym.experiments.motion.harness import Contribution

_COLUMNS = (
    "mean",
    "p90",
    "p95",
    "at cap\n%",
    "falls\n1/min",
    "with-\nout",
    "passes\n%",
    "with-\nout",
    "carried",
)


def harness(
    files: Texts,
    /,
    settings: tyro.conf.OmitArgPrefixes[HarnessSettings],
    json: Path | None = None,
    force: bool = False,
) -> int:
    """Measure how much the harness does: perform clips with it and without it.

    Exit code 1 if a file was left out.

    Args:
        files: Clips, reference files, shipped references, or human motion (retargeted first).
        settings: The performance.
        json: File for the metrics, JSON.
        force: Overwrite the metrics if they exist.
    """
    from rich.console import Console

    from wildrobot_gym.cli.motion.printing import print_skipped, write_metrics
    from wildrobot_gym.console.reporter import ConsoleReporter
    from wildrobot_gym.experiments.motion.harness import measure_harness
    from wildrobot_gym.files import check_free

    console = Console()
    check_free([json], force)
    result = measure_harness(files, settings, report=ConsoleReporter(console))
    console.print(_table(result.contributions))
    write_metrics(console, json, result.to_json())
    return print_skipped(console, result.skipped)


def _table(contributions: Mapping[str, Contribution]) -> Table:
    from rich.markup import escape

    from wildrobot_gym.console.tables import number_table

    table = number_table("harness, fractions of the weight", "clip", _COLUMNS)
    for name, each in contributions.items():
        table.add_row(
            escape(name),
            f"{each.harness_mean:.3f}",
            f"{each.harness_p90:.3f}",
            f"{each.harness_p95:.3f}",
            f"{100 * each.harness_saturated:.1f}",
            f"{each.falls_per_minute:.1f}",
            f"{each.falls_per_minute_without:.1f}",
            f"{100 * each.passing:.0f}",
            f"{100 * each.passing_without:.0f}",
            "yes" if each.is_carried else "no",
        )
    return table
