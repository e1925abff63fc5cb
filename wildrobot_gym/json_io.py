"""JSON of files that anyone may have made."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from wildrobot_gym.errors import ConfigError


def parse(text: str | bytes, where: str) -> Any:
    """The value of a JSON text.

    Args:
        text: The JSON.
        where: What an error calls it.

    Raises:
        ConfigError: It is not JSON, nests too deep, or has a number that no float holds.
    """
    try:
        return json.loads(text, parse_float=_finite, parse_int=_whole)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{where} is not valid JSON: {error}") from error


def read(path: Path) -> Any:
    """The value of a JSON file.

    Raises:
        OSError: It cannot be read.
        ConfigError: As `parse`.
    """
    return parse(path.read_bytes(), str(path))


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"the number {digits} is too large")
    return value


def _whole(digits: str) -> int:
    if len(digits) > 300:  # no float holds it
        raise ValueError(f"a whole number has {len(digits)} digits")
    return int(digits)
