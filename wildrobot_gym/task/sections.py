"""The sections of an environment's config.

Frozen dataclasses with the defaults of `WildRobot-v0`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from wildrobot_gym.config import check, check_choice, check_range
from wildrobot_gym.task.channels import AMP_CHANNELS


@dataclass(frozen=True)
class HistoryConfig:
    """The window of frames that the discriminator sees."""

    frames: int = 8
    """Number of frames in a window."""
    stride: int = 2
    """Control steps (20 ms) from one frame to the next."""

    def __post_init__(self) -> None:
        check(1 <= self.frames <= 32, "history.frames", self.frames, "1 to 32")
        check(1 <= self.stride <= 25, "history.stride", self.stride, "1 to 25 control steps")

    @property
    def num_past(self) -> int:
        """Past control steps to remember besides the present one."""
        return (self.frames - 1) * self.stride


@dataclass(frozen=True)
class FeatureConfig:
    """The AMP features of one frame. Clips and simulation are read with the same config."""

    channels: tuple[str, ...] = tuple(AMP_CHANNELS)
    """Channels of a frame, in order."""
    root_velocity: Literal["direction", "clipped", "raw"] = "direction"
    """Form of the root's linear velocity: its direction, m/s clipped to 1.5, or m/s."""
    velocity_frame: Literal["heading", "world"] = "heading"
    """Frame of the root's velocities."""
    velocities: Literal["simulation", "finite_difference"] = "simulation"
    """Source of all velocities: the engine, or the two poses of the last control step."""
    contacts: Literal["force", "estimated", "proxy", "none"] = "force"
    """Definition of foot contact."""
    contact_scale: float = 10.0
    """N; 'force' is tanh(force / scale). A third of the robot's weight gives about 0.8."""
    contact_threshold_angle: float = 0.1
    """rad; 'estimated' takes a thigh behind this angle to be in stance."""
    contact_knee_scale: float = 0.5
    """rad; 'estimated' loses confidence over this knee angle."""
    contact_min_confidence: float = 0.3
    """Confidence of 'estimated' in a stance with a bent knee."""
    proxy_height: float = 0.01
    """m; sole height over which 'proxy' fades."""
    proxy_speed: float = 0.2
    """m/s; pad speed over which 'proxy' fades."""
    history: HistoryConfig = field(default_factory=HistoryConfig)

    def __post_init__(self) -> None:
        channels = self.channels
        for channel in channels:
            check_choice("feature channel", channel, tuple(AMP_CHANNELS))
        once = len(set(channels)) == len(channels) > 0
        check(once, "features.channels", channels, "each once, one at least")
        check(
            channels != ("foot_contacts",) or self.contacts != "none",
            "features.channels",
            channels,
            "another channel beside foot_contacts where contacts is 'none'",
        )
        check_choice("features.root_velocity", self.root_velocity, ("direction", "clipped", "raw"))
        check_choice("features.velocity_frame", self.velocity_frame, ("heading", "world"))
        check_choice("features.velocities", self.velocities, ("simulation", "finite_difference"))
        check_choice("features.contacts", self.contacts, ("force", "estimated", "proxy", "none"))
        for name in ("contact_scale", "contact_knee_scale", "proxy_height", "proxy_speed"):
            value = getattr(self, name)
            check(value > 0, f"features.{name}", value, "a positive number")
        confidence = self.contact_min_confidence
        check(0 <= confidence <= 1, "features.contact_min_confidence", confidence, "0 to 1")


@dataclass(frozen=True)
class ActionConfig:
    """How an action moves the servo targets: target = home + scale * filtered action."""

    scale: float = 1.0
    """rad, for every joint that `joint_scale` does not name."""
    joint_scale: Mapping[str, float] = field(default_factory=lambda: {"waist_yaw": 0.5})
    """rad, by joint."""
    filter: float = 0.7
    """Part of the new action: filtered = filter * new + (1 - filter) * old. 1 is no filter."""

    def __post_init__(self) -> None:
        for name, scale in {"scale": self.scale, **self.joint_scale}.items():
            check(scale > 0, f"action {name}", scale, "a positive number of rad")
        check(0 < self.filter <= 1, "action.filter", self.filter, "0 < filter <= 1 (1: no filter)")


@dataclass(frozen=True)
class CommandConfig:
    """Ranges of the commanded velocities in the heading frame."""

    vx: tuple[float, float] = (0.0, 1.0)
    """Forward, m/s."""
    vy: tuple[float, float] = (0.0, 0.0)
    """To the left, m/s."""
    yaw_rate: tuple[float, float] = (0.0, 0.0)
    """To the left, rad/s."""
    standing_fraction: float = 0.1
    """Fraction of the draws that are (0, 0, 0)."""
    resample_interval_s: float = 5.0
    """s between two draws in an episode."""

    def __post_init__(self) -> None:
        for name in ("vx", "vy", "yaw_rate"):
            check_range(f"commands.{name}", getattr(self, name))
        standing, interval = self.standing_fraction, self.resample_interval_s
        check(0 <= standing <= 1, "commands.standing_fraction", standing, "0 to 1")
        check(interval > 0, "commands.resample_interval_s", interval, "a positive time")


@dataclass(frozen=True)
class ResetConfig:
    """Where episodes begin: at home with uniform noise, or in a frame of the reference motion."""

    joint_noise: float = 0.05
    """rad."""
    velocity_noise: float = 0.1
    """m/s and rad/s, of the base and the joints."""
    tilt_noise: float = 0.03
    """rad, of roll and pitch."""
    reference_fraction: float = 0.0
    """Fraction of the episodes that begin in a reference frame."""
    stagger: bool = False
    """Whether first episodes have different lengths, so that time-outs do not all come together."""

    def __post_init__(self) -> None:
        for name in ("joint_noise", "velocity_noise", "tilt_noise"):
            check(getattr(self, name) >= 0, f"reset.{name}", getattr(self, name), "zero or more")
        fraction = self.reference_fraction
        check(0 <= fraction <= 1, "reset.reference_fraction", fraction, "0 to 1")


@dataclass(frozen=True)
class TerminationConfig:
    """When an episode ends by itself."""

    min_height: float = 0.2
    """m, of the base."""
    max_height: float = 0.7
    """m, of the base."""
    max_tilt: float | None = None
    """rad between the base's z and the world's; None: no limit."""

    def __post_init__(self) -> None:
        heights = (self.min_height, self.max_height)
        check(heights[0] < heights[1], "termination heights", heights, "min < max")
        tilt = self.max_tilt
        fits = tilt is None or 0 < tilt <= math.pi
        check(fits, "termination.max_tilt", tilt, "more than 0, up to pi (rad), or null")
