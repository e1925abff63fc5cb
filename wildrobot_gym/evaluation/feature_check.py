"""Compare a policy's AMP features with a reference's, one column at a time.

A column that alone separates the two is a shortcut for the discriminator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import ks_2samp

SHORTCUT_KS = 0.8  # one threshold on the column is then right for nine in ten samples
_ZERO = 1e-6


@dataclass(frozen=True)
class Spread:
    """Mean, standard deviation and fraction of zeros of one column on one side."""

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
    """The comparison of one column.

    Attributes:
        name: The column.
        policy: Its values on the policy's side.
        reference: Its values on the reference's side.
        ks: The Kolmogorov-Smirnov distance, from 0 (equal) to 1 (separate everywhere).
    """

    name: str
    policy: Spread
    reference: Spread
    ks: float

    @property
    def accuracy(self) -> float:
        """Accuracy of the best threshold on this column, with equal numbers of samples."""
        return (1.0 + self.ks) / 2.0

    @property
    def is_shortcut(self) -> bool:
        """Whether this column alone is enough for a discriminator."""
        return self.ks >= SHORTCUT_KS


def check_features(
    names: Sequence[str],
    policy: Float[np.ndarray, "sample feature"],
    reference: Float[np.ndarray, "other feature"],
) -> list[DimensionCheck]:
    """Compare all columns.

    Args:
        names: Names of the columns.
        policy: Feature frames of the policy.
        reference: Feature frames of the reference.

    Returns:
        One comparison for each column, the largest distance first.
    """
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
