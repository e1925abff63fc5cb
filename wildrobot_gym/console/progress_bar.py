"""The progress of a known amount of work: a bar on a terminal, else lines now and then."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

PRINT_EVERY_S = 30.0  # where the output is not a terminal


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} steps/s")


class BarDisplay:
    """A bar on a terminal.

    Args:
        console: The terminal.
        label: What is counted.
        total: Units of work.
        done: Units done earlier.
    """

    def __init__(self, console: Console, label: str, total: int, done: int = 0) -> None:
        columns = (*Progress.get_default_columns(), _Speed(), TextColumn("{task.fields[status]}"))
        self.bar = Progress(*columns, console=console, transient=True)
        self._task = self.bar.add_task(label, total=total, completed=done, status="")

    def __call__(self, count: int, status: str = "") -> None:
        """Count `count` units more."""
        self.bar.update(self._task, advance=count, status=status)


class LineDisplay:
    """A line every `PRINT_EVERY_S` seconds for work that has a status; other work shows nothing.

    Args:
        console: Where to print.
        label: What is counted.
        total: Units of work.
        done: Units done earlier.
    """

    def __init__(self, console: Console, label: str, total: int, done: int = 0) -> None:
        self._console, self._label, self._total = console, label, total
        self._first, self._done = done, done
        self._began = time.monotonic()
        self._printed = 0.0

    def __call__(self, count: int, status: str = "") -> None:
        """Count `count` units more."""
        self._done += count
        elapsed = time.monotonic() - self._began
        if not status or not (elapsed - self._printed >= PRINT_EVERY_S or self._printed == 0):
            return
        self._printed = max(elapsed, 1e-9)
        rate = (self._done - self._first) / max(elapsed, 1e-9)
        left_s = max(self._total - self._done, 0) / max(rate, 1e-9)
        self._console.print(
            f"{self._done:,} of {self._total:,} {self._label}  {rate:,.0f}/s"
            f"  {left_s / 60:.1f} min left  {status}",
            soft_wrap=True,
            highlight=False,
            markup=False,
        )
