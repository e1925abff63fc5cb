"""The suites as a table for people, made from their definitions."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from wildrobot_gym.evaluation.formatting import SUITE_HEADINGS
from wildrobot_gym.evaluation.suites.definition import Bar, Suite


def markdown_table(suites: Iterable[Suite]) -> str:
    """A Markdown table with a line for each suite."""
    lines = ["| suite | episode | drawn | bar |", "|---|---|---|---|"]
    lines += [f"| `{s.name}` | {s.episode} | {s.drawn} | {bars_text(s.bars)} |" for s in suites]
    return "\n".join(lines)


def bars_text(bars: Iterable[Bar]) -> str:
    """Bars in one line; those of some rows alone name them first."""
    parts = []
    for rows, of_rows in groupby(bars, key=lambda bar: bar.rows):
        where = f"{' and '.join(f'*{row}*' for row in rows)}: " if rows else ""
        parts.append(where + ", ".join(map(bar_text, of_rows)))
    return "; ".join(parts)


def bar_text(bar: Bar) -> str:
    """One bar, such as `survived ≥ 0.99`."""
    heading, _, unit = SUITE_HEADINGS[bar.metric].partition(", ")
    known = unit in ("m", "s", "m/s", "rad", "rad/s")
    name = heading if known or not unit else SUITE_HEADINGS[bar.metric]
    statistic = "" if bar.of == "mean" else f" ({bar.of})"
    return f"{name} {bar.limits}{f' {unit}' if known else ''}{statistic}"
