"""Where and when the feet of a robot that follows commands touch down."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from wildrobot_gym.motion.gait.schedule import RATE, Schedule

SHIFT_S = (
    0.35  # to move the load between both feet and one, before the first step and after the last
)
_MOST_STEPS = 1000  # more than any clip has


@dataclass(frozen=True)
class Step:
    """One touchdown of a foot.

    Attributes:
        foot: Index of the foot.
        up: When it left the floor, in s; -inf for a foot that stands from the start.
        down: When it touches down, in s; -inf likewise.
        place: x, y (m) and heading (rad) of the path beside which it stands.
        aside: Its distance from the path, to the left, in m.
    """

    foot: int
    up: float
    down: float
    place: Float[np.ndarray, " 3"]
    aside: float


@dataclass(frozen=True)
class Steps:
    """The steps of a robot with two feet.

    Attributes:
        of_foot: The steps of each foot in order. The first is where it stands at the start.
        bouts: First lift-off, first touchdown of foot 0, and last touchdown of each unbroken walk.
        shifts: When the load moves: begin, end, and the foot that bears all of it afterwards, or
            -1 for both.
    """

    of_foot: tuple[list[Step], list[Step]]
    bouts: list[tuple[float, float, float]] = field(default_factory=list)
    shifts: list[tuple[float, float, int]] = field(default_factory=list)

    @classmethod
    def plan(
        cls,
        schedule: Schedule,
        period: float,
        duty: float,
        home_y: Float[np.ndarray, " 2"],
        walk_y: Float[np.ndarray, " 2"],
    ) -> Steps:
        """Plan steps at a steady cadence while the path moves, and until both feet stand beside
        its end.

        A foot is set beside the path's place in the middle of its stance. The foot on the side of
        a turn or of a sideways walk goes first, and does not have to pass the other.

        Args:
            schedule: The path.
            period: Duration of a stride, in s.
            duty: Fraction of it that a foot stands.
            home_y: (2,) distance of each foot from the path while standing, to the left, in m.
            walk_y: (2,) the same while walking.
        """
        start = schedule.at(0.0)
        steps = cls(([Step(0, -np.inf, -np.inf, start, home_y[0])],
                     [Step(1, -np.inf, -np.inf, start, home_y[1])]))  # fmt: skip
        swing, double = (1.0 - duty) * period, (duty - 0.5) * period
        onset = schedule.onset(0.0)
        while onset is not None:
            _, vy, turn = schedule.commands[round(onset * RATE)]
            foot = 0 if (vy or turn) >= 0.0 else 1
            up = onset + SHIFT_S
            steps.shifts.append((onset, up, 1 - foot))
            first, rests = up, 0
            downs: list[tuple[float, int]] = []
            for _ in range(_MOST_STEPS):
                down = up + swing
                middle = down + 0.5 * duty * period
                # The last step of each foot goes to where it stands at rest.
                rests = rests + 1 if schedule.settled(middle) and downs else 0
                aside = (home_y if rests else walk_y)[foot]
                steps.of_foot[foot].append(Step(foot, up, down, schedule.at(middle), aside))
                downs.append((down, foot))
                if rests == 2:
                    break
                steps.shifts.append((down, down + double, foot))
                foot, up = 1 - foot, down + double
            last = downs[-1][0]
            steps.shifts.append((last, last + SHIFT_S, -1))
            steps.bouts.append((first, next(d for d, f in downs if f == 0), last))
            onset = schedule.onset(last + SHIFT_S)
        return steps

    def load_fraction(self, time: Float[np.ndarray, " time"]) -> Float[np.ndarray, "time 2"]:
        """Return the fraction of the load on each foot."""
        knots, values = [0.0], [0.5]  # of the first foot
        for begin, end, foot in self.shifts:
            knots += [begin, end]
            values += [values[-1], (1.0, 0.0, 0.5)[foot]]
        first = np.interp(time, knots, values)
        return np.stack([first, 1.0 - first], axis=-1)

    def activity(self, time: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
        """Return 1 while it walks and 0 while it stands, with ramps of `SHIFT_S` between."""
        out = np.zeros(len(time))
        for first, _, last in self.bouts:
            ramp = np.minimum(time - first + SHIFT_S, last + SHIFT_S - time) / SHIFT_S
            out = np.maximum(out, np.clip(ramp, 0.0, 1.0))
        return out

    def phase(self, time: Float[np.ndarray, " time"], period: float) -> Float[np.ndarray, " time"]:
        """Return the phase of foot 0's cycle; 0 at its touchdowns."""
        starts = np.array([first for first, _, _ in self.bouts] or [0.0])
        origins = np.array([origin for _, origin, _ in self.bouts] or [0.0])
        bout = np.maximum(np.searchsorted(starts - SHIFT_S, time, side="right") - 1, 0)
        return ((time - origins[bout]) / period) % 1.0
