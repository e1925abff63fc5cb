"""What a long-running function reports while it works, without knowing where that is shown.

Library functions take a `Reporter`; the default `SILENT` drops everything. The command line passes
one that prints.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Advance(Protocol):
    """Called when some work is done."""

    def __call__(self, count: int, status: str = "") -> None:
        """Count `count` units more; `status` is a phrase about the present state."""


class Reporter(Protocol):
    """Receives messages and progress."""

    def info(self, text: str) -> None:
        """Show one line about normal progress."""

    def warning(self, text: str) -> None:
        """Show one line about something that needs the user's attention."""

    def progress(self, label: str, total: int, done: int = 0) -> AbstractContextManager[Advance]:
        """Show the progress of `total` units of work, `done` of them earlier, while it is open."""


class Silent:
    """A reporter that shows nothing."""

    def info(self, text: str) -> None:
        """Drop the line."""

    def warning(self, text: str) -> None:
        """Drop the line."""

    def progress(self, label: str, total: int, done: int = 0) -> AbstractContextManager[Advance]:
        """Return a context that counts nothing."""
        return nullcontext(lambda count, status="": None)


SILENT = Silent()
