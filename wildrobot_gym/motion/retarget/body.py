"""The path of the base over a clip, and of the hips with it."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float
from scipy.interpolate import CubicSpline

from wildrobot_gym.motion.retarget.reach import LegReach


@dataclass(frozen=True)
class BodyPath:
    """The base over time in the world frame.

    Attributes:
        time: (time,) in seconds.
        level: (time, 2) x and y, in m.
        height: (time,) in m.
        yaw: (time,) in rad.
        lean: (time,) forward pitch, in rad.
        roll: (time,) in rad.
    """

    time: Float[np.ndarray, " time"]
    level: Float[np.ndarray, "time 2"]
    height: Float[np.ndarray, " time"]
    yaw: Float[np.ndarray, " time"]
    lean: Float[np.ndarray, " time"]
    roll: Float[np.ndarray, " time"]

    @property
    def forward(self) -> Float[np.ndarray, "time 2"]:
        """Unit vectors ahead."""
        return np.stack([np.cos(self.yaw), np.sin(self.yaw)], axis=-1)

    @property
    def left(self) -> Float[np.ndarray, "time 2"]:
        """Unit vectors to the left."""
        return np.stack([-np.sin(self.yaw), np.cos(self.yaw)], axis=-1)

    def hips(
        self, reach: LegReach
    ) -> tuple[Float[np.ndarray, "time 2"], Float[np.ndarray, " time"]]:
        """Return horizontal position and height of the hip axis, midway between the legs, in m."""
        ahead, up = reach.hip_from_base(self.lean)
        return self.level + ahead[:, None] * self.forward, self.height + up

    def frames(self, chosen: Bool[np.ndarray, " time"]) -> BodyPath:
        """Return the path at the chosen frames."""
        return BodyPath(*(getattr(self, f.name)[chosen] for f in fields(self)))

    def at(self, time: Float[np.ndarray, " n"]) -> BodyPath:
        """Return the path at other times, by C2 splines that extend beyond its ends."""
        rows = [self.level, *(v[:, None] for v in (self.height, self.yaw, self.lean, self.roll))]
        x, y, height, yaw, lean, roll = CubicSpline(self.time, np.concatenate(rows, axis=1))(time).T
        return BodyPath(time, np.stack([x, y], axis=-1), height, yaw, lean, roll)


def along(
    vectors: Float[np.ndarray, "*n 2"], directions: Float[np.ndarray, "*n 2"]
) -> Float[np.ndarray, "*n"]:
    """Return dot products: the length of `vectors` along unit `directions`."""
    return np.sum(vectors * directions, axis=-1)
