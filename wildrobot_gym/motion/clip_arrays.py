"""What every array of a clip must be: as long as the others, as wide as it should, and finite."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from wildrobot_gym.errors import MotionError
from wildrobot_gym.npz_io import Wanted, check_all

POSES = ("root_pos", "root_quat", "joint_pos")
OPTIONAL = ("pad_forces", "qvel", "commands")
_UNIT_TOLERANCE = 1e-3  # float32 storage costs 1e-7; more than this is an error of the source


def check_arrays(arrays: Mapping[str, np.ndarray], widths: Mapping[str, int], where: str) -> None:
    """Check the arrays of a clip.

    Args:
        arrays: Each (time, width), by name, with a `root_quat`.
        widths: Width of each array.
        where: Name of the clip in messages.

    Raises:
        MotionError: The shapes differ, there are fewer than two frames, a value is not finite, or
            a quaternion has another length than 1.
    """
    shapes = {name: np.shape(values) for name, values in arrays.items()}
    if len({shape[0] if shape else 0 for shape in shapes.values()}) != 1:
        lengths = ", ".join(f"{n} {shape[0] if shape else 0}" for n, shape in shapes.items())
        raise MotionError(f"{where}: the arrays have different numbers of frames: {lengths}.")
    for name, shape in shapes.items():
        if len(shape) != 2 or shape[1] != widths[name]:
            raise MotionError(
                f"{where}: {name} has shape {shape}; allowed: (frames, {widths[name]})."
            )
    if (frames := shapes["root_quat"][0]) < 2:
        raise MotionError(f"{where} has {frames} frame; at least 2 are needed to know velocities.")
    for name, values in arrays.items():
        if not np.isfinite(values).all():
            frame = int(np.argwhere(~np.isfinite(values))[0][0])
            raise MotionError(
                f"{where}: {name} has a NaN or infinity, first in frame {frame}. Cut or repair it."
            )
    error = np.abs(np.linalg.norm(arrays["root_quat"], axis=-1) - 1.0)
    if error.max() > _UNIT_TOLERANCE:
        raise MotionError(
            f"{where}: root_quat in frame {error.argmax()} has length {1 + error.max():.4f}"
            " or its inverse; allowed: 1 within 0.001 (order w, x, y, z)."
        )


def check_optional(arrays: Mapping[str, np.ndarray], where: str) -> None:
    """Check the arrays that a file may have beside the poses. NaN is checked later, for each clip.

    Raises:
        MotionError: One holds no numbers, or has another shape than (time, width).
    """
    try:
        check_all(arrays, dict.fromkeys(OPTIONAL, Wanted(2, finite=False)))
    except ValueError as error:
        raise MotionError(f"{where} is damaged: {error}. Build it again.") from error
