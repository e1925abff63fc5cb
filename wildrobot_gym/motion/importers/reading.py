"""What all importers ask of a file: that it is there, is whole, holds finite numbers, and a frame rate that can be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wildrobot_gym.errors import MotionError

FPS_RANGE = (5.0, 1000.0)  # slower than 5 is no motion, faster than 1000 no mocap camera
_ABSURD = 1e9  # mm or deg; damage to a binary file makes larger ones
_ROUND_FPS = 5e-4  # frame times are written with few digits: 0.033333 s means 30, and 29.97 stays


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        MotionError: missing, empty, or not text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise MotionError(f"Cannot read {path}: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise MotionError(
            f"{path} is no text file, as its suffix says it is. Rename or export it anew."
        ) from error
    if not text.strip():
        raise MotionError(f"{path} is empty. Download or export it anew.")
    return text


def numbers(words: Sequence[str] | np.ndarray, path: Path, what: str) -> np.ndarray:
    """`words` as float64; MotionError names the first that is no number."""
    try:
        return np.array(words, np.float64)
    except ValueError as error:
        raise MotionError(
            f"{path}: {what} holds something that is no number ({error}). Repair or export it anew."
        ) from error


def check_finite(values: np.ndarray, path: Path, what: str) -> None:
    """Raise MotionError where an array over frames has a NaN, an infinity or a number that nothing of a body can have."""
    fine = np.abs(values) < _ABSURD
    if not fine.all():
        frame = int(np.argwhere(~fine)[0][0])
        raise MotionError(
            f"{path}: {what} has a NaN or infinity (or near it), first in frame {frame}. Cut it off or repair it."
        )


def check_fps(fps: Any, path: Path, what: str) -> float:
    """A frame rate, rounded to the whole number that it surely means; `what` says what the file had.

    Raises:
        MotionError: no number, or outside of `FPS_RANGE`.
    """
    try:
        rate = float(fps)
    except (TypeError, ValueError):
        rate = float("nan")
    if not FPS_RANGE[0] <= rate <= FPS_RANGE[1]:
        raise MotionError(
            f"{path}: {what} means {fps} frames a second; allowed: {FPS_RANGE[0]:g} to {FPS_RANGE[1]:g}."
            " Repair the file, or pass fps."
        )
    return float(round(rate)) if abs(rate - round(rate)) < _ROUND_FPS * rate else rate
