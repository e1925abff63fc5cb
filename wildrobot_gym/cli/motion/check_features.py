"""`wildrobot motion check-features`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import tyro
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wildrobot_gym.cli.motion.printing import say, write_metrics
from wildrobot_gym.console.error_handling import Text
from wildrobot_gym.console.reporter import ConsoleReporter
from wildrobot_gym.console.tables import number_table
from wildrobot_gym.experiments.motion.settings import CheckFeaturesSettings
from wildrobot_gym.files import check_free

if TYPE_CHECKING:
    from wildrobot_gym.evaluation.feature_check import Spread
    from wildrobot_gym.experiments.feature_report import FeatureComparison, FeatureSummary

SPREAD = ("mean", "std", "zeros")


def check_features(
    dataset: Text,
    /,
    settings: tyro.conf.OmitArgPrefixes[CheckFeaturesSettings],
    json: Path | None = None,
    force: bool = False,
) -> int:
    """Compare a policy's AMP features with a reference's.

    It names the columns that alone give the policy away.

    Args:
        dataset: Reference file or the name of a shipped one.
        settings: The policy and the features.
        json: File for the metrics, JSON.
        force: Overwrite the metrics if they exist.
    """
    from wildrobot_gym.experiments.feature_report import check_policy_features

    console = Console()
    check_free([json], force)
    result = check_policy_features(dataset, settings, report=ConsoleReporter(console))
    console.print(_table(result))
    say(console, _shortcut_text(result))
    write_metrics(console, json, result.to_json())
    return 0


def summary_table(summary: FeatureSummary) -> Table:
    """Return a table of a reference's features, one row for each column."""
    title = f"{summary.reference}: {summary.num_frames} frames"
    headings = ("mean", "spread", "zeros")
    table = number_table(title, "column", headings, str(summary.features))
    for name, spread in summary.columns.items():
        table.add_row(escape(name), *(f"{getattr(spread, part):.3f}" for part in SPREAD))
    return table


def _table(result: FeatureComparison) -> Table:
    headings = ("mean", "", "spread", "", "zeros", "", "KS")
    table = number_table("features: policy, reference", "column", headings)
    for check in result.columns:
        sides = (check.policy, check.reference)
        cells = [f"{getattr(side, part):.3f}" for part in SPREAD for side in sides]
        table.add_row(escape(check.name), *cells, f"{check.ks:.2f}")
    return table


def _shortcut_text(result: FeatureComparison) -> str:
    """Name the columns that alone tell policy and reference apart, or say that there is none."""
    if not result.shortcuts:
        worst = result.columns[0]
        return (
            f"No shortcut. The column that differs most, {worst.name},"
            f" alone is right for {worst.accuracy:.0%} of samples."
        )
    lines = [
        f"SHORTCUT: {check.name} alone is right for {check.accuracy:.0%} of samples."
        f" Policy {_spread_text(check.policy)}; reference {_spread_text(check.reference)}."
        for check in result.shortcuts
    ]
    advice = "Leave these channels out of features.channels, or fix the reference."
    return "\n".join([*lines, advice])


def _spread_text(spread: Spread) -> str:
    return f"{spread.mean:.3f} +- {spread.std:.3f}, zero {spread.zeros:.0%}"
