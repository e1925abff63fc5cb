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
PUSHED_S, PUSH_S = 20.0, 3.0  # an episode, and from one push to the next
# Of the sensors of a hobby robot: an IMU chip's gyro and attitude while feet hit the floor, and
# encoders of 12 bits (1.5 mrad), whose differences over 20 ms are the velocities.
NOISE = {
    "gyro": {"noise": 0.02},
    "root_ang_vel": {"noise": 0.02},
    "gravity": {"noise": 0.01},
    "joint_pos": {"noise": 0.005},
    "joint_offset": {"noise": 0.005},
    "joint_vel": {"noise": 0.1},
}


def walking(vx: float, **more: Any) -> Row:
    """A row of robots that walk straight ahead at `vx` m/s."""
    return Row(f"{vx:g} m/s", (vx, 0.0, 0.0), **more)


def _walks(env: Mapping[str, Any], label: str = "", **more: Any) -> tuple[Row, ...]:
    """The two walks of the suites with perturbations."""
    return tuple(
        Row(f"{vx:g} m/s{label}", (vx, 0.0, 0.0), DURATION_S, env=env, **more) for vx in (0.4, 0.6)
    )


def _around(size: float) -> list[float]:
    """A range of one size to both sides of 0."""
    return [-size, size]


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


def _pushed(velocity: float) -> tuple[Row, ...]:
    """Walking and standing, with pushes of one strength."""
    push = {"interval_s": [PUSH_S, PUSH_S], "velocity": [velocity, velocity]}
    more: dict[str, Any] = {"env": {"disturbances": {"push": push}}, "strength": velocity}
    return (
        Row(f"0.4 m/s, push {velocity:g}", (0.4, 0.0, 0.0), PUSHED_S, **more),
        Row(f"standing, push {velocity:g}", STANDING, PUSHED_S, **more),
    )


PUSH = Suite(
    "push",
    "20 s at 0.4 m/s and standing; every 3 s a velocity of 0.3 m/s is added to the base (0.1 ..."
    " 0.6 for the curve)",
    "the directions",
    tuple(row for velocity in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6) for row in _pushed(velocity)),
    (Bar("survived", low=0.97, rows=tuple(row.name for row in _pushed(0.3))),),
    strength="velocity of a push, m/s",
)

SERVO = Suite(
    "servo",
    "10 s at 0.4 and 0.6 m/s",
    "of each joint kp and kv ±20 %, force limit 0.75 ... 1, zero offset ±2°; backlash 0.5°",
    _walks(
        {
            "randomization": {
                "servo_kp": [0.8, 1.2],
                "servo_kv": [0.8, 1.2],
                "servo_force_limit": [0.75, 1.0],
                "backlash": [math.radians(0.5)] * 2,
                "joint_zero": _around(math.radians(2.0)),
            }
        }
    ),
    (Bar("survived", low=0.98),),
)

DELAY = Suite(
    "delay",
    "10 s at 0.4 and 0.6 m/s",
    "delay of actions 0 ... 40 ms, with 5 ms of jitter, and of observations 0 ... 20 ms",
    _walks(
        {
            "randomization": {
                "action_delay": [0.0, 0.040],
                "action_delay_jitter": [0.005, 0.005],
                "observation_delay": [0.0, 0.020],
            }
        }
    ),
    (Bar("survived", low=0.98), Bar("success", low=0.95)),
    strength="delay of actions, s",
    draw="action_delay",
)

_BAD_SENSORS = {
    "randomization": {
        "imu_tilt": _around(math.radians(3.0)),
        "imu_drift": _around(math.radians(0.2)),
        "stuck_switch": [1.0, 1.0],
    }
}

SENSORS = Suite(
    "sensors",
    "10 s at 0.4 and 0.6 m/s, and 60 s standing",
    "noise of gyro (0.02 rad/s), gravity (0.01) and encoders (0.005 rad, 0.1 rad/s), mounting of"
    " the IMU ±3°, drift ±0.2°/s, one foot switch that sticks",
    (
        *_walks(_BAD_SENSORS, sensors=NOISE),
        Row("standing", STANDING, STAND_S, env=_BAD_SENSORS, sensors=NOISE),
    ),
    (Bar("survived", low=0.98),),
    strength="mounting of the IMU, rad",
    draw="imu_tilt",
)

BODY = Suite(
    "body",
    "10 s at 0.4 and 0.6 m/s",
    "mass ±20 %, center of mass ±15 mm, friction 0.4 ... 1.2",
    _walks(
        {
            "randomization": {
                "link_mass": [0.8, 1.2],
                "com_offset": _around(0.015),
                "floor_friction": [0.4, 1.2],
            }
        }
    ),
    (Bar("survived", low=0.98),),
    strength="friction",
    draw="floor_friction",
)

GROUND = Suite(
    "ground",
    "10 s at 0.4 and 0.6 m/s on rough ground, on a slope and on steps",
    "place and heading; roughness of 10 mm, slope of 5°, steps of 8 mm",
    (
        *_walks({"terrain": {"kind": "rough", "height": 0.010}}, ", rough"),
        *_walks({"terrain": {"kind": "slope", "slope": math.radians(5.0)}}, ", slope"),
        *_walks({"terrain": {"kind": "steps", "height": 0.008}}, ", steps"),
    ),
    (Bar("survived", low=0.95),),
)

SUITES = {
    suite.name: suite
    for suite in (FLAT, DIRECTIONS, STAND, COURSE, PUSH, SERVO, DELAY, SENSORS, BODY, GROUND)
}


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


def with_flat(name: str) -> tuple[Suite, ...]:
    """The suites of that name, and before them the suite `flat`, whose episodes are recorded."""
    return (FLAT, *(suite for suite in chosen_suites(name) if suite is not FLAT))
