"""The data-first plan's output: feature frames of all segments with where they come from and how good they are, as .npz."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from wildrobot_gym.config import FeatureConfig
from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion import storage
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.reference import ReferenceDataset
from wildrobot_gym.robot import RobotModel

KIND = "wildrobot tier 0+ features"
FIELDS = (
    "features",
    "segment_lengths",
    "motion_id",
    "segment_id",
    "segment_scores",
    "per_segment_metrics",
    "feature_version",
)
_SEED_VERSION = "v0.6.2"  # of the seed documents' feature definition


def save_features(
    path: str | Path, robot: RobotModel, config: FeatureConfig, segments: Sequence[MotionClip]
) -> Path:
    """Write the plan's fields for mined `segments`; the path. Features come from the simulation's own function.

    `features` (frame, feature) holds one segment after the other, `segment_lengths` says how many frames each has; the
    other fields have an entry for each segment. `per_segment_metrics` is a structured array: a row is read like a dict.
    The segments themselves, which training reads, are written by `reference.save_clips`.

    Raises:
        MotionError: there are no segments, or one that was not mined or does not fit the robot or the features.
    """
    dataset = ReferenceDataset.from_clips(robot, config, segments)
    layout = json.dumps(dataset.layout, sort_keys=True)
    about = [segment.metadata for segment in segments]
    if strange := [segment.name for segment in segments if "metrics" not in segment.metadata]:
        raise MotionError(
            f"Clip {strange[0]!r} was not performed and gated; `wildrobot motion track` or `perform` does that."
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
        np.array(f"{_SEED_VERSION}-{hashlib.sha256(layout.encode()).hexdigest()[:8]}"),
    )
    return storage.write(
        path, KIND, dict(zip(FIELDS, values, strict=True)), {"layout": dataset.layout}
    )
