"""Writing files whole or not at all, and by one process at a time; telling one content from another."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from rich.console import Console

from wildrobot_gym.errors import RunError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """A binary stream whose bytes become ``path`` when the block ends well; an older file stays whole until then.

    The bytes go to a hidden file beside ``path`` (its folder is made), reach the disk, and take its name in one step. A link
    stays one; a pipe or a device is written to as it is.

    Raises:
        OSError: the folder cannot be written or the disk is full; nothing is left behind.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        with path.open("wb") as stream:
            yield stream
        return
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with part.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def locked(path: Path) -> Iterator[BinaryIO]:
    """``path`` (made where it is not there), open for appending and locked: by this process and the children that inherit it.

    On systems and file systems that have no locks it is open alone.

    Raises:
        BlockingIOError: another process has it.
    """
    with path.open("ab") as stream:
        if fcntl is not None:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP):
                    raise
        yield stream


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, whole or not at all; RunError where it cannot be written."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file in UTF-8, whole or not at all; RunError where it cannot be written."""
    try:
        with atomic_write(path) as stream:
            stream.write(
                text.encode(errors="replace")
            )  # a file name that is no UTF-8 may stand in it
    except OSError as error:
        raise RunError(f"Cannot write {path}: {error}.") from error


def check_free(paths: Iterable[Path | None], force: bool) -> None:
    """Raise RunError where a file is in the way, before any work is done."""
    taken = [str(path) for path in paths if path is not None and path.exists()]
    if taken and not force:
        raise RunError(
            f"{', '.join(taken)} exists. Choose another name, or overwrite it by --force."
        )


def write_figures(path: Path | None, figures: Any, console: Console) -> None:
    """A command's figures as JSON, where a file is asked for."""
    if path is not None:
        write_json(path, figures)
        console.print(f"Figures: {path}", highlight=False, soft_wrap=True)
