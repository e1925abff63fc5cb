"""What defines a suite. This module is quick to import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Statistic = Literal["mean", "p50", "p95"]


@dataclass(frozen=True)
class Course:
    """Commands that are drawn anew all the time, with stops among them.

    A command stays for `interval_s`. Of those that are no stops, a fraction turns and a fraction
    goes sideways. The last command walks straight ahead, so that the heading is held to the end.
    """

    vx: tuple[float, float] = (-0.2, 0.6)
    """Forward, m/s."""
    vy: tuple[float, float] = (-0.1, 0.1)
    """To the left, m/s."""
    yaw_rate: tuple[float, float] = (-0.5, 0.5)
    """To the left, rad/s."""
    interval_s: tuple[float, float] = (2.0, 4.0)
    stops: float = 0.25
    turns: float = 0.5
    sideways: float = 0.25
    last_s: float = 4.0
    """Length of the last command, s."""


@dataclass(frozen=True)
class Unsettled:
    """Starts of a robot that was put down badly: each of this size, in a drawn direction."""

    tilt: float
    """rad, of the base about a horizontal axis."""
    rate: float
    """rad/s, of the base about another horizontal axis."""
    stagger: float
    """m, from foot to foot along the heading; a drawn foot is ahead."""


@dataclass(frozen=True)
class Row:
    """Episodes of one kind.

    Attributes:
        name: Its name, unique in the suite.
        command: vx m/s, vy m/s and yaw rate rad/s for the whole episode; or a course.
        duration_s: Length of an episode, s.
        start: Where episodes begin; None: as `WildRobot-v0` resets.
        env: Settings of `EnvConfig` on top of the policy's own.
        sensors: Errors of sensors (`SensorConfig`) by channel, for channels that the policy has.
        strength: Of the disturbance, for the picture; None if it has no single strength.
    """

    name: str
    command: tuple[float, float, float] | Course
    duration_s: float = 10.0
    start: Unsettled | None = None
    env: Mapping[str, Any] = field(default_factory=dict)
    sensors: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    strength: float | None = None


@dataclass(frozen=True)
class Bar:
    """What a policy must reach in every row that the bar is for.

    Attributes:
        metric: Name of the metric.
        low: Smallest value; None: no limit.
        high: Greatest value; None: no limit.
        of: The statistic over the episodes of a row.
        rows: Names of the rows; all rows if empty.
    """

    metric: str
    low: float | None = None
    high: float | None = None
    of: Statistic = "mean"
    rows: tuple[str, ...] = ()

    def is_met(self, value: float | None) -> bool:
        """Whether a value is within the limits. None, of a metric without episodes, is not."""
        if value is None:
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    @property
    def limits(self) -> str:
        """The limits as text, such as `≥ 0.99`."""
        if self.low is not None and self.high is not None:
            return f"{self.low:.3g} ... {self.high:.3g}"
        return f"≤ {self.high:.3g}" if self.low is None else f"≥ {self.low:.3g}"


@dataclass(frozen=True)
class Suite:
    """A named set of rows.

    Attributes:
        name: Its name, for `--suite`.
        episode: What an episode is, for people.
        drawn: What is drawn for each episode, for people.
        rows: The rows.
        bars: What a policy must reach.
        strength: What the strength of a disturbance is, for the picture; None without a curve.
        draw: The drawn value that is the strength; None: rows have their own.
    """

    name: str
    episode: str
    drawn: str
    rows: tuple[Row, ...]
    bars: tuple[Bar, ...]
    strength: str | None = None
    draw: str | None = None

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metrics that its table shows: whether robots survived, and all that have a bar."""
        return tuple(dict.fromkeys(["survived", *(bar.metric for bar in self.bars)]))
