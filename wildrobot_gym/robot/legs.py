"""The joints of a leg by what they do, from their axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

_ALONG = 0.9  # of a unit axis, from which a joint turns about y, x or z


@dataclass(frozen=True)
class Leg:
    """The joints of one leg, from the base on.

    Attributes:
        foot: Name of the foot.
        joints: Names of all.
        pitch: Those that turn about y: hip first, then the knee, the ankle last.
        roll: About x: hip first.
        yaw: About z.
        signs: By joint, the sign of that part of its axis.
    """

    foot: str
    joints: tuple[str, ...]
    pitch: tuple[str, ...]
    roll: tuple[str, ...]
    yaw: tuple[str, ...]
    signs: dict[str, float]


def own_joints(chain: Sequence[str], chains: Sequence[Sequence[str]]) -> list[str]:
    """The joints of a foot's chain that are not in all chains: without those of a waist."""
    shared = set.intersection(*map(set, chains)) if len(chains) > 1 else set()
    return [joint for joint in chain if joint not in shared]


def leg_of(
    foot: str, joints: Sequence[str], names: Sequence[str], axes: Float[np.ndarray, "joint 3"]
) -> Leg:
    """Sort the joints of a leg by their axes.

    Args:
        foot: Name of the foot.
        joints: Of the leg, from the base to the foot.
        names: Of all joints.
        axes: Of all joints, in the world with all joints at 0.
    """
    rows = {joint: axes[list(names).index(joint)] for joint in joints}

    def about(axis: int) -> tuple[str, ...]:
        return tuple(joint for joint, row in rows.items() if abs(row[axis]) > _ALONG)

    roll, pitch, yaw = (about(axis) for axis in range(3))
    signs = {joint: float(np.sign(row[np.argmax(np.abs(row))])) for joint, row in rows.items()}
    return Leg(foot, tuple(joints), pitch, roll, yaw, signs)
