"""Mean and 95 % bootstrap interval (Efron 1979, percentile method)."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

RESAMPLES = 2000
LEVEL = 95.0  # percent


def mean_interval(values: Float[np.ndarray, " n"], seed: int = 0) -> dict[str, Any]:
    """Mean and interval of the finite values.

    Args:
        values: The values.
        seed: Random seed of the bootstrap. It is fixed: equal values give equal intervals.

    Returns:
        A dictionary with `mean`, `low`, `high` and `n`. The first three are None if `n` is 0.
    """
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    if values.size == 0:
        return {"mean": None, "low": None, "high": None, "n": 0}
    rng = np.random.default_rng(seed)
    means = values[rng.integers(values.size, size=(RESAMPLES, values.size))].mean(axis=1)
    low, high = np.percentile(means, [(100 - LEVEL) / 2, (100 + LEVEL) / 2])
    return {
        "mean": float(values.mean()),
        "low": float(low),
        "high": float(high),
        "n": int(values.size),
    }
