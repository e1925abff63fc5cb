"""The table of a comparison: the same rows in a terminal and on a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wildrobot_gym.evaluation.comparison import comparison_basis, marks
from wildrobot_gym.evaluation.formatting import (
    STYLE_HEADINGS,
    WALK_HEADINGS,
    mean_text,
    range_text,
)
from wildrobot_gym.experiments.compare.run import ComparedRun

MISSING = {"mean": None}


@dataclass(frozen=True)
class Cell:
    """One metric of one run as text.

    Attributes:
        mean: The mean; "-" if there is none.
        interval: Its 95 % interval.
        of: How many episodes were measured, where that is not all of them.
        mark: The runs that it is better than, or differs from.
    """

    mean: str
    interval: str = ""
    of: str = ""
    mark: str = ""


def rows_of(
    runs: Sequence[ComparedRun], command: str | None = None
) -> list[tuple[str, list[Cell]]]:
    """The rows of a table: a heading, and a cell for each run.

    Args:
        runs: The runs that are compared.
        command: A commanded speed as the results name it; None for all of them and for style.
    """
    parts = [
        run.results["overall"] if command is None else run.results["commands"][command]
        for run in runs
    ]
    episodes = max(part["survived"]["n"] for part in parts)  # every episode has this metric
    rows = [
        (heading, _cells(name, [part[name] for part in parts], episodes))
        for name, heading in WALK_HEADINGS.items()
    ]
    return rows + (_style_rows(runs) if command is None else [])


def _style_rows(runs: Sequence[ComparedRun]) -> list[tuple[str, list[Cell]]]:
    styles = [run.results.get("style") or {} for run in runs]
    episodes = max(style.get("episodes", 0) for style in styles)
    rows = []
    for name, heading in STYLE_HEADINGS.items():
        if any(style.get(name) for style in styles):
            bases = [
                comparison_basis(name, style, run.policy.env_kwargs)
                for style, run in zip(styles, runs, strict=True)
            ]
            intervals = [style.get(name) or MISSING for style in styles]
            rows.append((heading, _cells(name, intervals, episodes, bases)))
    return rows


def _cells(
    metric: str,
    intervals: Sequence[dict[str, Any]],
    episodes: int,
    bases: Sequence[Any] | None = None,
) -> list[Cell]:
    of_each = zip(intervals, marks(metric, intervals, bases), strict=True)
    return [_cell(interval, episodes, *mark) for interval, mark in of_each]


def _cell(interval: dict[str, Any], episodes: int, word: str, others: tuple[int, ...]) -> Cell:
    if interval["mean"] is None:
        return Cell(mean_text(interval))
    n = interval.get("n", episodes)
    than = ", ".join(str(i + 1) for i in others)
    return Cell(
        mean_text(interval),
        range_text(interval),
        f"of {n} episodes" if n < episodes else "",
        f"{word} {'than' if word == 'better' else 'from'} {than}" if others else "",
    )
