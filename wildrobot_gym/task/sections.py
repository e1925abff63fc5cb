"""The sections of an environment's config.

Frozen dataclasses with the defaults of `WildRobot-v0`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from wildrobot_gym.config import check, check_choice, check_range
from wildrobot_gym.task.channels import AMP_CHANNELS, OBSERVATION, OBSERVATION_CHANNELS

MAX_DELAY_S = 0.2  # of a sensor


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

    channels: tuple[str, ...] = tuple(name for name in AMP_CHANNELS if name != "direction")
    """Channels of a frame, in order."""
    root_velocity: Literal["direction", "clipped", "raw"] = "direction"
    """Form of the root's linear velocity: its direction, m/s clipped to 1.5, or m/s."""
    velocity_frame: Literal["heading", "world"] = "heading"
    """Frame of the root's velocities."""
    velocities: Literal["simulation", "finite_difference"] = "simulation"
    """Source of all velocities: the engine, or the two poses of the last control step."""
    contacts: Literal["force", "estimated", "proxy", "none"] = "force"
    """Definition of foot contact."""
    contact_scale: float | None = None
    """N; 'force' is tanh(force / scale). None: 0.3 of the weight, in whole N (WildRobot: 10), so
    that a third of the weight gives about 0.8."""
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
            check(value is None or value > 0, f"features.{name}", value, "a positive number")
        confidence = self.contact_min_confidence
        check(0 <= confidence <= 1, "features.contact_min_confidence", confidence, "0 to 1")


@dataclass(frozen=True)
class SensorConfig:
    """How one channel of the observation is measured. The defaults measure it exactly."""

    scale: float | None = None
    """Factor in the observation; null: the channel's own."""
    noise: float = 0.0
    """Standard deviation of normal noise in every control step, in the channel's unit."""
    bias: float = 0.0
    """Largest constant error, drawn for each episode and column, in the channel's unit."""
    delay_s: float = 0.0
    """Age of the measurement, s. Between control steps it is interpolated."""
    dropout: float = 0.0
    """Fraction of the control steps in which the last measurement is repeated."""
    quantization: float = 0.0
    """Step of the measured values, in the channel's unit; 0: none."""

    def __post_init__(self) -> None:
        for name in ("noise", "bias", "quantization"):
            check(getattr(self, name) >= 0, f"sensor {name}", getattr(self, name), "zero or more")
        check(0 <= self.dropout < 1, "sensor dropout", self.dropout, "0 up to, but not, 1")
        delay = self.delay_s
        check(0 <= delay <= MAX_DELAY_S, "sensor delay_s", delay, f"0 to {MAX_DELAY_S} s")
        scale = self.scale
        check(scale is None or scale > 0, "sensor scale", scale, "a positive number, or null")


@dataclass(frozen=True)
class ObservationHistoryConfig(HistoryConfig):
    """The frames that the policy sees, oldest first."""

    frames: int = 1
    stride: int = 1


@dataclass(frozen=True)
class ObservationConfig:
    """What the policy sees."""

    channels: tuple[str, ...] = tuple(c.name for c in OBSERVATION)
    """Channels of a frame, in order."""
    history: ObservationHistoryConfig = field(default_factory=ObservationHistoryConfig)
    sensors: Mapping[str, SensorConfig] = field(default_factory=dict)
    """How a channel is measured, by its name."""
    switch_force: float = 1.0
    """N; a foot switch closes above it."""
    clock_hz: float = 1.4
    """Cycles a second of the gait clock (channel `clock`)."""

    def __post_init__(self) -> None:
        check_channels("observation.channels", self.channels)
        check(len(self.channels) > 0, "observation.channels", self.channels, "one at least")
        measured = tuple(
            n for n, c in OBSERVATION_CHANNELS.items() if n not in ("command", "clock")
        )
        for name in self.sensors:
            check_choice("channel in observation.sensors", name, measured)
            seen = name in self.channels
            check(seen, "observation.sensors", name, f"channels that are observed: {self.channels}")
        check(self.switch_force >= 0, "observation.switch_force", self.switch_force, "N, 0 or more")
        check(self.clock_hz > 0, "observation.clock_hz", self.clock_hz, "a positive number of Hz")


def check_channels(where: str, names: tuple[str, ...], drawn: tuple[str, ...] = ()) -> None:
    """Raise ConfigError where a channel is unknown, or is there twice.

    `drawn` are the channels of what randomization draws.
    """
    for name in names:
        check_choice(f"channel in {where}", name, (*OBSERVATION_CHANNELS, *drawn))
    check(len(set(names)) == len(names), where, names, "each channel once")


@dataclass(frozen=True)
class ActionConfig:
    """How an action moves the servo targets: target = home + scale * filtered action."""

    scale: float = 1.0
    """rad, for every joint that `joint_scale` does not name."""
    joint_scale: Mapping[str, float] = field(default_factory=lambda: {"waist_yaw": 0.5})
    """rad, by joint or by a pattern such as `shoulder_*`."""
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
    axis_fraction: float = 0.0
    """Fraction of the other draws in which two of the three parts are 0: as turning in place."""
    axis_shares: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """How often the third part is vx, vy or the yaw rate: weights of these draws."""
    resample_interval_s: float = 5.0
    """s between two draws in an episode."""
    ramp_fraction: float = 0.0
    """Fraction of the draws in an episode that are approached steadily. The others jump."""
    ramp_s: float = 1.0
    """s that such a change takes."""
    acceleration: tuple[float, float, float] | None = None
    """m/s^2, m/s^2, rad/s^2: how fast what the policy is asked for approaches the command.

    At home an episode begins with the command to stand. None: a command counts at once.
    """
    heading_gain: float = 0.0
    """1/s.

    Above 0 the yaw rate that the policy sees also corrects the heading: by `heading_gain` times the
    angle that is missing. The heading to hold turns at the commanded yaw rate. Under the command to
    stand nothing is corrected. 0: off.
    """
    heading_limit: float = 0.4
    """rad/s; the largest correction."""
    curriculum_start: float = 1.0
    """Part of the ranges that an environment begins with.

    Below 1 the ranges grow by a tenth after each episode that kept its speed up to the time limit,
    and shrink by a tenth after another. 1: no curriculum.
    """

    def __post_init__(self) -> None:
        for name in ("vx", "vy", "yaw_rate"):
            check_range(f"commands.{name}", getattr(self, name))
        for name in ("standing_fraction", "axis_fraction", "ramp_fraction"):
            check(0 <= getattr(self, name) <= 1, f"commands.{name}", getattr(self, name), "0 to 1")
        shares, ranges = self.axis_shares, (self.vx, self.vy, self.yaw_rate)
        allowed = min(shares) >= 0 and any(
            share > 0 and part != (0, 0) for share, part in zip(shares, ranges, strict=True)
        )
        wanted = "numbers of 0 or more, and one above 0 of a part that has a range"
        check(allowed or self.axis_fraction == 0, "commands.axis_shares", shares, wanted)
        for name in ("resample_interval_s", "ramp_s", "heading_limit"):
            check(getattr(self, name) > 0, f"commands.{name}", getattr(self, name), "above 0")
        rates = self.acceleration or (1.0,) * 3
        check(len(rates) == 3 and min(rates) > 0, "commands.acceleration", rates, "three above 0")
        gain, start = self.heading_gain, self.curriculum_start
        check(gain >= 0, "commands.heading_gain", gain, "zero or more")
        check(0 < start <= 1, "commands.curriculum_start", start, "above 0, up to 1 (none)")


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

    min_height: float | None = None
    """m, of the base; None: the robot's own (WildRobot: 0.2)."""
    max_height: float | None = None
    """m, of the base; None: the robot's own (WildRobot: 0.7)."""
    max_tilt: float | None = None
    """rad between the base's z and the world's; None: no limit."""

    def __post_init__(self) -> None:
        low, high = self.min_height, self.max_height
        if low is not None and high is not None:
            check(low < high, "termination heights", (low, high), "min < max")
        tilt = self.max_tilt
        fits = tilt is None or 0 < tilt <= math.pi
        check(fits, "termination.max_tilt", tilt, "more than 0, up to pi (rad), or null")
