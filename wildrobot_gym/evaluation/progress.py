"""The columns of a run's progress.csv."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from jaxtyping import Float

from wildrobot_gym.errors import RunError

STEPS = "time/total_timesteps"


def read_columns(path: str | Path) -> dict[str, Float[np.ndarray, " row"]]:
    """Read a progress.csv.

    Args:
        path: The file.

    Returns:
        Its columns by name, over the rows that have environment steps; NaN for a missing value.

    Raises:
        RunError: The file is missing or damaged.
    """
    try:
        with open(path, newline="") as stream:
            reader = csv.DictReader(stream)
            rows = [row for row in reader if row.get(STEPS)]
        return {
            name: np.array([float(row[name] or "nan") for row in rows])
            for name in reader.fieldnames or ()
        }
    except (OSError, ValueError, csv.Error) as error:  # UnicodeDecodeError is a ValueError
        raise RunError(f"Cannot read {path}: {error}.") from error
