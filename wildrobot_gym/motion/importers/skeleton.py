"""Forward kinematics of a tree of joints, for all hierarchical formats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation


@dataclass(frozen=True)
class Skeleton:
    """Joints with all rotations at zero, in a file's own axes and units.

    Attributes:
        names: (joint,) names.
        parents: (joint,) index of each joint's parent, which comes before it; -1 for the root.
        offsets: (joint, 3) from the parent, in the parent's frame.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: Float[np.ndarray, "joint 3"]

    def pose(
        self, rotations: Sequence[Rotation], offsets: Float[np.ndarray, "time joint 3"]
    ) -> tuple[Float[np.ndarray, "time joint 3"], list[Rotation]]:
        """Return joint positions and orientations in the file's world.

        Args:
            rotations: One rotation of (time,) for each joint, relative to the parent.
            offsets: (time, joint, 3) like the skeleton's. The root's is its position in the world.
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
        """Return the rest pose, with joints in `stand` turned by degrees about their own x, then y,
        then z.
        """
        degrees = [[stand.get(name, (0.0, 0.0, 0.0))] for name in self.names]
        positions, turns = self.pose(
            [Rotation.from_euler("XYZ", d, degrees=True) for d in degrees], self.offsets[None]
        )
        return positions[0], [turn[0] for turn in turns]


@dataclass(frozen=True)
class Recording:
    """A skeleton and its motion, in the file's own axes and units.

    Attributes:
        path: The file.
        skeleton: The skeleton.
        fps: Frame rate, in Hz.
        rotations: As `Skeleton.pose` takes them.
        offsets: As `Skeleton.pose` takes them.
        notes: What was found out while reading.
    """

    path: Path
    skeleton: Skeleton
    fps: float
    rotations: tuple[Rotation, ...]
    offsets: Float[np.ndarray, "time joint 3"]
    notes: tuple[str, ...] = ()
