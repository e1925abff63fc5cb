"""Settings of the ground."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wildrobot_gym.config import check, check_choice

KINDS = ("flat", "rough", "steps", "slope", "mixed")
MOST_PIECES = 250  # of `length` in `size`; their heights fit a few megabytes


@dataclass(frozen=True)
class TerrainConfig:
    """The ground. It is endless: it repeats after `size` in both directions."""

    kind: Literal["flat", "rough", "steps", "slope", "mixed"] = "flat"
    """The ground's form: a level floor; smooth bumps; tiles at two levels; one slope up along x;
    or squares of each, with pyramids and pits for the slopes."""
    height: float = 0.01
    """m from the lowest to the highest point of rough ground; height of a step."""
    slope: float = 0.0873
    """rad; steepness of a slope, and of the sides of a pyramid. The default is 5 degrees."""
    length: float = 0.2
    """m between neighboring random heights of rough ground; side of a tile of steps."""
    size: float = 8.0
    """m after which the ground repeats. Episodes begin anywhere on that square."""
    seed: int = 0
    """Random seed of the heights."""

    def __post_init__(self) -> None:
        check_choice("terrain.kind", self.kind, KINDS)
        check(0 < self.height <= 0.2, "terrain.height", self.height, "more than 0, up to 0.2 m")
        check(0 < self.slope <= 0.5, "terrain.slope", self.slope, "more than 0, up to 0.5 rad")
        check(0.03 <= self.length <= 2, "terrain.length", self.length, "0.03 to 2 m")
        fits = 2 * self.length <= self.size <= min(20.0, MOST_PIECES * self.length)
        allowed = f"2 to {MOST_PIECES} times terrain.length ({self.length} m), up to 20 m"
        check(fits, "terrain.size", self.size, allowed)
        check(self.seed >= 0, "terrain.seed", self.seed, "a whole number, 0 or more")
