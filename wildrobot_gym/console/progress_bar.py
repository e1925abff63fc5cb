"""A bar for a known number of environment steps: how far, steps per second, time left."""

from __future__ import annotations

from rich.console import Console
from rich.progress import Progress, ProgressColumn, Task
from rich.text import Text


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} steps/s")


def step_bar(console: Console) -> Progress:
    """A bar that goes away when it is done; nothing where the output is no terminal."""
    columns = (*Progress.get_default_columns(), _Speed())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
