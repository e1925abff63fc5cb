"""`wildrobot bench`: print the speed of physics, environment and training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import tyro
from rich.table import Table

from wildrobot_gym.console.reporter import ConsoleReporter
from wildrobot_gym.experiments.settings import BenchSettings

if TYPE_CHECKING:
    from wildrobot_gym.experiments.bench.bench import BenchResult

AMP_TEXT = "discriminator, health and sampling, fraction of training time (bar 0.1)"


def bench(
    settings: tyro.conf.OmitArgPrefixes[BenchSettings] = BenchSettings(), json: Path | None = None
) -> int:
    """Measure speed against bare physics.

    It also measures `SubprocVecEnv`, SBX's PPO and MJX, which one would otherwise take.

    Args:
        json: Write the metrics to this JSON file.
    """
    from wildrobot_gym.experiments.bench.bench import bench as measure
    from wildrobot_gym.files import write_json

    reporter = ConsoleReporter()
    result = measure(settings, report=reporter)
    reporter.console.print(speed_table(result))
    for name, note in result.notes.items():
        reporter.info(f"{name}: {note}")
    if json is not None:
        write_json(json, result.to_json())
        reporter.info(f"Results: {json}")
    return 0


def speed_table(result: BenchResult) -> Table:
    """Speeds, and under them their ratios."""
    from wildrobot_gym.experiments.bench.bench import AMP_FRACTION

    table = Table(title=f"control steps per second, {result.settings.envs} environments")
    table.add_column("what")
    table.add_column("median", justify="right")
    for name, value in result.metrics.items():
        table.add_row(name, f"{value:,.0f}")
    table.add_section()
    for name, value in result.ratios.items():
        table.add_row(AMP_TEXT if name == AMP_FRACTION else name, f"{value:.3f}")
    return table
