"""Files that are written whole or not at all, by one process at a time; and digests of files."""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import json
import os
import platform
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

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
    """A binary stream whose bytes become `path` when the block ends without an error.

    An older file stays whole until then. The bytes go to a hidden file beside `path`, whose folder
    is made, and reach the disk. The file then takes its name in one step. A link stays a link. A
    pipe or device is written to directly.

    Raises:
        OSError: the folder cannot be written or the disk is full. No file is left behind.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        with path.open("wb") as stream:
            yield stream
        return
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = _new_part(path.parent, path.name)
    try:
        with part.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def folder_write(folder: Path, last: str, stale: Iterable[str] = ()) -> Iterator[Path]:
    """A new folder whose files move into `folder` when the block ends without an error.

    Args:
        folder: Made where it is missing. Older files of it stay until then.
        last: The file without which the others count for nothing: it moves last.
        stale: Older files that go where the block has written no new ones.

    Raises:
        OSError: the folder cannot be written. Nothing is left behind.
    """
    folder = folder.resolve()
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "it is no folder", str(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    place = folder if folder.is_dir() else folder.parent  # on the same disk
    part = _new_part(place, folder.name)
    part.mkdir()
    try:
        yield part
        files = [path for path in part.iterdir() if path.is_file()]
        folder.mkdir(exist_ok=True)
        for name in {last, *stale}:
            (folder / name).unlink(missing_ok=True)
        for path in sorted(files, key=lambda path: path.name == last):
            os.replace(path, folder / path.name)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _new_part(folder: Path, name: str) -> Path:
    """Where `name` is written before it is whole. Deletes the parts that killed processes left.

    Its own name says who writes it: host, process, and a number for others of that process.
    """
    host = hashlib.sha256(platform.node().encode()).hexdigest()[:8]
    for old in folder.glob(f".{glob.escape(name)}.{host}-*-*.tmp"):
        pid = old.name.split("-")[-2]
        if pid.isdecimal() and not _is_running(int(pid)):
            shutil.rmtree(old, ignore_errors=True)
            with contextlib.suppress(OSError):
                old.unlink()
    return folder / f".{name}.{host}-{os.getpid()}-{secrets.token_hex(4)}.tmp"


def _is_running(pid: int) -> bool:
    """Whether this machine has such a process, which may be another one by now."""
    if fcntl is None:  # Windows, where the question would end the process
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


@contextmanager
def locked(path: Path) -> Iterator[BinaryIO]:
    """Open `path` for appending, and lock it for this process and the children that inherit it.

    The file is made where it is missing. Systems and file systems without locks only open it.

    Raises:
        BlockingIOError: another process has locked it.
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
    """Write a JSON file, whole or not at all.

    Raises:
        RunError: the file cannot be written.
    """
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file in UTF-8, whole or not at all.

    Raises:
        RunError: the file cannot be written.
    """
    try:
        with atomic_write(path) as stream:
            # A file name in the text may hold bytes that are no UTF-8.
            stream.write(text.encode(errors="replace"))
    except OSError as error:
        raise RunError(f"Cannot write {path}: {error}.") from error


def check_free(paths: Iterable[Path | None], force: bool) -> None:
    """Raise RunError where one of `paths` exists already, unless `force`.

    Called before any work is done.
    """
    taken = [str(path) for path in paths if path is not None and path.exists()]
    if taken and not force:
        raise RunError(
            f"{', '.join(taken)} exists. Choose another name, or overwrite it by --force."
        )
