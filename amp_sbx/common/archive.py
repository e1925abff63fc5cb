"""The checkpoint file: a zip of JSON and .npy arrays. Nothing in it is executed on load."""

import contextlib
import io
import json
import os
import pathlib
import tempfile
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from amp_sbx.common.errors import CheckpointError
from amp_sbx.common.npy_members import check_sizes, read_member

FORMAT = "amp_sbx"
FORMAT_VERSION = 1
LOAD_WITH = "amp_sbx.AMPPPO.load"
_META, _SB3_DATA, _ARRAYS, _SUFFIX = "meta.json", "data", "arrays/", ".npy"
_NOTICE = f"(this is an amp_sbx model: load it with {LOAD_WITH}, not with SB3's or SBX's load)"
PathOrStream = str | pathlib.Path | io.BufferedIOBase | BinaryIO


def resolve_path(path: str | os.PathLike) -> pathlib.Path:
    """`path`, with ".zip" added if it has no suffix, as in SB3."""
    path = pathlib.Path(path)
    return path if path.suffix else path.with_name(path.name + ".zip")


def sb3_data(meta: dict[str, Any]) -> dict[str, Any]:
    """The `data` member, for tools that read SB3's files: plain JSON that says how to load.

    `load` of SB3 and SBX warns about the first entry by its name and then fails, because the
    spaces are missing. The entry has no content, so nothing is ever deserialized.
    """
    return {
        _NOTICE: {":serialized:": None},
        "format": FORMAT,
        "load_with": LOAD_WITH,
        "algorithm": meta.get("algorithm"),
        "policy_class": meta.get("policy"),
        "num_timesteps": meta.get("counters", {}).get("num_timesteps"),
    }


def _write_zip(stream: Any, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    header = {"format": FORMAT, "format_version": FORMAT_VERSION, **meta}
    # Not compressed: float weights hardly shrink, and saving would take seconds.
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_META, json.dumps(header, indent=2))
        archive.writestr(_SB3_DATA, json.dumps(sb3_data(header), indent=2))
        for name, array in arrays.items():
            with archive.open(f"{_ARRAYS}{name}{_SUFFIX}", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)


def write(path: PathOrStream, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write a checkpoint. A file is replaced atomically.

    Args:
        path: file or binary stream.
        meta: JSON-able description.
        arrays: arrays by name.

    Raises:
        CheckpointError: it cannot be written (permission, full disk). An older file is untouched.
    """
    if not isinstance(path, (str, os.PathLike)):
        _write_zip(path, meta, arrays)
        return
    target = resolve_path(path)
    temporary: str | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(
            dir=target.parent, prefix=f".{target.name}.", suffix=".tmp"
        )
        with os.fdopen(descriptor, "wb") as stream:
            _write_zip(stream, meta, arrays)
            stream.flush()
            os.fsync(stream.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # mkstemp makes it private
        os.replace(temporary, target)
        temporary = None
    except OSError as error:
        raise CheckpointError(
            f"cannot write {target}: {error}. Nothing was changed; free disk space or choose "
            "another folder."
        ) from error
    finally:
        if temporary is not None:
            pathlib.Path(temporary).unlink(missing_ok=True)


def read(path: PathOrStream) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read a checkpoint.

    Returns:
        `(meta, arrays)` as given to `write`.

    Raises:
        CheckpointError: the file is missing, damaged, of another format, or of a later version.
    """
    with _opened(path) as (archive, name):
        meta = _read_meta(archive, name)
        members = {
            info.filename[len(_ARRAYS) : -len(_SUFFIX)]: info
            for info in archive.infolist()
            if info.filename.startswith(_ARRAYS) and info.filename.endswith(_SUFFIX)
        }
        return meta, {key: read_member(archive, info) for key, info in members.items()}


def read_meta(path: PathOrStream) -> dict[str, Any]:
    """Read only the description of a checkpoint. Damage to its arrays is not noticed.

    Raises:
        CheckpointError: as `read`.
    """
    with _opened(path) as (archive, name):
        return _read_meta(archive, name)


@contextlib.contextmanager
def _opened(path: PathOrStream) -> Iterator[tuple[zipfile.ZipFile, str]]:
    """A checkpoint's archive and its name. Errors while reading become `CheckpointError`."""
    source: Any = path
    name = getattr(path, "name", "the given stream")
    if isinstance(path, (str, os.PathLike)):
        source = resolve_path(path)
        if not source.exists() and pathlib.Path(path).exists():
            source = pathlib.Path(path)
        name = str(source)
    try:
        with zipfile.ZipFile(source) as archive:
            check_sizes(archive.infolist())
            yield archive, name
    except FileNotFoundError as error:
        raise CheckpointError(f"{name} does not exist.") from error
    except (zipfile.BadZipFile, EOFError) as error:
        raise CheckpointError(
            f"{name} is damaged or not a checkpoint: {error}. Use another copy."
        ) from error
    except CheckpointError:
        raise
    except Exception as error:  # zipfile, zlib and json raise many kinds for a damaged file
        raise CheckpointError(f"{name} cannot be read: {error}. Use another copy.") from error


def _read_meta(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    members = archive.namelist()
    if _META not in members:
        hint = (
            " It looks like an SB3 or SBX file, which holds pickles and is not opened."
            if "data" in members
            else ""
        )
        raise CheckpointError(
            f"{name} is a zip file but no amp_sbx checkpoint: it has no {_META}.{hint}"
        )
    try:
        meta = json.loads(archive.read(_META))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{name}: {_META} is not JSON: {error}.") from error
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise CheckpointError(
            f"{name} is no amp_sbx checkpoint: {_META} does not say format {FORMAT!r}."
        )
    if meta.get("format_version") != FORMAT_VERSION:
        raise CheckpointError(
            f"{name} has format version {meta.get('format_version')}; this amp_sbx reads "
            f"{FORMAT_VERSION}. Update amp_sbx."
        )
    return meta
