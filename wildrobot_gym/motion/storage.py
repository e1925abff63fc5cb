"""Reading and writing the project's .npz files: arrays and one JSON text, no pickle, written in one
step.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wildrobot_gym import json_io, npz_io
from wildrobot_gym.errors import ConfigError, MotionError
from wildrobot_gym.files import atomic_write

_METADATA, _TEXT = "metadata", npz_io.Wanted(0, npz_io.TEXT)


def write(
    path: str | Path, kind: str, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any]
) -> Path:
    """Write arrays and metadata. A reader never sees a part of the file.

    Args:
        path: The file, .npz.
        kind: What the file holds.
        arrays: Arrays by name.
        metadata: Anything else, as JSON types.

    Returns:
        The path.

    Raises:
        MotionError: The file cannot be written.
    """
    path = Path(path)
    text = json.dumps({"kind": kind, **metadata}, sort_keys=True)
    try:
        with atomic_write(path) as stream:
            np.savez_compressed(stream, **{**arrays, _METADATA: np.array(text)})  # type: ignore[arg-type]
    except OSError as error:
        raise MotionError(f"Cannot write {path}: {error}.") from error
    return path


def kind_of(path: str | Path) -> str | None:
    """Return what a file of this project holds, or None for any other file or none at all."""
    try:
        arrays = npz_io.read(
            Path(path), MotionError, "file of this project", "", {_METADATA: _TEXT}, only=()
        )
        return str(json_io.parse(str(arrays[_METADATA]), "")["kind"])
    except (MotionError, ConfigError, KeyError, TypeError):
        return None


def read(
    path: str | Path, kind: str, wanted: Mapping[str, npz_io.Wanted]
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read a file that `write` wrote.

    Args:
        path: The file.
        kind: What it must hold.
        wanted: Arrays that it must have, and what each must be.

    Returns:
        All arrays by name, and the metadata.

    Raises:
        MotionError: The file is missing, damaged, or of another kind.
    """
    path = Path(path)
    if not path.is_file():
        raise MotionError(
            f"{path} does not exist. Name a file or a shipped motion."
            " `wildrobot motion build` makes walks."
        )
    what, remedy = f"{kind} file of this project", "Build or import it again."
    arrays = npz_io.read(path, MotionError, what, remedy, {_METADATA: _TEXT})
    try:
        metadata = dict(json_io.parse(str(arrays.pop(_METADATA)), "its metadata"))
        found = metadata.pop("kind")
    except (ConfigError, KeyError, TypeError, ValueError) as error:
        raise MotionError(f"{path} is no {what}: {error}. {remedy}") from error
    if found != kind:
        raise MotionError(f"{path} holds a {found!r}, but a {kind!r} is needed here.")
    if missing := [name for name in wanted if name not in arrays]:
        raise MotionError(
            f"{path} has no arrays {', '.join(missing)}; it has {', '.join(sorted(arrays))}."
        )
    try:
        npz_io.check_all(arrays, wanted)
    except ValueError as error:
        raise MotionError(f"{path} is damaged: {error}. {remedy}") from error
    return arrays, metadata
