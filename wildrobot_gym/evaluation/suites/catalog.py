"""The suites of the benchmark. This module is quick to import."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from wildrobot_gym.errors import ConfigError, unknown_name
from wildrobot_gym.evaluation import protocol
from wildrobot_gym.evaluation.protocol import ALL, COMMANDS, DURATION_S
from wildrobot_gym.evaluation.suites.definition import Bar, Course, Row, Suite, Unsettled

STANDING = (0.0, 0.0, 0.0)
STAND_S, COURSE_S = 60.0, 60.0


def walking(vx: float, **more: Any) -> Row:
    """A row of robots that walk straight ahead at `vx` m/s."""
    return Row(f"{vx:g} m/s", (vx, 0.0, 0.0), **more)


def _walks(env: Mapping[str, Any], label: str = "") -> tuple[Row, ...]:
    """The two walks of the suites with perturbations."""
    return tuple(
        Row(f"{vx:g} m/s{label}", (vx, 0.0, 0.0), DURATION_S, env=env) for vx in (0.4, 0.6)
    )


_NATURAL = tuple(walking(vx).name for vx in COMMANDS if vx <= 0.8)

FLAT = Suite(
    protocol.FLAT,
    "10 s at each of " + ", ".join(f"{vx:g}" for vx in COMMANDS) + " m/s",
    "start noise",
    tuple(walking(vx, duration_s=DURATION_S) for vx in COMMANDS),
    (
        Bar("survived", low=0.995, rows=_NATURAL),
        Bar("success", low=0.98, rows=_NATURAL),
        Bar("velocity_error", high=0.05, rows=_NATURAL),
        Bar("cadence", low=0.9, high=2.2, rows=_NATURAL),
        Bar("clearance", low=0.020, rows=_NATURAL),
        Bar("support_single", low=0.50, high=0.85, rows=_NATURAL),
        Bar("slip", high=0.05, rows=_NATURAL),
        Bar("saturation", high=0.05, rows=_NATURAL),
    ),
)

DIRECTIONS = Suite(
    "directions",
    "10 s; vx -0.2; vy ±0.1; yaw ±0.3 and ±0.5 rad/s in place and at 0.3 m/s",
    "start noise",
    (
        Row("vx -0.2", (-0.2, 0.0, 0.0)),
        Row("vy +0.1", (0.0, 0.1, 0.0)),
        Row("vy -0.1", (0.0, -0.1, 0.0)),
        *(
            Row(f"yaw {yaw:+g}{where}", (vx, 0.0, yaw))
            for vx, where in ((0.0, ""), (0.3, " at 0.3 m/s"))
            for yaw in (0.3, -0.3, 0.5, -0.5)
        ),
    ),
    (
        Bar("survived", low=0.99),
        Bar("error_vx", high=0.10),
        Bar("error_vy", high=0.06),
        Bar("error_yaw_rate", high=0.15),
    ),
)

STAND = Suite(
    "stand",
    "60 s at command 0",
    "4° of tilt, 0.35 rad/s and feet 4 cm staggered, in drawn directions",
    (
        Row(
            "standing",
            STANDING,
            STAND_S,
            Unsettled(tilt=math.radians(4.0), rate=0.35, stagger=0.04),
        ),
    ),
    (
        Bar("survived", low=1.0),
        Bar("final_tilt", high=math.radians(3.0), of="p95"),
        Bar("final_rate", high=0.1, of="p95"),
        Bar("displacement", high=0.05, of="p95"),
        Bar("still", low=0.95),
    ),
)

COURSE = Suite(
    "course",
    "60 s; a new command every 2 ... 4 s, stops among them; straight ahead at the end",
    "the commands",
    (Row("course", Course(), COURSE_S),),
    (Bar("survived", low=0.99), Bar("heading_error", high=math.radians(10.0), of="p95")),
)

SUITES = {suite.name: suite for suite in (FLAT, DIRECTIONS, STAND, COURSE)}


def chosen_suites(name: str) -> tuple[Suite, ...]:
    """The suites of that name: one, or all of them.

    Raises:
        ConfigError: There is no such suite.
    """
    if name == ALL:
        return tuple(SUITES.values())
    if name not in SUITES:
        raise ConfigError(unknown_name("suite", name, [*SUITES, ALL]))
    return (SUITES[name],)
