"""A policy's features beside a reference's, one dimension at a time: where a discriminator could tell them apart cheaply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import ks_2samp

SHORTCUT_KS = 0.8  # one threshold on that dimension is then right for nine in ten samples
_ZERO = 1e-6


@dataclass(frozen=True)
class Spread:
    """Mean, standard deviation and share of zeros of one dimension on one side."""

    mean: float
    std: float
    zeros: float

    @classmethod
    def of(cls, values: Float[np.ndarray, " sample"]) -> Spread:
        return cls(
            float(values.mean()), float(values.std()), float(np.mean(np.abs(values) < _ZERO))
        )


@dataclass(frozen=True)
class DimensionCheck:
    """One dimension. ks: Kolmogorov and Smirnov's distance, 0 (alike) to 1 (apart everywhere)."""

    name: str
    policy: Spread
    reference: Spread
    ks: float

    @property
    def accuracy(self) -> float:
        """Of the best single threshold on this dimension, with as many samples from either side."""
        return (1.0 + self.ks) / 2.0

    @property
    def is_shortcut(self) -> bool:
        """Whether a discriminator needs nothing but this dimension."""
        return self.ks >= SHORTCUT_KS


def check_features(
    names: Sequence[str],
    policy: Float[np.ndarray, "sample feature"],
    reference: Float[np.ndarray, "other feature"],
) -> list[DimensionCheck]:
    """Every dimension, the most telling first."""
    checks = [
        DimensionCheck(
            name,
            Spread.of(ours),
            Spread.of(theirs),
            float(ks_2samp(ours, theirs, method="asymp").statistic),
        )
        for name, ours, theirs in zip(names, policy.T, reference.T, strict=True)
    ]
    return sorted(checks, key=lambda check: -check.ks)
