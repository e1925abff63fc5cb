"""Settings of tracking: the variants of a clip, the controller, and the harness."""

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
    """A simulated hand that turns the base upright and, if asked, carries it.

    Its torque is `stiffness` times the tilt error plus `damping` times the tilt rate error, about
    the horizontal axes, against the clip's own tilt. It is low-pass filtered and capped. Beyond
    `max_tilt` there is no help. A torque counts as the horizontal force at hip height that topples
    as much: torque / leg length.

    Attributes:
        stiffness: N*m/rad. Gravity topples the robot with 13 N*m/rad, its weight times its height.
        damping: N*m*s/rad.
        cap: Maximum of torque and of force, as a fraction of the weight.
        max_tilt: Tilt of the base beyond which the harness does nothing, in rad.
        cutoff_hz: Cutoff frequency of the low-pass filter, in Hz.
        height_stiffness: Stiffness of the vertical spring, in N/m; 0 for no spring.
        height_damping: Damping of the vertical spring, in N*s/m.

    Raises:
        ConfigError: A value is out of range.
    """

    stiffness: float = 5.0
    damping: float = 1.3
    cap: float = 0.15
    max_tilt: float = math.radians(25.0)
    cutoff_hz: float = 4.0
    height_stiffness: float = 0.0
    height_damping: float = 0.0

    def __post_init__(self) -> None:
        for name in ("stiffness", "damping", "cap", "height_stiffness", "height_damping"):
            _check(getattr(self, name) >= 0, f"harness.{name}", getattr(self, name), "zero or more")
        _check(
            0 < self.max_tilt <= math.pi, "harness.max_tilt", self.max_tilt, "0 to pi rad, above 0"
        )
        _check(self.cutoff_hz > 0, "harness.cutoff_hz", self.cutoff_hz, "a positive frequency")


@dataclass(frozen=True)
class Controller:
    """Gains that turn a clip and the robot's errors into joint targets.

    A strategy that is None is off.

    A gain is the rad of target per unit of an error. Errors are the tilt of the base (rad), its
    rate (rad/s), its position over a foot (m) and its velocity (m/s), in the heading frame. Stance
    strategies act in proportion to the load on a foot. Moving the load by 1 m takes a torque of m
    g. A servo of 21 N*m/rad gives that at 1.6 rad, and the position gains have that size. The
    defaults are typical results of `search_controller`.

    Attributes:
        feed_forward: Fractions of the torques that carry the weight, and of those for the motion.
        ankle: Tilt, rate, position, velocity: the stance ankle moves the load along its sole.
        hip_pitch: Tilt, rate: the stance hip turns the base upright.
        hip_roll: Tilt, rate, position, velocity: the stance hip does both sideways.
        step_forward: Velocity, position: the swing foot lands further ahead if the base is too
            fast.
        step_sideways: Velocity, position: the same sideways.
        clearance: rad of knee per m that a swing foot is below `min_clearance`.
        stiffness: rad per rad of joint error, in stance and in swing, as far as 50 Hz allows.
        min_clearance: Height that the lowest corner of a swing foot should keep, in m.

    Raises:
        ConfigError: A strategy has the wrong number of gains.
    """

    feed_forward: tuple[float, ...] | None = (1.0, 1.0)
    ankle: tuple[float, ...] | None = (0.06, 0.01, 1.3, 0.4)
    hip_pitch: tuple[float, ...] | None = (0.7, 0.04)
    hip_roll: tuple[float, ...] | None = (0.35, 0.05, 1.2, 0.17)
    step_forward: tuple[float, ...] | None = (0.05, -0.6)
    step_sideways: tuple[float, ...] | None = (0.15, 0.3)
    clearance: tuple[float, ...] | None = (5.0,)
    stiffness: tuple[float, ...] | None = (0.0, 0.1)
    min_clearance: float = 0.01

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
    """The variants of every clip, and how they are performed.

    Attributes:
        duration_s: Duration of each variant, in seconds.
        blend_s: Duration of the blends into and out of the neutral pose, in seconds.
        loops: Ways to repeat a clip. `neutral` passes through the neutral pose. `cycle` joins two
            similar poses, if the clip has them.
        warps: Playback speeds, relative to the clip's own.
        mirror: Whether to add the mirror image.
        turns: Fractions by which the left leg swings further and the right leg less. Turning the
            whole clip would change nothing, and no joint turns a foot. Unequal steps bend the path:
            at 0.4 m/s a fraction of 0.1 turns the robot by 0.11 rad/s.
        start_interval_s: Time between the starts of a clip's variants, in seconds.
        restart_s: A variant that has fallen continues from this much later in the clip, in seconds.
            With None it ends.
        controllers: Each is tried on every variant.
        harness: The harness, or None for no help at all.
        num_threads: Threads of the physics; 0 uses all cores.

    Raises:
        ConfigError: A value is out of range.
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
            0.1 <= self.blend_s <= 1, "blend_s", self.blend_s, "0.1 to 1 s, typically 0.2 to 0.4"
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
            "one or more fractions under 1",
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
