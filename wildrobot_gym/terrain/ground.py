"""Heights of the ground: one definition for contacts, tasks, starts and pictures."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from flax import struct
from jaxtyping import Array, Float

from wildrobot_gym.rotations import AnyArray


@struct.dataclass
class GroundHeights:
    """Heights of the ground under a robot in the world, m."""

    base: Float[Array, "*b"]
    pads: Float[Array, "*b pad"]
    feet: Float[Array, "*b foot"]


@dataclass(frozen=True, eq=False)
class Ground:
    """Ground of flat triangles between the points of a square grid that repeats for ever.

    Two triangles fill each square of the grid. The diagonal between them begins at the lowest x and
    y, as in MuJoCo's height fields.

    Attributes:
        heights: (n, n) m; `[i, j]` is that at x = i * cell, y = j * cell.
        cell: Side of a square of the grid, m.
        tilt: Slope of the whole ground along x, rad.

    Example:
        >>> ground = Ground(np.array([[0.0, 0.0], [0.01, 0.01]]), cell=1.0)
        >>> float(ground.height(np.array([0.25, 0.6])))
        0.0025
    """

    heights: Float[np.ndarray, "n n"]
    cell: float
    tilt: float = 0.0

    @property
    def is_plane(self) -> bool:
        """Whether all of the ground is one plane."""
        return self.heights.size == 1

    @property
    def size(self) -> float:
        """m after which the ground repeats."""
        return self.cell * len(self.heights)

    @property
    def digest(self) -> str:
        """SHA-256 of what the heights depend on."""
        numbers = np.array([self.cell, self.tilt])
        return hashlib.sha256(self.heights.tobytes() + numbers.tobytes()).hexdigest()

    def height(self, xy: Float[AnyArray, "*b 2"]) -> Float[AnyArray, "*b"]:
        """Height of the ground, m.

        Args:
            xy: (*b, 2) places in the world, m, NumPy's or JAX's.
        """
        return self.facet(xy)[0]

    def facet(self, xy: Float[AnyArray, "*b 2"]) -> tuple[Any, Any, Any]:
        """The triangle under each place.

        Args:
            xy: (*b, 2) places in the world, m, NumPy's or JAX's.

        Returns:
            Height at the place, m, and the rise along x and along y, m/m, each (*b,).
        """
        xp: Any = xy.__array_namespace__()
        n, table = len(self.heights), xp.asarray(self.heights).ravel()
        # A simulation that is about to blow up may be anywhere; it gets some height.
        xy = xp.nan_to_num(xy, posinf=0.0, neginf=0.0)
        place = xy / self.cell
        first = xp.floor(place)
        a, b = xp.moveaxis(place - first, -1, 0)
        i, j = xp.moveaxis((first % n).astype(np.int32), -1, 0)
        row, next_row, next_j = i * n, (i + 1) % n * n, (j + 1) % n
        across = a > b
        low, high = table[row + j], table[next_row + next_j]
        side = table[xp.where(across, next_row + j, row + next_j)]
        here, there = side - low, high - side
        dx, dy = xp.where(across, here, there), xp.where(across, there, here)
        rise = float(np.tan(self.tilt))
        return low + dx * a + dy * b + rise * xy[..., 0], dx / self.cell + rise, dy / self.cell

    def under(self, base: Any, pads: Any, feet: Any) -> GroundHeights:
        """Heights of the ground under a robot's parts.

        Args:
            base: (*b, 3) position of the base.
            pads: (*b, pad, 3) positions of the pads.
            feet: (*b, foot, 3) positions of the feet.
        """
        return GroundHeights(*(self.height(x[..., :2]) for x in (base, pads, feet)))
