"""How clips are performed: which variants, with what help. Every value is checked where it is made."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from wildrobot_gym.errors import ConfigError

LOOPS = ("neutral", "cycle")


def _check(condition: bool, name: str, got: Any, allowed: str) -> None:
    if not condition:
        raise ConfigError(f"tracking.{name} is {got!r}; allowed: {allowed}.")


@dataclass(frozen=True)
class Harness:
    """What an outside hand may do to the base: turn it upright, and (off by default) carry it.

    torque = stiffness * tilt error + damping * tilt rate error, about the horizontal axes alone, against the clip's own
    tilt; low-pass filtered, its size capped, and nothing at all while the base is tilted beyond `max_tilt`. Shares are of
    the robot's weight; a torque counts as the horizontal force at hip height that topples as much (torque / leg length).
    """

    stiffness: float = (
        5.0  # N*m/rad; gravity topples the robot with the weight times its height, 13 N*m/rad
    )
    damping: float = 1.3  # N*m*s/rad
    cap: float = 0.15  # share of the weight, torque and force each
    max_tilt: float = math.radians(25.0)
    cutoff_hz: float = 4.0
    height_stiffness: float = 0.0  # N/m; 0: no height spring
    height_damping: float = 0.0  # N*s/m

    def __post_init__(self) -> None:
        for name in ("stiffness", "damping", "cap", "height_stiffness", "height_damping"):
            _check(getattr(self, name) >= 0, f"harness.{name}", getattr(self, name), "zero or more")
        _check(
            0 < self.max_tilt <= math.pi, "harness.max_tilt", self.max_tilt, "0 to pi rad, above 0"
        )
        _check(self.cutoff_hz > 0, "harness.cutoff_hz", self.cutoff_hz, "a positive frequency")


@dataclass(frozen=True)
class Controller:
    """How a clip and the robot's errors against it become joint targets. Each strategy is a switch: None is off.

    Gains are rad of target per unit of an error: tilt of the base (rad) and its rate (rad/s); the base's place over a foot (m)
    and its velocity (m/s), in the heading frame. Strategies of stance act in proportion to the load that a foot carries. To
    move the load by 1 m takes a torque of m g, which a servo of 21 N*m/rad gives at 1.6 rad: the places' gains are of that
    size. The defaults are what `search_controller` tends to find.

    Attributes:
        feed_forward: shares of the torques that carry the weight, and of those that the motion asks for beyond.
        ankle: tilt, rate, place, velocity, fore and aft: the stance ankle moves the load along its sole.
        hip_pitch: tilt, rate: the stance hip turns the base upright.
        hip_roll: tilt, rate, place, velocity, sideways: the stance hip turns the base and moves the load across the sole.
        step_forward, step_sideways: velocity, place: the swing foot lands further to where the base moves too fast.
        clearance: rad of knee per m that the lowest corner of a swing foot is under `min_clearance`.
        stiffness: rad per rad of joint error, in stance and in swing: stiffer servos, as far as 50 Hz allow.
    """

    feed_forward: tuple[float, ...] | None = (1.0, 1.0)
    ankle: tuple[float, ...] | None = (0.06, 0.01, 1.3, 0.4)
    hip_pitch: tuple[float, ...] | None = (0.7, 0.04)
    hip_roll: tuple[float, ...] | None = (0.35, 0.05, 1.2, 0.17)
    step_forward: tuple[float, ...] | None = (0.05, -0.6)
    step_sideways: tuple[float, ...] | None = (0.15, 0.3)
    clearance: tuple[float, ...] | None = (5.0,)
    stiffness: tuple[float, ...] | None = (0.0, 0.1)
    min_clearance: float = 0.01  # m

    def __post_init__(self) -> None:
        for name, count in GAIN_COUNTS.items():
            gains = getattr(self, name)
            _check(
                gains is None or len(gains) == count,
                f"controller.{name}",
                gains,
                f"None, or {count} gains",
            )
        _check(
            self.min_clearance >= 0, "controller.min_clearance", self.min_clearance, "zero or more"
        )


GAIN_COUNTS = {
    "feed_forward": 2,
    "ankle": 4,
    "hip_pitch": 2,
    "hip_roll": 4,
    "step_forward": 2,
    "step_sideways": 2,
    "clearance": 1,
    "stiffness": 2,
}


@dataclass(frozen=True)
class TrackSettings:
    """Variants of every clip, and how they are performed.

    Attributes:
        duration_s: each variant's time, 20 to 60 s in the data-first plan. blend_s: into and out of the neutral pose.
        loops: how a clip follows on itself: through the `neutral` pose, or from an end that is like its beginning
            (`cycle`; only where there is one).
        warps: speeds at which the clip is played. mirror: its mirror image too.
        turns: small heading changes: shares by which the left leg's swing is made longer and the right one's shorter. A turn
            of the whole clip would change nothing, and no joint turns a foot; unlike steps bend the path (at 0.4 m/s a share
            of 0.1 turns by 0.11 rad/s), and `mirror` bends it the other way.
        start_interval_s: multi-start, a variant from every so many seconds of the clip.
        restart_s: a variant that has fallen goes on from so much later in the clip; None: it ends.
        controllers: each is tried on every variant. harness: None: no help at all.
    """

    duration_s: float = 20.0
    blend_s: float = 0.3
    loops: tuple[str, ...] = LOOPS
    warps: tuple[float, ...] = (0.8, 0.9, 1.0, 1.1)
    mirror: bool = True
    turns: tuple[float, ...] = (0.0, 0.1)
    start_interval_s: float = 2.0
    restart_s: float | None = 0.5
    controllers: tuple[Controller, ...] = (Controller(),)
    harness: Harness | None = field(default_factory=Harness)
    num_threads: int = 0

    def __post_init__(self) -> None:
        _check(1 <= self.duration_s <= 600, "duration_s", self.duration_s, "1 to 600 s")
        _check(
            0.1 <= self.blend_s <= 1, "blend_s", self.blend_s, "0.1 to 1 s (the plan: 0.2 to 0.4)"
        )
        _check(
            len(self.loops) > 0 and set(self.loops) <= set(LOOPS),
            "loops",
            self.loops,
            f"one or more of {LOOPS}",
        )
        _check(
            len(self.warps) > 0 and min(self.warps) > 0,
            "warps",
            self.warps,
            "one or more positive speeds",
        )
        _check(
            len(self.turns) > 0 and max(map(abs, self.turns)) < 1,
            "turns",
            self.turns,
            "one or more shares under 1",
        )
        _check(len(self.controllers) > 0, "controllers", self.controllers, "one or more")
        _check(
            self.start_interval_s > 0, "start_interval_s", self.start_interval_s, "a positive time"
        )
        _check(
            self.restart_s is None or self.restart_s >= 0,
            "restart_s",
            self.restart_s,
            "a time, or None",
        )
