"""What a long-running function reports while it works, without knowing where that is shown.

Library functions take a `Reporter`; the default `SILENT` drops everything. The command line passes one that prints.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

Advance = Callable[[int], None]
"""Called with the number of units of work that are newly done."""


class Reporter(Protocol):
    """Receives messages and progress."""

    def info(self, text: str) -> None:
        """Show one line about normal progress."""

    def warning(self, text: str) -> None:
        """Show one line about something that needs the user's attention."""

    def progress(self, label: str, total: int) -> AbstractContextManager[Advance]:
        """Show the progress of `total` units of work while the context is open."""


class Silent:
    """A reporter that shows nothing."""

    def info(self, text: str) -> None:
        """Drop the line."""

    def warning(self, text: str) -> None:
        """Drop the line."""

    def progress(self, label: str, total: int) -> AbstractContextManager[Advance]:
        """Return a context that counts nothing."""
        return nullcontext(lambda count: None)


SILENT = Silent()
