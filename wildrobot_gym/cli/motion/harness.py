"""`wildrobot motion harness`."""

from __future__ import annotations

from pathlib import Path

import tyro
from rich.console import Console

from wildrobot_gym.cli.motion.printing import metric_table, print_skipped, write_metrics
from wildrobot_gym.console.error_handling import Texts
from wildrobot_gym.console.reporter import ConsoleReporter
from wildrobot_gym.experiments.motion.settings import HarnessSettings
from wildrobot_gym.files import check_free

_COLUMNS = (  # heading, metric, decimals, factor
    ("mean", "harness_mean", 3, 1),
    ("p90", "harness_p90", 3, 1),
    ("p95", "harness_p95", 3, 1),
    ("at cap\n%", "harness_saturated", 1, 100),
    ("falls\n1/min", "falls_per_minute", 1, 1),
    ("with-\nout", "falls_per_minute_without", 1, 1),
    ("passes\n%", "passing", 0, 100),
    ("with-\nout", "passing_without", 0, 100),
    ("carried", "is_carried", 0, 1),
)


def harness(
    files: Texts,
    /,
    settings: tyro.conf.OmitArgPrefixes[HarnessSettings],
    json: Path | None = None,
    force: bool = False,
) -> int:
    """Measure how much the harness does.

    It performs clips with the harness and without it. Exit code 1 if a file was left out.

    Args:
        files: Clips, reference files, shipped references, or human motion (retargeted first).
        settings: The performance.
        json: File for the metrics, JSON.
        force: Overwrite the metrics if they exist.
    """
    from wildrobot_gym.experiments.motion.harness import measure_harness

    console = Console()
    check_free([json], force)
    result = measure_harness(files, settings, report=ConsoleReporter(console))
    title = "harness, fractions of the weight"
    console.print(metric_table(title, "clip", _COLUMNS, result.contributions.items()))
    write_metrics(console, json, result.to_json())
    return print_skipped(console, result.skipped)
