"""Which of several policies is better, metric by metric, as far as their intervals say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wildrobot_gym.config import build
from wildrobot_gym.evaluation.intervals import wilson_interval
from wildrobot_gym.task.config import FeatureConfig

# Metrics with a better end. Of all others, such as cadence, neither end is better.
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
FRACTIONS = frozenset({"survived", "success"})  # of the episodes: each value is 0 or 1
MIN_EPISODES = 8  # the bootstrap interval of fewer values is too narrow


def comparison_basis(
    metric: str, style: Mapping[str, Any] | None, env_kwargs: Mapping[str, Any]
) -> tuple[Any, ...]:
    """What a style metric was measured against. Only metrics with an equal basis compare.

    Args:
        metric: Name of the style metric.
        style: The `style` part of a results file.
        env_kwargs: The policy's environment settings; the AUC depends on its AMP features.
    """
    against = tuple((style or {}).get(name) for name in ("reference", "motions", "held_out"))
    if metric != "two_sample_auc":
        return against
    return (*against, build(FeatureConfig, env_kwargs.get("features")))


def marks(
    metric: str, intervals: Sequence[Mapping[str, Any]], bases: Sequence[Any] | None = None
) -> list[tuple[str, tuple[int, ...]]]:
    """For each policy, the others whose 95 % interval lies wholly apart from its own.

    The interval of a fraction is Wilson's (1927): the bootstrap interval of equal values has no
    width, and 16 of 16 would be better than 12 of 16 for sure.

    Args:
        metric: Name of the metric. If it has a better end, only the better policy is marked.
        intervals: Of each policy: mean, low and high, and n where it is known.
        bases: Of each policy, see `comparison_basis`. Policies with unequal ones do not compare.

    Returns:
        For each policy, ("better", others) or ("differs", others).
    """
    high, low = metric in BETTER_HIGH, metric in BETTER_LOW
    word = "better" if high or low else "differs"
    measured_against = bases or [None] * len(intervals)
    ends = [_ends(metric, interval) if _decides(interval) else None for interval in intervals]
    found = []
    for i, mine in enumerate(ends):
        others = []
        for j, other in enumerate(ends):
            comparable = metric not in INCOMPARABLE and measured_against[i] == measured_against[j]
            if not comparable or mine is None or other is None:
                continue
            above, below = mine[0] > other[1], mine[1] < other[0]
            if (above and not low) or (below and not high):
                others.append(j)
        found.append((word, tuple(others)))
    return found


def _ends(metric: str, interval: Mapping[str, Any]) -> tuple[float, float]:
    """Low and high end."""
    n = interval.get("n")
    if metric not in FRACTIONS or n is None:
        return interval["low"], interval["high"]
    return wilson_interval(round(interval["mean"] * n), n)


def _decides(interval: Mapping[str, Any]) -> bool:
    """Whether there are enough episodes to compare at all."""
    return interval["mean"] is not None and interval.get("n", MIN_EPISODES) >= MIN_EPISODES
