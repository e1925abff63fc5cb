"""Forward kinematics of a tree of joints, which all hierarchical formats share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation


@dataclass(frozen=True)
class Skeleton:
    """Joints with all their rotations at zero, in a file's own axes and units.

    Attributes:
        names: (joint,). parents: (joint,) index of each joint's parent, which stands before it; -1 for the root.
        offsets: (joint, 3) from the parent, in the parent's frame.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: Float[np.ndarray, "joint 3"]

    def pose(
        self, rotations: Sequence[Rotation], offsets: Float[np.ndarray, "time joint 3"]
    ) -> tuple[Float[np.ndarray, "time joint 3"], list[Rotation]]:
        """Joint positions and orientations in the file's world.

        rotations: one of (time,) for each joint, relative to the parent. offsets: as the skeleton's but over time; the
        root's is its position in the world.
        """
        positions, turns = np.empty_like(offsets), []
        for joint, parent in enumerate(self.parents):
            if parent < 0:
                positions[:, joint] = offsets[:, joint]
                turns.append(rotations[joint])
                continue
            positions[:, joint] = positions[:, parent] + turns[parent].apply(offsets[:, joint])
            turns.append(turns[parent] * rotations[joint])
        return positions, turns

    def standing(
        self, stand: Mapping[str, Sequence[float]]
    ) -> tuple[Float[np.ndarray, "joint 3"], list[Rotation]]:
        """The rest pose, with the joints in `stand` turned by those degrees about their own x, then y, then z."""
        degrees = [[stand.get(name, (0.0, 0.0, 0.0))] for name in self.names]
        positions, turns = self.pose(
            [Rotation.from_euler("XYZ", d, degrees=True) for d in degrees], self.offsets[None]
        )
        return positions[0], [turn[0] for turn in turns]


@dataclass(frozen=True)
class Recording:
    """A skeleton and how it moved, as read from a file and still in that file's axes and units.

    rotations and offsets: as `pose` takes them. notes: what was found out while reading.
    """

    path: Path
    skeleton: Skeleton
    fps: float
    rotations: tuple[Rotation, ...]
    offsets: Float[np.ndarray, "time joint 3"]
    notes: tuple[str, ...] = ()
