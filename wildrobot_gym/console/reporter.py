"""A reporter that prints with rich."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from wildrobot_gym.console.progress_bar import BarDisplay, LineDisplay
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
    def progress(self, label: str, total: int, done: int = 0) -> Iterator[Advance]:
        """Show a bar on a terminal. Elsewhere, print a line now and then for work with a status."""
        if not self.console.is_terminal:
            yield LineDisplay(self.console, label, total, done)
            return
        display = BarDisplay(self.console, label, total, done)
        with display.bar:
            yield display
