"""Time for the loop: the computer's own clock, or a slower one for tests."""

from __future__ import annotations

import time


class Clock:
    """A monotonic clock.

    Args:
        speed: Seconds of this clock in a second. Below 1 the loop and a simulated robot get more
            of the computer for each control step.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed

    def now(self) -> float:
        """Time, s."""
        return time.perf_counter() * self.speed

    def sleep_until(self, when: float) -> None:
        """Return at `when`, or at once if that is past."""
        if (left := (when - self.now()) / self.speed) > 0:
            time.sleep(left)
