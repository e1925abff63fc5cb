"""A comparison's table as text: the same rows in a terminal and on a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wildrobot_gym.evaluation.comparison import marks, yardstick
from wildrobot_gym.evaluation.formatting import ROWS, STYLE_ROWS, mean_text, range_text
from wildrobot_gym.experiments.compare.run import ComparedRun

MISSING = {"mean": None}


@dataclass(frozen=True)
class Cell:
    """One run's figure. of: how many episodes, where not all of them could be measured. mark: which other runs it is better
    than, or differs from. Each is empty where there is nothing to say."""

    mean: str
    interval: str = ""
    of: str = ""
    mark: str = ""


def rows_of(
    runs: Sequence[ComparedRun], command: str | None = None
) -> list[tuple[str, list[Cell]]]:
    """Heading and a cell for each run; of one command, or overall and then with the style's figures."""
    parts = [
        run.figures["overall"] if command is None else run.figures["commands"][command]
        for run in runs
    ]
    episodes = max(part["survived"]["n"] for part in parts)  # each episode has this figure
    rows = [
        (heading, _cells(name, [part[name] for part in parts], episodes)) for name, heading in ROWS
    ]
    if command is None:
        styles = [run.figures.get("style") or {} for run in runs]
        style_episodes = max(style.get("episodes", 0) for style in styles)
        for name, heading in STYLE_ROWS:
            if any(style.get(name) for style in styles):
                sticks = [
                    yardstick(name, style, run.policy.env_kwargs)
                    for style, run in zip(styles, runs, strict=True)
                ]
                rows.append(
                    (
                        heading,
                        _cells(
                            name,
                            [style.get(name) or MISSING for style in styles],
                            style_episodes,
                            sticks,
                        ),
                    )
                )
    return rows


def _cells(
    figure: str,
    intervals: Sequence[dict[str, Any]],
    episodes: int,
    yardsticks: Sequence[Any] | None = None,
) -> list[Cell]:
    of_each = zip(intervals, marks(figure, intervals, yardsticks), strict=True)
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
