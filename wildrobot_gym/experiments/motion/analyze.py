"""Judging a dataset of reference motion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wildrobot_gym.experiments.datasets import load_dataset, read_report
from wildrobot_gym.motion.analysis import Analysis, analyze
from wildrobot_gym.paths import motion_file


@dataclass(frozen=True)
class DatasetAnalysis:
    """Metrics and verdict of a dataset.

    Attributes:
        analysis: The metrics and the verdict.
        report: The mining report that lies beside the dataset, if there is one.
    """

    analysis: Analysis
    report: dict[str, Any] | None

    def to_json(self) -> dict[str, Any]:
        """Return all metrics as JSON types."""
        return {**self.analysis.as_dict(), "report": self.report}


def analyze_dataset(dataset: str, robot: str | None = None) -> DatasetAnalysis:
    """Compute the metrics and the verdict of a dataset.

    Args:
        dataset: A reference file or the name of a shipped one.
        robot: Folder with the robot.yaml, if the dataset's robot is not shipped.

    Returns:
        The metrics, and the report of its mining.

    Raises:
        MotionError: The dataset or its report does not exist or is damaged.
    """
    return DatasetAnalysis(
        analyze(*load_dataset(dataset, robot)), read_report(motion_file(dataset))
    )
