"""One page of plots of a dataset of reference motion. It needs no screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from wildrobot_gym.evaluation.plots.gait import pyplot, save_figure
from wildrobot_gym.motion.analysis import SPEED_BINS, Analysis


def dataset_page(path: str | Path, analysis: Analysis, report: dict[str, Any] | None) -> Path:
    """Plot speeds, seconds of each motion, scores, and what the gates rejected.

    Args:
        path: The picture.
        analysis: The analysis of the dataset.
        report: The report of its mining; None for none.

    Raises:
        RunError: The file cannot be written.
    """
    figure, axes = pyplot().subplots(2, 2, figsize=(12, 8), layout="constrained")
    (speeds, motions), (scores, rejects) = axes
    counts = np.array(analysis.speed_counts)
    speeds.bar(
        SPEED_BINS[:-1],
        counts / max(counts.sum(), 1),
        np.diff(SPEED_BINS),
        align="edge",
        edgecolor="white",
    )
    speeds.set_title("forward velocity, m/s: fraction of frames")
    names = list(analysis.seconds_of_motion)
    motions.barh(names, [analysis.seconds_of_motion[name] for name in names])
    motions.set_title("seconds of each motion")
    motions.tick_params(axis="y", labelsize=6)
    scores.bar(list(analysis.scores), list(analysis.scores.values()))
    scores.set_title("segments by score")
    if report is not None:
        gates = list(report["clips"][0]["rejects"])
        windows = max(sum(clip["windows"] for clip in report["clips"]), 1)
        rejects.barh(
            gates,
            [sum(clip["rejects"][gate] for clip in report["clips"]) / windows for gate in gates],
        )
    rejects.set_title("fraction of windows that each gate rejected")
    return save_figure(figure, path)
