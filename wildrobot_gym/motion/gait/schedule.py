"""Commands over time, and the path that a robot takes which follows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

RATE = 100.0  # Hz; of the plan. Clips have half of it.
_REACTION_S = (
    0.3  # from a command to the first change of the path: the load moves to one foot first
)
_EASE_S = 0.8  # over which a change of the command is spread: about one stride


@dataclass(frozen=True)
class Schedule:
    """What is commanded, and where that leads.

    Attributes:
        time: (time,) in s.
        commands: (time, 3) forward and sideways m/s, and yaw rate in rad/s.
        velocity: (time, 3) the same, later and smoother, as a robot can follow.
        path: (time, 3) x, y in m and heading in rad; from the origin along x.
    """

    time: Float[np.ndarray, " time"]
    commands: Float[np.ndarray, "time 3"]
    velocity: Float[np.ndarray, "time 3"]
    path: Float[np.ndarray, "time 3"]

    @classmethod
    def of(cls, parts: Sequence[tuple[float, tuple[float, float, float]]]) -> Schedule:
        """Make a schedule of commands that are held one after the other.

        Args:
            parts: Duration in s and command of each part. The last one should stand long enough
                for the robot to come to rest.
        """
        counts = [max(round(duration * RATE), 1) for duration, _ in parts]
        commands = np.repeat(np.array([command for _, command in parts], float), counts, axis=0)
        late, ease = round(_REACTION_S * RATE), round(_EASE_S * RATE)
        before = np.concatenate([np.tile(commands[0], (late + ease - 1, 1)), commands])
        sums = np.cumsum(before, axis=0)
        sums = np.concatenate([np.zeros((1, 3)), sums])
        velocity = ((sums[ease:] - sums[:-ease]) / ease)[: len(commands)]
        heading = _integral(velocity[:, 2])
        cos, sin = np.cos(heading), np.sin(heading)
        x = _integral(cos * velocity[:, 0] - sin * velocity[:, 1])
        y = _integral(sin * velocity[:, 0] + cos * velocity[:, 1])
        return cls(
            np.arange(len(commands)) / RATE, commands, velocity, np.stack([x, y, heading], axis=-1)
        )

    def at(self, time_s: float) -> Float[np.ndarray, " 3"]:
        """Return the path's x, y and heading at a time; the last ones after the end."""
        return np.array([np.interp(time_s, self.time, column) for column in self.path.T])

    def onset(self, after: float) -> float | None:
        """Return the first time from `after` on with a command to move, or None."""
        moving = np.any(self.commands != 0.0, axis=1) & (self.time >= after)
        return float(self.time[np.argmax(moving)]) if moving.any() else None

    def settled(self, time_s: float) -> bool:
        """Whether the path has come to rest at a time, and nothing else is commanded yet."""
        i = min(round(time_s * RATE), len(self.time) - 1)
        return bool(np.all(self.velocity[i] == 0.0) or np.abs(self.velocity[i]).max() < 1e-9)


def _integral(rate: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
    return np.concatenate([[0.0], np.cumsum(0.5 * (rate[1:] + rate[:-1]))]) / RATE
