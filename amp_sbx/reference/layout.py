"""What an environment's layout says of the columns of `amp_obs`: their names, and which belong to a channel.

A layout may be any JSON; read are `channels` ([name, width] each, in order), `joints`, and `definitions.history.frames`.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from jaxtyping import Bool

from amp_sbx.common.checks import nearest
from amp_sbx.common.errors import FeatureError


def columns_of(layout: Any) -> tuple[list[tuple[str, int, int]], int] | None:
    """(channel, its width, place in it) of each column of a frame, and the frames of history; None if the layout does not say."""
    try:
        columns = [
            (str(name), int(width), place)
            for name, width in layout["channels"]
            for place in range(int(width))
        ]
        frames = int(layout.get("definitions", {}).get("history", {}).get("frames", 1))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return (columns, frames) if columns and frames > 0 else None


def feature_name(layout: Any, index: int) -> str:
    """`joint_pos[left_knee_pitch], 2 frames back` of a column of `amp_obs`; `feature 17` where the layout says nothing of it."""
    read = columns_of(layout)
    if read is None:
        return f"feature {index}"
    columns, frames = read
    frame, column = divmod(index, len(columns))
    name, width, place = columns[column]
    joints = layout.get("joints") if name.startswith("joint") else None
    named = joints[place] if isinstance(joints, (list, tuple)) and len(joints) == width else place
    back = frames - 1 - frame
    age = f", {back} frame{'s' * (back > 1)} back" if back > 0 else ""
    return f"{name}[{named}]{age}"


def feature_columns(
    layout: Any, channels: Iterable[str], feature_dim: int
) -> Bool[np.ndarray, " feature"]:
    """Which columns of `amp_obs` belong to the named channels, in every frame of history.

    Raises:
        FeatureError: the layout does not say, is of another width, or has no channel of that name.
    """
    wanted, read = list(channels), columns_of(layout)
    if read is None:
        raise FeatureError(
            f"where {', '.join(wanted)} lie among the {feature_dim} features is not known: the layout is {layout!r}. Give the"
            ' reference, or the environment, a layout with "channels": [["joint_pos", 9], ...].'
        )
    columns, frames = read
    known = list(dict.fromkeys(name for name, _, _ in columns))
    if (width := len(columns) * frames) != feature_dim:
        raise FeatureError(
            f"the layout describes {width} features ({frames} x {len(columns)}: {', '.join(known)}); there are {feature_dim}."
        )
    for name in wanted:
        if name not in known:
            raise FeatureError(
                f"the layout has no channel {name!r}.{nearest(name, known)} Allowed: {', '.join(known)}."
            )
    return np.tile([name in wanted for name, _, _ in columns], frames)
