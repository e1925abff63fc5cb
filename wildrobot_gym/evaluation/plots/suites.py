"""The suites of the benchmark as one picture: what survives, and up to which disturbance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wildrobot_gym.evaluation.plots.inline_svg import INK, RUN_COLORS, drawing, inline_svg
from wildrobot_gym.evaluation.suites.curves import Curve, curves
from wildrobot_gym.evaluation.suites.results import SuiteResult

WIDTH, TOP, ROW = 6.6, 2.2, 2.0  # inches
COLUMNS = 2
LINES = {"survived": "-", "success": "--", "standing": ":"}
SPREAD = 0.6  # of the distance between two suites, over which the runs are spread


def suites_svg(runs: Sequence[Mapping[str, SuiteResult]], key: str) -> str:
    """One picture of all suites and runs.

    Args:
        runs: Of each run, its suites by name. All runs have the same.
        key: A name that is unique on the page.
    """
    names = [name for name, result in runs[0].items() if curves(result)]
    rows = -(-len(names) // COLUMNS)
    grid = [names[row * COLUMNS : (row + 1) * COLUMNS] for row in range(rows)]
    mosaic = [["all"] * COLUMNS] + [row + ["."] * (COLUMNS - len(row)) for row in grid]
    heights = [TOP] + [ROW] * rows
    with drawing(WIDTH, sum(heights), mosaic, heights) as (figure, axes):
        texts = _overview(axes["all"], runs)
        for name in names:
            _curves(axes[name], [run[name] for run in runs])
        return inline_svg(figure, key, "; ".join(texts))


def _overview(axis: Any, runs: Sequence[Mapping[str, SuiteResult]]) -> list[str]:
    """Survival in the worst row of each suite; returns it as text."""
    names, texts = list(runs[0]), []
    for x, name in enumerate(names):
        for i, run in enumerate(runs):
            worst = _worst(run[name])
            place = x + SPREAD * ((i + 0.5) / len(runs) - 0.5)
            mean, low, high = worst["mean"], worst["low"], worst["high"]
            axis.plot([place, place], [low, high], color=RUN_COLORS[i], linewidth=1.6)
            axis.plot([place], [mean], "o", color=RUN_COLORS[i], markersize=4.5)
            texts.append(f"{name}: run {i + 1} survives {mean:.2f} in the worst row")
        for bar in runs[0][name].suite.bars:
            if bar.metric == "survived":
                axis.hlines(bar.low, x - 0.4, x + 0.4, color=INK, linewidth=1)
    axis.set_xticks(range(len(names)), names)
    axis.set_ylim(-0.04, 1.06)
    axis.set_ylabel("survived, worst row")
    return texts


def _worst(result: SuiteResult) -> dict[str, Any]:
    """Survival in the worst of the rows that have a bar, or of all rows."""
    barred = {name for bar in result.suite.bars if bar.metric == "survived" for name in bar.rows}
    rows = [row for row in result.rows if not barred or row.row.name in barred]
    return min(
        (row.summary["survived"] for row in rows or result.rows), key=lambda found: found["mean"]
    )


def _curves(axis: Any, results: Sequence[SuiteResult]) -> None:
    for i, result in enumerate(results):
        for curve in curves(result):
            _curve(axis, curve, RUN_COLORS[i])
    axis.set_ylim(-0.04, 1.06)
    axis.set_xlabel(results[0].suite.strength)


def _curve(axis: Any, curve: Curve, color: str) -> None:
    style = LINES["standing"] if curve.standing else LINES[curve.metric]
    axis.plot(curve.strength, curve.mean, style, color=color, linewidth=1.3, marker=".")
    if curve.metric == "survived":
        axis.vlines(curve.strength, curve.low, curve.high, color=color, linewidth=0.8)
