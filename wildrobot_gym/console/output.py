"""Standard output that survives a full disk."""

from __future__ import annotations

import contextlib
import errno
import sys
from collections.abc import Iterator
from typing import IO, Any, cast

from rich.console import Console


class _Stdout:
    """Standard output; what a full disk refuses is lost without an error."""

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stdout, name)

    def write(self, text: str) -> int:
        with _full_disk_ignored():
            return sys.stdout.write(text)
        return len(text)

    def flush(self) -> None:
        with _full_disk_ignored():
            sys.stdout.flush()


@contextlib.contextmanager
def _full_disk_ignored() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise


def training_console() -> Console:
    """The console of a training. Its output is often a log on the disk that checkpoints fill."""
    if sys.stdout is None:  # type: ignore[redundant-expr]
        return Console()
    return Console(file=cast(IO[str], _Stdout()))
