"""Reading and writing the project's .npz files: arrays and one JSON text, no pickle, written in one
step.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wildrobot_gym.errors import MotionError
from wildrobot_gym.files import NPZ_ERRORS, atomic_write

_METADATA = "metadata"
_DAMAGE = (*NPZ_ERRORS, AttributeError, TypeError)


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
        with np.load(path, allow_pickle=False) as file:
            return str(json.loads(str(file[_METADATA]))["kind"])
    except _DAMAGE:
        return None


def read(
    path: str | Path, kind: str, names: tuple[str, ...]
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read a file that `write` wrote.

    Args:
        path: The file.
        kind: What it must hold.
        names: Arrays that it must have.

    Returns:
        All arrays by name, and the metadata.

    Raises:
        MotionError: The file is missing, truncated, or of another kind.
    """
    path = Path(path)
    if not path.is_file():
        raise MotionError(
            f"{path} does not exist. Name a file or a shipped motion."
            " `wildrobot motion build` makes walks."
        )
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        metadata = json.loads(str(arrays.pop(_METADATA)))
        found = metadata.pop("kind")
    except _DAMAGE as error:
        raise MotionError(
            f"{path} is truncated or no {kind} file of this project"
            f" ({type(error).__name__}: {error}). Build or import it again."
        ) from error
    if found != kind:
        raise MotionError(f"{path} holds a {found!r}, but a {kind!r} is needed here.")
    if missing := [name for name in names if name not in arrays]:
        raise MotionError(
            f"{path} has no arrays {', '.join(missing)}; it has {', '.join(sorted(arrays))}."
        )
    return arrays, metadata
