"""The made-up human as a DeepMimic motion."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from made_up_human import (
    ANKLE,
    FPS,
    HIP,
    KNEE,
    YAW,
    root_path,
)

# x ahead, y up, z right: a turn about y of the canonical axes is one about -z here.


def deepmimic_frames() -> list[list[float]]:
    def quat(axis: int, degrees: float) -> list[float]:
        half, q = np.radians(degrees) / 2.0, [0.0, 0.0, 0.0]
        q[axis] = float(np.sin(half))
        return [float(np.cos(half)), *q]

    still = quat(0, 0.0)
    right = [*still, 0.0, *still, *still, 0.0]  # hip, knee, ankle, shoulder, elbow
    left = [*quat(2, -HIP), np.radians(-KNEE), *quat(2, -ANKLE), *still, 0.0]
    roots = root_path()[:, [0, 2, 1]] * [1.0, 1.0, -1.0]
    return [
        [1.0 / FPS, *root, *quat(1, YAW), *still, *still, *right, *left] for root in roots.tolist()
    ]


def write_deepmimic(folder: Path, frames: list[list[float]] | None = None) -> Path:
    path = folder / "steps.txt"
    path.write_text(
        json.dumps({"Loop": "wrap", "Frames": deepmimic_frames() if frames is None else frames})
    )
    return path
