"""A reporter that prints with rich."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from wildrobot_gym.console.progress_bar import step_bar
from wildrobot_gym.reporting import Advance


class ConsoleReporter:
    """Print messages, and show progress bars on a terminal.

    Args:
        console: Where to print; standard output by default.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()

    def info(self, text: str) -> None:
        """Print one line as it is."""
        self.console.print(text, soft_wrap=True, highlight=False, markup=False)

    def warning(self, text: str) -> None:
        """Print one line in yellow."""
        self.console.print(text, style="yellow", soft_wrap=True, highlight=False, markup=False)

    @contextmanager
    def progress(self, label: str, total: int) -> Iterator[Advance]:
        """Show a bar that disappears when the work is done."""
        with step_bar(self.console) as bar:
            task = bar.add_task(label, total=total)
            yield lambda count: bar.advance(task, count)
