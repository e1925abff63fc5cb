"""Which of several policies is better, figure by figure, as far as their intervals tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scipy.stats import binomtest

from wildrobot_gym.config import FeatureConfig, build

# What is more of a good thing, and what is less of a bad one. All else, cadence say, has no better end.
BETTER_HIGH = frozenset({"survived", "success", "clearance"})
BETTER_LOW = frozenset(
    {
        "velocity_error",
        "drift_lateral",
        "drift_heading",
        "slip",
        "symmetry_time",
        "symmetry_length",
        "saturation",
        "cost_of_transport",
        "smoothness_action",
        "smoothness_angular_velocity",
        "two_sample_auc",
        "dtw",
        "frechet",
    }
)
INCOMPARABLE = frozenset({"amp_reward"})  # each policy's own discriminator gave it
SHARES = frozenset({"survived", "success"})  # of the episodes: a value is 0 or 1
MIN_EPISODES = 8  # a bootstrap of fewer values is too narrow to tell anything by; that of one has no width at all


def yardstick(
    figure: str, style: Mapping[str, Any] | None, env_kwargs: Mapping[str, Any]
) -> tuple[Any, ...]:
    """What a style figure was measured against; figures of policies with unequal ones say nothing about each other.

    ``style``: of a results file. ``env_kwargs``: the policy's; the AUC is of windows of its features.
    """
    against = tuple((style or {}).get(name) for name in ("reference", "motions", "held_out"))
    return (
        (*against, build(FeatureConfig, env_kwargs.get("features")))
        if figure == "two_sample_auc"
        else against
    )


def marks(
    figure: str, intervals: Sequence[Mapping[str, Any]], yardsticks: Sequence[Any] | None = None
) -> list[tuple[str, tuple[int, ...]]]:
    """For each policy ``("better", others)`` or ``("differs", others)``: those whose 95 % interval lies wholly apart.

    A share's interval is Wilson's (1927): a bootstrap of equal values has no width, and 16 of 16 would be better than 12 of 16
    for sure. A figure with a better end marks the better policy only. ``intervals`` hold mean, low and high, and n where it is
    known. ``yardsticks``: of each policy, where its figure is comparable with those of an equal one only.
    """
    high, low = figure in BETTER_HIGH, figure in BETTER_LOW
    word = "better" if high or low else "differs"
    found = []
    held_against = yardsticks or [None] * len(intervals)
    ends = [_ends(figure, interval) if _tells(interval) else None for interval in intervals]
    for i, mine in enumerate(ends):
        others = []
        for j, other in enumerate(ends):
            if (
                figure in INCOMPARABLE
                or held_against[i] != held_against[j]
                or mine is None
                or other is None
            ):
                continue
            above, below = mine[0] > other[1], mine[1] < other[0]
            if (above and not low) or (below and not high):
                others.append(j)
        found.append((word, tuple(others)))
    return found


def _ends(figure: str, interval: Mapping[str, Any]) -> tuple[float, float]:
    """Low and high."""
    n = interval.get("n")
    if figure not in SHARES or n is None:
        return interval["low"], interval["high"]
    wilson = binomtest(round(interval["mean"] * n), n).proportion_ci(method="wilson")
    return float(wilson.low), float(wilson.high)


def _tells(interval: Mapping[str, Any]) -> bool:
    return interval["mean"] is not None and interval.get("n", MIN_EPISODES) >= MIN_EPISODES
