"""The base's path over a clip, and where it puts the hips."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float
from scipy.interpolate import CubicSpline

from wildrobot_gym.motion.retarget.reach import LegReach


@dataclass(frozen=True)
class BodyPath:
    """The base over time, world frame: level (x, y) and height, m; yaw, lean (forwards) and roll, rad."""

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
        """Level place and height of the hip axis midway between the legs, m."""
        ahead, up = reach.hip_from_base(self.lean)
        return self.level + ahead[:, None] * self.forward, self.height + up

    def frames(self, chosen: Bool[np.ndarray, " time"]) -> BodyPath:
        """The chosen frames alone."""
        return BodyPath(*(getattr(self, f.name)[chosen] for f in fields(self)))

    def at(self, time: Float[np.ndarray, " n"]) -> BodyPath:
        """The path at other times, by C2 splines that go on beyond its ends."""
        rows = [self.level, *(v[:, None] for v in (self.height, self.yaw, self.lean, self.roll))]
        x, y, height, yaw, lean, roll = CubicSpline(self.time, np.concatenate(rows, axis=1))(time).T
        return BodyPath(time, np.stack([x, y], axis=-1), height, yaw, lean, roll)


def along(
    vectors: Float[np.ndarray, "*n 2"], directions: Float[np.ndarray, "*n 2"]
) -> Float[np.ndarray, "*n"]:
    """Dot products: how far `vectors` go along unit `directions`."""
    return np.sum(vectors * directions, axis=-1)
