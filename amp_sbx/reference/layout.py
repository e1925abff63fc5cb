"""Names of the columns of `amp_obs`, read from the environment's layout.

A layout is any JSON-able mapping. Used here are `channels` (a list of [name, width]), `joints` and
`definitions.history.frames`.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from jaxtyping import Bool

from amp_sbx.common.checks import nearest
from amp_sbx.common.errors import FeatureError


def columns_of(layout: Any) -> tuple[list[tuple[str, int, int]], int] | None:
    """The columns of one frame, and the number of frames in `amp_obs`.

    Returns:
        `(columns, frames)`, where each column is (channel, width of the channel, index in it).
        None if the layout does not describe its channels.
    """
    try:
        columns = [
            (str(name), int(width), index)
            for name, width in layout["channels"]
            for index in range(int(width))
        ]
        frames = int(layout.get("definitions", {}).get("history", {}).get("frames", 1))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return (columns, frames) if columns and frames > 0 else None


def column_name(layout: Any, index: int) -> str:
    """Name of a column of `amp_obs`, such as `joint_pos[left_knee_pitch], 2 frames back`.

    Without a usable layout it is `column 17`.
    """
    read = columns_of(layout)
    if read is None:
        return f"column {index}"
    columns, frames = read
    frame, column = divmod(index, len(columns))
    name, width, place = columns[column]
    joints = layout.get("joints") if name.startswith("joint") else None
    named = joints[place] if isinstance(joints, (list, tuple)) and len(joints) == width else place
    back = frames - 1 - frame
    age = f", {back} frame{'s' * (back > 1)} back" if back > 0 else ""
    return f"{name}[{named}]{age}"


def channel_columns(
    layout: Any, channels: Iterable[str], feature_dim: int
) -> Bool[np.ndarray, " feature"]:
    """Mask of the columns of `amp_obs` that belong to `channels`, in every frame.

    Args:
        layout: the environment's layout.
        channels: names of channels.
        feature_dim: number of columns of `amp_obs`.

    Raises:
        FeatureError: the layout does not describe its channels, has another width, or has no
            channel of that name.
    """
    wanted, read = list(channels), columns_of(layout)
    if read is None:
        raise FeatureError(
            f"the columns of {', '.join(wanted)} among {feature_dim} are unknown: the layout is "
            f'{layout!r}. Give a layout with "channels": [["joint_pos", 9], ...], with the '
            "reference or as the environment's `amp_layout`."
        )
    columns, frames = read
    known = list(dict.fromkeys(name for name, _, _ in columns))
    if (width := len(columns) * frames) != feature_dim:
        raise FeatureError(
            f"the layout describes {width} columns ({frames} frames of {len(columns)}: "
            f"{', '.join(known)}); amp_obs has {feature_dim}. Build both with the same settings."
        )
    for name in wanted:
        if name not in known:
            raise FeatureError(
                f"the layout has no channel {name!r}.{nearest(name, known)} "
                f"Allowed: {', '.join(known)}."
            )
    return np.tile([name in wanted for name, _, _ in columns], frames)
