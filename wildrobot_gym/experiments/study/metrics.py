"""What a study's runs came to: figures of each run, and of each arm over its seeds."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from wildrobot_gym.errors import RunError
from wildrobot_gym.evaluation import style
from wildrobot_gym.evaluation.comparison import yardstick
from wildrobot_gym.evaluation.formatting import ROWS, STYLE_ROWS, episodes_measured
from wildrobot_gym.evaluation.intervals import mean_interval
from wildrobot_gym.evaluation.progress import STEPS, read_columns
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
FIGURES = {  # name: heading
    "measured": "episodes measured",
    **{name: dict(ROWS)[name] for name in BENCHMARK},
    **{name: dict(STYLE_ROWS)[name] for name in style.FIGURES},
    "disc_acc_fraction": "disc_acc in 0.55 ... 0.80",
    "style_mean": "style reward, late",
    "style_variance": "its variance",
    "minutes": "training, min",
}
ACCURACY_BOUNDS = (0.55, 0.80)  # of a healthy discriminator (seeds' tuning guide)
LATE = 0.2  # share of the iterations, the last ones
MIN_PAIRS = 3  # seeds from which on a difference can be marked


@dataclass(frozen=True)
class ArmFigures:
    """``mean_interval`` of each figure over the seeds, and of its difference to the baseline over the seeds of both."""

    over_seeds: dict[str, dict[str, Any]]
    difference: dict[str, dict[str, Any]]

    def differs(self, figure: str) -> bool:
        """Whether the interval of the difference excludes zero; never with fewer than three seeds, where it means nothing."""
        d = self.difference.get(figure, {"n": 0})
        return d["n"] >= MIN_PAIRS and (d["low"] > 0 or d["high"] < 0)


def run_figures(run: StudyRun) -> dict[str, float] | None:
    """Every one of :data:`FIGURES`; NaN where it is not known. None: the run is not done."""
    results = run.results()
    if results is None:
        return None
    overall = results["overall"]
    found = {name: _mean(overall.get(name)) for name in BENCHMARK}
    measured, episodes = episodes_measured(overall)
    found["measured"] = measured / episodes
    found |= {name: _mean((results["style"] or {}).get(name)) for name in style.FIGURES}
    amp = run.config.amp_config
    ramp_end = 0.0 if amp is None else amp.schedule.ramp_end
    try:
        columns = read_columns(run.folder.progress)
    except RunError:
        columns = {}
    return found | training_figures(columns, ramp_end)


def incomparable(runs: Sequence[StudyRun], baseline: Sequence[StudyRun]) -> set[str]:
    """The style's figures that do not measure the same thing in all finished runs of two arms."""
    judged = [
        (results["style"], run.config.env_kwargs)
        for run in (*runs, *baseline)
        if (results := run.results()) is not None
    ]
    return {
        name
        for name in style.FIGURES
        if any(yardstick(name, *one) != yardstick(name, *judged[0]) for one in judged)
    }


def training_figures(
    columns: Mapping[str, Float[np.ndarray, " row"]], ramp_end: float
) -> dict[str, float]:
    """Of the columns of a progress.csv: the discriminator after the weight's ramp, the style reward late, the time."""
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
    # The clock begins anew where a run was resumed.
    seconds = np.where(steps_s < 0, elapsed, steps_s).sum()
    return {
        "disc_acc_fraction": _mean_of((accuracy >= low) & (accuracy <= high)),
        "style_mean": _mean_of(columns.get("amp/reward_mean", none)[late]),
        "style_variance": _mean_of(columns.get("amp/reward_std", none)[late] ** 2),
        "minutes": float(seconds) / 60 if len(elapsed) else math.nan,
    }


def arm_figures(
    runs: Mapping[int, Mapping[str, float] | None],
    baseline: Mapping[int, Mapping[str, float] | None],
    untold: Collection[str] = (),
) -> ArmFigures:
    """Of an arm's finished runs by seed; differences by pairs of equal seeds. ``baseline``: of the arm compared with.

    Of the figures in ``untold`` there is no difference: they do not measure the same thing in both.
    """
    done = {seed: figures for seed, figures in runs.items() if figures is not None}
    both = {seed: other for seed in done if (other := baseline.get(seed)) is not None}
    return ArmFigures(
        {
            name: mean_interval(np.array([figures[name] for figures in done.values()]))
            for name in FIGURES
        },
        {
            name: mean_interval(
                np.array([done[s][name] - both[s][name] for s in both if name not in untold])
            )
            for name in FIGURES
        },
    )


def _mean(interval: Any) -> float:
    """The mean of an interval as the results hold it; NaN where there is none."""
    value = interval.get("mean") if isinstance(interval, Mapping) else interval
    return math.nan if value is None else float(value)


def _mean_of(values: Float[np.ndarray, " n"]) -> float:
    return float(np.mean(values)) if len(values) else math.nan
