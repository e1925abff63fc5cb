"""Writing the AMP features of mined segments with their source and quality, as .npz."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion import storage
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.reference import ReferenceDataset
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import FeatureConfig

KIND = "wildrobot segment features"
FIELDS = (
    "features",
    "segment_lengths",
    "motion_id",
    "segment_id",
    "segment_scores",
    "per_segment_metrics",
    "feature_version",
)
_VERSION = "v0.6.2"  # of the feature definition


def save_features(
    path: str | Path, robot: RobotModel, config: FeatureConfig, segments: Sequence[MotionClip]
) -> Path:
    """Write the AMP features and the metrics of mined segments.

    `features` (frame, column) holds one segment after the other, and `segment_lengths` their
    numbers of frames. The other fields have an entry for each segment. `per_segment_metrics` is a
    structured array. The segments themselves, which training reads, are written by `save_clips`.

    Args:
        path: The file, .npz.
        robot: The robot.
        config: The feature settings.
        segments: Mined segments.

    Returns:
        The path.

    Raises:
        MotionError: There is no segment, or one was not mined or does not fit.
    """
    dataset = ReferenceDataset.from_clips(robot, config, segments)
    layout = json.dumps(dataset.layout, sort_keys=True)
    about = [segment.metadata for segment in segments]
    if strange := [segment.name for segment in segments if "metrics" not in segment.metadata]:
        raise MotionError(
            f"Clip {strange[0]!r} was not performed and gated."
            " Use `wildrobot motion track` or `wildrobot motion perform` first."
        )
    names = list(about[0]["metrics"])
    metrics = np.array(
        [tuple(a["metrics"][n] for n in names) for a in about],
        dtype=[(n, np.float32) for n in names],
    )
    values = (
        dataset.features,
        np.bincount(dataset.clip_ids),
        np.array([a["motion_id"] for a in about]),
        np.array([a["segment_id"] for a in about]),
        np.array([a["score"] for a in about], np.float32),
        metrics,
        np.array(f"{_VERSION}-{hashlib.sha256(layout.encode()).hexdigest()[:8]}"),
    )
    return storage.write(
        path, KIND, dict(zip(FIELDS, values, strict=True)), {"layout": dataset.layout}
    )
