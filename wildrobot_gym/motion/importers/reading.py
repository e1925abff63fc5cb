"""What all importers require of a file: it exists, is whole, and has finite numbers and a possible
frame rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wildrobot_gym import npz_io
from wildrobot_gym.errors import MotionError

FPS_RANGE = (5.0, 1000.0)  # slower is no motion, faster no motion capture camera.
_ABSURD = 1e9  # mm or deg; damage to a binary file makes larger ones.
_ROUND_FPS = 5e-4  # frame times are written with few digits: 0.033333 s means 30, and 29.97 stays


def read_text(path: Path) -> str:
    """Read the text of a file.

    Raises:
        MotionError: The file is missing, empty, or not text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise MotionError(f"Cannot read {path}: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise MotionError(
            f"{path} is no text file, as its suffix says it is. Rename or export it again."
        ) from error
    if not text.strip():
        raise MotionError(f"{path} is empty. Download or export it again.")
    return text


def numbers(words: Sequence[str] | np.ndarray, path: Path, what: str) -> np.ndarray:
    """Convert `words` to float64.

    Raises:
        MotionError: A word is no number; it is named.
    """
    try:
        return np.array(words, np.float64)
    except ValueError as error:
        raise MotionError(
            f"{path}: {what} holds something that is no number ({error}). Repair or export it"
            " again."
        ) from error


def check_finite(values: np.ndarray, path: Path, what: str) -> None:
    """Check an array over frames for a NaN, an infinity, or a number that is impossible for a body.

    Raises:
        MotionError: There is one.
    """
    fine = np.abs(values) < _ABSURD
    if not fine.all():
        frame = int(np.argwhere(~fine)[0][0])
        raise MotionError(
            f"{path}: {what} has a NaN or infinity (or near it), first in frame {frame}. Cut it off"
            " or repair it."
        )


def check_fps(fps: Any, path: Path, what: str) -> float:
    """Return a frame rate, rounded if it is nearly a whole number. `what` says what the file had.

    Raises:
        MotionError: It is no number, or outside `FPS_RANGE`.
    """
    try:
        rate = float(fps)
    except (TypeError, ValueError):
        rate = float("nan")
    if not FPS_RANGE[0] <= rate <= FPS_RANGE[1]:
        raise MotionError(
            f"{path}: {what} means {fps} frames a second; allowed: {FPS_RANGE[0]:g} to"
            f" {FPS_RANGE[1]:g}."
            " Repair the file, or pass fps."
        )
    return float(round(rate)) if abs(rate - round(rate)) < _ROUND_FPS * rate else rate


def read_npz(
    path: Path, names: Sequence[str], what: str, only: Sequence[str] | None = None
) -> dict[str, np.ndarray]:
    """Read the arrays of an .npz, without those that only a pickle could give.

    Args:
        path: The file.
        names: Arrays of numbers that it must have.
        what: What it should hold, for messages.
        only: Arrays to read; by default all.

    Raises:
        MotionError: The file is damaged, or an array is missing.
    """
    wanted = dict.fromkeys(names, npz_io.Wanted(finite=False))
    return npz_io.read(path, MotionError, what, "Download it again.", wanted, only, True)
