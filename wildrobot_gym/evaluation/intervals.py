"""95 % intervals: of a mean by the bootstrap (Efron 1979), of a share by Wilson (1927)."""

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


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """Wilson's interval of a share: low and high end.

    Unlike the bootstrap's, it has a width where all values are equal.

    Args:
        successes: How many of the values are 1.
        n: Number of values, 1 or more.
    """
    from scipy.stats import binomtest  # not at the top: it takes a second

    interval = binomtest(successes, n).proportion_ci(LEVEL / 100, method="wilson")
    return float(interval.low), float(interval.high)


def share_interval(values: Float[np.ndarray, " n"]) -> dict[str, Any]:
    """Mean and Wilson's interval of values that are 0 or 1; the form of `mean_interval`."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    if values.size == 0:
        return {"mean": None, "low": None, "high": None, "n": 0}
    low, high = wilson_interval(round(float(values.sum())), values.size)
    return {"mean": float(values.mean()), "low": low, "high": high, "n": int(values.size)}
