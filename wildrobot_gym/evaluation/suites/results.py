"""What a suite measured: rows with intervals, and which bars are met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from wildrobot_gym.evaluation.benchmark import WalkResult
from wildrobot_gym.evaluation.intervals import mean_interval, share_interval
from wildrobot_gym.evaluation.metrics import Metrics
from wildrobot_gym.evaluation.suites.catalog import FLAT, walking
from wildrobot_gym.evaluation.suites.definition import Bar, Course, Row, Suite
from wildrobot_gym.evaluation.suites.metrics import SHARES, row_metrics

DIGITS = 6  # of drawn values in JSON


def summary(name: str, values: np.ndarray) -> dict[str, Any]:
    """Mean and 95 % interval of a metric over episodes, as JSON types.

    The interval of a share is Wilson's. Other metrics have a bootstrap interval, and the
    percentiles p50 and p95.
    """
    if name in SHARES:
        return share_interval(values)
    finite = np.asarray(values, float)[np.isfinite(values)]
    p50, p95 = map(float, np.percentile(finite, (50, 95))) if finite.size else (None, None)
    return mean_interval(values) | {"p50": p50, "p95": p95}


@dataclass(frozen=True, eq=False)
class RowResult:
    """The episodes of a row.

    Attributes:
        row: The row.
        metrics: By name, an array (episode,).
        draws: What was drawn for each episode, by name.
    """

    row: Row
    metrics: Metrics
    draws: Mapping[str, Sequence[Any] | np.ndarray]

    @cached_property
    def summary(self) -> dict[str, dict[str, Any]]:
        """Intervals of each metric; see `summary`."""
        return {name: summary(name, values) for name, values in self.metrics.items()}

    def to_json(self) -> dict[str, Any]:
        """Definition, intervals and drawn values as JSON types."""
        command = self.row.command
        return {
            "command": "drawn" if isinstance(command, Course) else list(command),
            "duration_s": self.row.duration_s,
            "strength": self.row.strength,
            "metrics": self.summary,
            "survived": self.metrics["survived"].astype(int).tolist(),
            "draws": {name: _rounded(values) for name, values in self.draws.items()},
        }


@dataclass(frozen=True)
class Verdict:
    """Whether a bar is met.

    Attributes:
        bar: The bar.
        row: Name of the row that is farthest on the wrong side, or nearest to it.
        value: Its value; None where no episode could be measured.
        met: Whether all rows meet the bar.
    """

    bar: Bar
    row: str
    value: float | None
    met: bool

    def to_json(self) -> dict[str, Any]:
        """The verdict as JSON types."""
        bar = self.bar
        limits = {"metric": bar.metric, "of": bar.of, "low": bar.low, "high": bar.high}
        return limits | {"row": self.row, "value": self.value, "met": self.met}


@dataclass(frozen=True, eq=False)
class SuiteResult:
    """What a policy did in a suite."""

    suite: Suite
    episodes: int
    seed: int
    rows: tuple[RowResult, ...]

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One for each bar of the suite whose rows were run. The worst row decides."""
        found = []
        for bar in self.suite.bars:
            rows = [row for row in self.rows if not bar.rows or row.row.name in bar.rows]
            if rows:
                values = {row.row.name: row.summary[bar.metric][bar.of] for row in rows}
                worst = min(values, key=lambda name: _margin(bar, values[name]))
                met = all(bar.is_met(value) for value in values.values())
                found.append(Verdict(bar, worst, values[worst], met))
        return tuple(found)

    @property
    def passed(self) -> bool:
        """Whether there are bars, and all are met."""
        return bool(self.verdicts) and all(verdict.met for verdict in self.verdicts)

    @property
    def share_met(self) -> float:
        """Fraction of the bars that are met, over all rows: 1 where the suite is passed."""
        met = [
            bar.is_met(row.summary[bar.metric][bar.of])
            for bar in self.suite.bars
            for row in self.rows
            if not bar.rows or row.row.name in bar.rows
        ]
        return float(np.mean(met)) if met else 0.0

    def to_json(self) -> dict[str, Any]:
        """All rows and verdicts as JSON types."""
        return {
            "episode": self.suite.episode,
            "drawn": self.suite.drawn,
            "episodes_per_row": self.episodes,
            "seed": self.seed,
            "passed": self.passed,
            "bars": [verdict.to_json() for verdict in self.verdicts],
            "rows": {row.row.name: row.to_json() for row in self.rows},
        }


def flat_result(walk: WalkResult) -> SuiteResult:
    """The episodes of version 1 as the suite `flat`, with the further metrics."""
    rows = []
    for index, vx in enumerate(walk.commands):
        row = walking(vx)
        recording = walk.recording_of(index)
        command = np.array(row.command, np.float32) * np.float32(walk.speed_scale)
        script = np.tile(command, (recording.num_steps, walk.episodes, 1))
        metrics = row_metrics(recording, script, walk.robot, walk.control_dt)
        rows.append(RowResult(row, metrics, {}))
    return SuiteResult(FLAT, walk.episodes, walk.seed, tuple(rows))


def _margin(bar: Bar, value: float | None) -> float:
    """How far a value is within the limits; negative outside."""
    if value is None:
        return -np.inf
    below = np.inf if bar.high is None else bar.high - value
    above = np.inf if bar.low is None else value - bar.low
    return min(below, above)


def _rounded(values: Sequence[Any] | np.ndarray) -> Any:
    """Nested lists of numbers with few digits."""
    if isinstance(values, list | tuple | np.ndarray) and np.ndim(values[0] if len(values) else 0):
        return [_rounded(value) for value in values]
    return [_round(value) for value in values]


def _round(value: Any) -> float:
    return float(f"{float(value):.{DIGITS}g}")
