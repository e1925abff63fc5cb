"""What the runs of a study achieved: metrics of each run, and of each arm over its seeds."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from wildrobot_gym.errors import RunError
from wildrobot_gym.evaluation import style
from wildrobot_gym.evaluation.comparison import comparison_basis
from wildrobot_gym.evaluation.formatting import STYLE_HEADINGS, WALK_HEADINGS, episodes_measured
from wildrobot_gym.evaluation.intervals import mean_interval
from wildrobot_gym.evaluation.progress import STEPS, read_columns
from wildrobot_gym.evaluation.suites.catalog import FLAT, SUITES
from wildrobot_gym.experiments.study.run import StudyRun

BENCHMARK = (
    "success",
    "velocity_error",
    "cadence",
    "clearance",
    "support_single",
    "slip",
    "saturation",
    "cost_of_transport",
)
SURVIVED = {f"survived_{name}": f"survived, {name}" for name in SUITES if name != FLAT.name}
"""Of the suites beside `flat`."""
HEADINGS = {
    "measured": "episodes measured",
    **{name: WALK_HEADINGS[name] for name in BENCHMARK},
    **SURVIVED,
    **{name: STYLE_HEADINGS[name] for name in style.METRICS},
    "disc_acc_fraction": "disc_acc in 0.55 ... 0.80",
    "style_mean": "style reward, late",
    "style_variance": "its variance",
    "minutes": "training, min",
}
ACCURACY_BOUNDS = (0.55, 0.80)  # of a healthy discriminator
LATE = 0.2  # fraction of the iterations, the last ones
MIN_PAIRS = 3  # fewer seeds cannot mark a difference


@dataclass(frozen=True)
class ArmMetrics:
    """Metrics of one arm.

    Attributes:
        over_seeds: Mean and interval of each metric over the seeds.
        difference: The same of the difference to the baseline, over the seeds of both.
    """

    over_seeds: dict[str, dict[str, Any]]
    difference: dict[str, dict[str, Any]]

    def differs(self, metric: str) -> bool:
        """Whether the interval of the difference excludes zero; False below three seeds."""
        d = self.difference.get(metric, {"n": 0})
        return d["n"] >= MIN_PAIRS and (d["low"] > 0 or d["high"] < 0)


def run_metrics(run: StudyRun) -> dict[str, float] | None:
    """The metrics of one run.

    Args:
        run: The run.

    Returns:
        Every metric of `HEADINGS`, NaN where it is unknown; None if the run is not done.
    """
    results = run.results()
    if results is None:
        return None
    overall = results["overall"]
    found = {name: _mean(overall.get(name)) for name in BENCHMARK}
    measured, episodes = episodes_measured(overall)
    found["measured"] = measured / episodes
    for metric in SURVIVED:
        suite = results.get("suites", {}).get(metric.removeprefix("survived_"), {"rows": {}})
        rows = [_mean(row["metrics"]["survived"]) for row in suite["rows"].values()]
        found[metric] = _mean_of(np.array(rows))
    found |= {name: _mean((results["style"] or {}).get(name)) for name in style.METRICS}
    amp = run.config.amp
    ramp_end = 0.0 if amp is None else amp.schedule.ramp_end
    try:
        columns = read_columns(run.folder.progress)
    except RunError:
        columns = {}
    return found | training_metrics(columns, ramp_end)


def incomparable(runs: Sequence[StudyRun], baseline: Sequence[StudyRun]) -> set[str]:
    """The style metrics that were not measured against the same thing in two arms.

    Args:
        runs: Runs of one arm.
        baseline: Runs of the arm that it is compared with.
    """
    judged = [
        (results["style"], run.config.env.env_kwargs())
        for run in (*runs, *baseline)
        if (results := run.results()) is not None
    ]
    return {
        name
        for name in style.METRICS
        if any(comparison_basis(name, *one) != comparison_basis(name, *judged[0]) for one in judged)
    }


def training_metrics(
    columns: Mapping[str, Float[np.ndarray, " row"]], ramp_end: float
) -> dict[str, float]:
    """Metrics of the training itself.

    Args:
        columns: Columns of a progress.csv.
        ramp_end: Environment steps until the style reward has its full weight.

    Returns:
        The discriminator's accuracy after the ramp, the late style reward, and the time.
    """
    steps = columns.get(STEPS, np.zeros(0))
    none = np.full(len(steps), np.nan)
    accuracy = columns.get("amp/disc_acc", none)
    waited = columns.get("amp/ramp_waited", none)
    ramp_end += waited[np.isfinite(waited)].max(initial=0.0)
    accuracy = accuracy[np.isfinite(accuracy) & (steps >= ramp_end)]
    low, high = ACCURACY_BOUNDS
    late = np.isfinite(columns.get("amp/reward_mean", none))
    late &= np.cumsum(late) > (1 - LATE) * late.sum()
    elapsed = columns.get("time/time_elapsed", none)
    elapsed = elapsed[np.isfinite(elapsed)]
    steps_s = np.diff(elapsed, prepend=0.0)
    # The clock starts again at zero when a run is resumed.
    seconds = np.where(steps_s < 0, elapsed, steps_s).sum()
    return {
        "disc_acc_fraction": _mean_of((accuracy >= low) & (accuracy <= high)),
        "style_mean": _mean_of(columns.get("amp/reward_mean", none)[late]),
        "style_variance": _mean_of(columns.get("amp/reward_std", none)[late] ** 2),
        "minutes": float(seconds) / 60 if len(elapsed) else math.nan,
    }


def arm_metrics(
    runs: Mapping[int, Mapping[str, float] | None],
    baseline: Mapping[int, Mapping[str, float] | None],
    without: Collection[str] = (),
) -> ArmMetrics:
    """Summarize the finished runs of an arm.

    Args:
        runs: Metrics of each run, by seed; None where it is not done.
        baseline: The same of the arm that it is compared with. Equal seeds make a pair.
        without: Metrics that do not compare, and have no difference.
    """
    done = {seed: metrics for seed, metrics in runs.items() if metrics is not None}
    both = {seed: other for seed in done if (other := baseline.get(seed)) is not None}
    over_seeds, difference = {}, {}
    for name in HEADINGS:
        pairs = [] if name in without else list(both)
        values = [metrics[name] for metrics in done.values()]
        over_seeds[name] = mean_interval(np.array(values))
        difference[name] = mean_interval(np.array([done[s][name] - both[s][name] for s in pairs]))
    return ArmMetrics(over_seeds, difference)


def _mean(interval: Any) -> float:
    """The mean of an interval in a results file; NaN if there is none."""
    value = interval.get("mean") if isinstance(interval, Mapping) else interval
    return math.nan if value is None else float(value)


def _mean_of(values: Float[np.ndarray, " n"]) -> float:
    return float(np.mean(values)) if len(values) else math.nan
