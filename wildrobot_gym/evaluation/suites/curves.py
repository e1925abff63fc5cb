"""Survival and success against the strength of a disturbance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from wildrobot_gym.evaluation.intervals import share_interval
from wildrobot_gym.evaluation.suites.definition import Course, Row
from wildrobot_gym.evaluation.suites.results import RowResult, SuiteResult

PARTS = 4  # of a drawn value's range


@dataclass(frozen=True)
class Curve:
    """A share of the episodes at each strength, with Wilson's interval.

    Attributes:
        metric: `survived` or `success`.
        standing: Whether the robots were told to stand.
        strength: Strengths, or the middle of each part of the drawn range.
        mean: The share at each.
        low: Lower end of its interval.
        high: Upper end of its interval.
    """

    metric: str
    standing: bool
    strength: Float[np.ndarray, " point"]
    mean: Float[np.ndarray, " point"]
    low: Float[np.ndarray, " point"]
    high: Float[np.ndarray, " point"]


def curves(result: SuiteResult) -> list[Curve]:
    """The curves of a suite; none without a strength."""
    if result.suite.strength is None:
        return []
    found, draw = [], result.suite.draw
    of_all = np.concatenate([strengths(row, draw) for row in result.rows])
    edges = None if draw is None else np.linspace(of_all.min(), of_all.max(), PARTS + 1)
    for standing in (False, True):
        rows = [row for row in result.rows if _stands(row.row) is standing]
        for metric in ("survived", "success"):
            if rows and not (standing and metric == "success"):  # a standing robot takes no steps
                found.append(_curve(draw, edges, metric, standing, rows))
    return found


def strengths(row: RowResult, draw: str | None) -> Float[np.ndarray, " episode"]:
    """Strength of the disturbance in each episode. Of several drawn numbers the largest counts."""
    episodes = len(row.metrics["survived"])
    if draw is None:
        return np.full(episodes, float(row.row.strength or 0.0))
    values = np.abs(np.asarray(row.draws[draw], float)).reshape(episodes, -1)
    largest: np.ndarray = values.max(axis=1)
    return largest


def _curve(
    draw: str | None,
    edges: Float[np.ndarray, " edge"] | None,
    metric: str,
    standing: bool,
    rows: list[RowResult],
) -> Curve:
    strength = np.concatenate([strengths(row, draw) for row in rows])
    values = np.concatenate([row.metrics[metric] for row in rows])
    if edges is not None:
        part = np.clip(np.searchsorted(edges, strength, side="right") - 1, 0, PARTS - 1)
        strength = ((edges[:-1] + edges[1:]) / 2)[part]
    points = np.unique(strength)
    shares = [share_interval(values[strength == point]) for point in points]
    mean, low_end, high_end = (
        np.array([np.nan if s[name] is None else s[name] for s in shares], float)
        for name in ("mean", "low", "high")
    )
    return Curve(metric, standing, points, mean, low_end, high_end)


def _stands(row: Row) -> bool:
    return not isinstance(row.command, Course) and not any(row.command)
