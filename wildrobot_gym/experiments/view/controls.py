"""What a viewer's buttons set, and the loop that plays in real time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
BEHIND_S = 0.25  # of real time: a slower machine drops the rest instead of running after it
FRAME_S, LOOK_S = 1 / 60, 0.05  # real time from one look at the controls to the next


@dataclass
class Controls:
    """The state of the buttons. Any thread may set it; `play` reads it.

    Attributes:
        paused: Whether time stands still.
        speed: Simulated seconds for each second.
        steps: Single control steps that are asked for while paused.
        reset: Whether a new episode is asked for.
        push: An impulse in the robot's heading frame that is asked for, N*s.
        stopped: Whether the viewer is to end.
    """

    paused: bool = False
    speed: float = 1.0
    steps: int = 0
    reset: bool = False
    push: tuple[float, float] | None = None
    stopped: threading.Event = field(default_factory=threading.Event)

    def step_once(self) -> None:
        """Pause, and ask for one control step."""
        self.paused = True
        self.steps += 1


def play(
    controls: Controls,
    period: float,
    step: Callable[[], None],
    show: Callable[[], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Step and show until the controls say stop.

    Args:
        controls: The buttons.
        period: Simulated seconds of a step.
        step: Takes one step.
        show: Shows the present state. It is called at most 60 times a second, also while paused.
        clock: Tells the time, in s.
        sleep: Waits for so many s.
    """
    due = clock()
    while not controls.stopped.is_set():
        now = clock()
        due = max(due, now - BEHIND_S)
        if controls.paused:
            due = now
            if controls.steps > 0:
                controls.steps -= 1
                step()
        while due <= now and not controls.paused and not controls.stopped.is_set():
            step()
            due += period / controls.speed
        show()
        sleep(max(0.0, min(max(due, now + FRAME_S), now + LOOK_S) - clock()))


def add_pause(gui: Any, controls: Controls) -> Any:
    """Add a page's checkbox that stops time, and return it."""
    pause = gui.add_checkbox("Pause", False)
    pause.on_update(lambda _: setattr(controls, "paused", pause.value))
    return pause


def add_speeds(gui: Any, controls: Controls) -> None:
    """Add a page's list of speeds."""
    names = {f"{speed:g} x": speed for speed in SPEEDS}
    speed = gui.add_dropdown("Speed", tuple(names), initial_value="1 x")
    speed.on_update(lambda _: setattr(controls, "speed", names[speed.value]))
