"""The kinds of commanded walks that the generator makes: turns, curves, sideways, backward, starts,
changes of speed, and courses of all of them.

Every clip begins and ends at rest. Speeds are for the leg of `shape.TUNED`; other robots take the
same Froude numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from wildrobot_gym.errors import MotionError, unknown_name
from wildrobot_gym.motion.gait.shape import froude
from wildrobot_gym.robot import RobotModel

Command = tuple[float, float, float]  # m/s ahead, m/s to the left, rad/s to the left
Part = tuple[float, Command]  # s, and what is commanded for so long

STAND: Command = (0.0, 0.0, 0.0)
LEAD_S, REST_S = 0.6, 2.4  # standing before the first command and after the last
HOLD_S = 3.6  # of a command
_COURSES, _COURSE_PARTS, _COURSE_S = 4, 4, (1.6, 2.6)
# Ranges of a course's commands.
_COURSE_VX, _COURSE_VY, _COURSE_YAW = (-0.1, 0.6), (-0.08, 0.08), (-0.4, 0.4)


def _held(*commands: Command) -> list[Part]:
    return [(HOLD_S, command) for command in commands]


def _courses() -> dict[str, list[Part]]:
    """Draw commands that follow each other; the same ones each time."""
    rng, out = np.random.default_rng(0), {}
    for number in range(_COURSES):
        low, high = np.array([_COURSE_VX, _COURSE_VY, _COURSE_YAW]).T
        drawn = rng.uniform(low, high, (_COURSE_PARTS, 3)).round(2)
        drawn[number % _COURSE_PARTS] = 0.0  # a stop on the way
        seconds = rng.uniform(*_COURSE_S, _COURSE_PARTS).round(1)
        parts = [
            (float(s), (float(c[0]), float(c[1]), float(c[2])))
            for s, c in zip(seconds, drawn, strict=True)
        ]
        out[f"course_{number}"] = parts
    return out


KINDS: dict[str, dict[str, list[Part]]] = {
    "turn": {f"turn_{w:.1f}": _held((0.0, 0.0, w)) for w in (0.2, 0.3, 0.5)},
    "curve": {
        f"curve_{v:.1f}_{w:.1f}": _held((v, 0.0, w))
        for v, w in ((0.2, 0.3), (0.3, 0.3), (0.3, 0.5), (0.5, 0.2), (0.5, 0.4))
    },
    "sideways": {f"sideways_{v:.2f}": _held((0.0, v, 0.0)) for v in (0.06, 0.1, 0.15)},
    "backward": {f"backward_{v:.2f}": _held((-v, 0.0, 0.0)) for v in (0.1, 0.15, 0.2)},
    "start": {
        f"start_{v:.1f}": [(2.4, (v, 0.0, 0.0)), (2.0, STAND), (1.6, (v, 0.0, 0.0))]
        for v in (0.2, 0.3, 0.4)
    },
    "speeds": {
        f"speeds_{a:.1f}_{b:.1f}": [(2.4, (v, 0.0, 0.0)) for v in (a, b, a)]
        for a, b in ((0.2, 0.5), (0.6, 0.3), (0.4, 0.7))
    },
    "course": _courses(),
}
"""Commands of the clips of each kind, by name."""


def planned(robot: RobotModel, kinds: Sequence[str]) -> Iterator[tuple[str, str, list[Part]]]:
    """Yield kind, name and commands of each clip, at this robot's Froude numbers.

    Raises:
        MotionError: There is no such kind.
    """
    length, time = froude(robot)
    scale = np.array([length / time, length / time, 1.0 / time])
    for kind in kinds:
        if kind not in KINDS:
            raise MotionError(unknown_name("kind of motion", kind, KINDS))
        for name, parts in KINDS[kind].items():
            yield (
                kind,
                name,
                at_rest_around(
                    [(seconds * time, _scaled(command, scale)) for seconds, command in parts], time
                ),
            )


def at_rest_around(parts: Sequence[Part], time: float = 1.0) -> list[Part]:
    """Return parts with standing before and after, `time` times as long as for TUNED's leg."""
    return [(LEAD_S * time, STAND), *parts, (REST_S * time, STAND)]


def _scaled(command: Command, scale: np.ndarray) -> Command:
    vx, vy, turn = (float(x) for x in np.array(command) * scale)
    return vx, vy, turn
