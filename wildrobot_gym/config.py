"""Configuration of the environment: frozen dataclasses, checked at construction, built from plain YAML mappings.

Defaults are WildRobot-v0. Every value is validated where it is made, so a wrong one never reaches a running simulation.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from wildrobot_gym.errors import ConfigError, unknown_name

T = TypeVar("T")

FEATURE_CHANNELS = (
    "joint_pos",
    "joint_vel",
    "root_lin_vel",
    "root_ang_vel",
    "root_height",
    "foot_contacts",
)


def _check(condition: bool, name: str, got: Any, allowed: str) -> None:
    if not condition:
        raise ConfigError(f"{name} is {got!r}; allowed: {allowed}.")


def _check_choice(name: str, got: Any, allowed: tuple[str, ...]) -> None:
    if got not in allowed:
        raise ConfigError(unknown_name(name, str(got), allowed))


def _check_range(name: str, got: tuple[float, float]) -> None:
    _check(len(got) == 2 and got[0] <= got[1], name, got, "[low, high] with low <= high")


@dataclass(frozen=True)
class HistoryConfig:
    """Frames of AMP features a discriminator sees: ``frames`` of them, ``stride`` control steps (20 ms) apart."""

    frames: int = 8
    stride: int = 2

    def __post_init__(self) -> None:
        _check(1 <= self.frames <= 32, "history.frames", self.frames, "1 to 32")
        _check(1 <= self.stride <= 25, "history.stride", self.stride, "1 to 25 control steps")

    @property
    def num_past(self) -> int:
        """Past control steps that must be remembered besides the present one."""
        return (self.frames - 1) * self.stride


@dataclass(frozen=True)
class FeatureConfig:
    """AMP features of one frame (seed v0.6.2). The same function reads clips and simulation, with the same config."""

    channels: tuple[str, ...] = FEATURE_CHANNELS
    root_velocity: Literal["direction", "clipped", "raw"] = "direction"
    velocity_frame: Literal["heading", "world"] = "heading"
    # joint_vel, root_lin_vel, root_ang_vel: the engine's own, or those of the last control step from its two poses
    velocities: Literal["simulation", "finite_difference"] = "simulation"
    contacts: Literal["force", "estimated", "proxy", "none"] = "force"
    contact_scale: float = (
        10.0  # N; tanh(force / scale): about a third of the robot's weight reads 0.8
    )
    contact_threshold_angle: float = (
        0.1  # rad; 'estimated': a thigh behind this angle is taken to be in stance
    )
    contact_knee_scale: float = 0.5  # rad; 'estimated': knee angle over which confidence falls
    contact_min_confidence: float = 0.3  # 'estimated': confidence of a stance with a bent knee
    proxy_height: float = 0.01  # m; 'proxy': sole height over which contact fades
    proxy_speed: float = 0.2  # m/s; 'proxy': pad speed over which contact fades
    history: HistoryConfig = field(default_factory=HistoryConfig)

    def __post_init__(self) -> None:
        for channel in self.channels:
            _check_choice("feature channel", channel, FEATURE_CHANNELS)
        _check(
            len(set(self.channels)) == len(self.channels) > 0,
            "features.channels",
            self.channels,
            "each once, one at least",
        )
        _check(
            self.channels != ("foot_contacts",) or self.contacts != "none",
            "features.channels",
            self.channels,
            "another channel beside foot_contacts where contacts is 'none'",
        )
        _check_choice("features.root_velocity", self.root_velocity, ("direction", "clipped", "raw"))
        _check_choice("features.velocity_frame", self.velocity_frame, ("heading", "world"))
        _check_choice("features.velocities", self.velocities, ("simulation", "finite_difference"))
        _check_choice("features.contacts", self.contacts, ("force", "estimated", "proxy", "none"))
        for name in ("contact_scale", "contact_knee_scale", "proxy_height", "proxy_speed"):
            _check(
                getattr(self, name) > 0,
                f"features.{name}",
                getattr(self, name),
                "a positive number",
            )
        confidence = self.contact_min_confidence
        _check(0 <= confidence <= 1, "features.contact_min_confidence", confidence, "0 to 1")


@dataclass(frozen=True)
class ActionConfig:
    """target = home + scale * filtered action, clipped to the joint's limit; filtered = new * filter + old * (1 - filter)."""

    scale: float = 1.0  # rad for every joint that joint_scale does not name
    joint_scale: Mapping[str, float] = field(default_factory=lambda: {"waist_yaw": 0.5})
    filter: float = 0.7

    def __post_init__(self) -> None:
        for name, scale in {"scale": self.scale, **self.joint_scale}.items():
            _check(scale > 0, f"action {name}", scale, "a positive number of rad")
        _check(0 < self.filter <= 1, "action.filter", self.filter, "0 < filter <= 1 (1: no filter)")


@dataclass(frozen=True)
class CommandConfig:
    """Ranges of the commanded heading-frame velocities; (0, 0, 0) for ``standing_fraction`` of the draws."""

    vx: tuple[float, float] = (0.0, 1.0)  # m/s
    vy: tuple[float, float] = (0.0, 0.0)  # m/s
    yaw_rate: tuple[float, float] = (0.0, 0.0)  # rad/s
    standing_fraction: float = 0.1
    resample_interval_s: float = 5.0

    def __post_init__(self) -> None:
        for name in ("vx", "vy", "yaw_rate"):
            _check_range(f"commands.{name}", getattr(self, name))
        _check(
            0 <= self.standing_fraction <= 1,
            "commands.standing_fraction",
            self.standing_fraction,
            "0 to 1",
        )
        _check(
            self.resample_interval_s > 0,
            "commands.resample_interval_s",
            self.resample_interval_s,
            "a positive time",
        )


@dataclass(frozen=True)
class ResetConfig:
    """Where episodes begin: at home with uniform noise, or for ``reference_fraction`` of them in a reference frame."""

    joint_noise: float = 0.05  # rad
    velocity_noise: float = 0.1  # m/s, rad/s; base and joints
    tilt_noise: float = 0.03  # rad, roll and pitch
    reference_fraction: float = 0.0
    stagger: bool = False  # episodes after a full reset get random limits, so that time-outs do not all come together

    def __post_init__(self) -> None:
        for name in ("joint_noise", "velocity_noise", "tilt_noise"):
            _check(getattr(self, name) >= 0, f"reset.{name}", getattr(self, name), "zero or more")
        _check(
            0 <= self.reference_fraction <= 1,
            "reset.reference_fraction",
            self.reference_fraction,
            "0 to 1",
        )


@dataclass(frozen=True)
class TerminationConfig:
    min_height: float = 0.2  # m, base
    max_height: float = 0.7
    max_tilt: float | None = None  # rad between the base's z and the world's; None: off

    def __post_init__(self) -> None:
        _check(
            self.min_height < self.max_height,
            "termination heights",
            (self.min_height, self.max_height),
            "min < max",
        )
        tilt_fits = self.max_tilt is None or 0 < self.max_tilt <= math.pi
        _check(
            tilt_fits, "termination.max_tilt", self.max_tilt, "more than 0, up to pi (rad), or null"
        )


@dataclass(frozen=True)
class RewardConfig:
    """Weight of each term, by the names in ``task.reward.TERMS``; a weight of 0 switches a term off. Scales beside them."""

    tracking_lin_vel: float = 5.0
    lin_vel_error: float = 0.0
    tracking_lateral: float = 1.0
    tracking_yaw: float = 1.0
    base_height: float = 0.3
    orientation: float = 0.5
    alive: float = 0.5
    action_rate: float = -0.01
    torque_penalty: float = -0.001
    saturation: float = -0.1
    slip: float = -0.2
    flight: float = -0.5
    feet_air_time: float = 0.0
    short_double_support: float = 0.0
    tracking_sigma: float = 0.25  # m/s; exp(-(error / sigma)^2)
    yaw_sigma: float = 0.5  # rad/s
    target_height: float = 0.45  # m (seed v0.6.0)
    height_sigma: float = 0.05  # m
    tilt_sigma: float = 0.3  # sine of the tilt
    air_time_target_s: float = 0.25
    double_support_target_s: float = (
        0.08  # a tenth of a stride; twice in each, that leaves 80 % on one foot
    )
    # Multiplies the sum. The default control period: with another control_dt returns stay alike where it is given its value.
    scale: float = 0.02

    def __post_init__(self) -> None:
        for name in (item.name for item in dataclasses.fields(self)):
            if name.endswith("_sigma") or name in ("scale", "double_support_target_s"):
                _check(
                    getattr(self, name) > 0,
                    f"rewards.{name}",
                    getattr(self, name),
                    "a positive number",
                )


@dataclass(frozen=True)
class EnvConfig:
    """All of WildRobot-v0's settings; the keyword arguments of ``gym.make`` are these fields."""

    robot: str = "wildrobot"
    control_dt: float = 0.02  # s; a whole number of physics steps
    features: FeatureConfig = field(default_factory=FeatureConfig)
    action: ActionConfig = field(default_factory=ActionConfig)
    commands: CommandConfig = field(default_factory=CommandConfig)
    reset: ResetConfig = field(default_factory=ResetConfig)
    termination: TerminationConfig = field(default_factory=TerminationConfig)
    rewards: RewardConfig = field(default_factory=RewardConfig)

    def __post_init__(self) -> None:
        _check(self.control_dt > 0, "control_dt", self.control_dt, "a positive time in s")


@dataclass(frozen=True)
class TrackActionConfig(ActionConfig):
    """As ActionConfig, but the scaled action is added to the clip's own servo targets in place of the home pose."""

    scale: float = 0.5


@dataclass(frozen=True)
class TrackTerminationConfig(TerminationConfig):
    max_tilt: float | None = 0.8
    max_joint_error: float = (
        0.7  # rad, root mean square over the joints; who is further off has lost the clip
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        _check(
            self.max_joint_error > 0,
            "termination.max_joint_error",
            self.max_joint_error,
            "a positive angle",
        )


@dataclass(frozen=True)
class TrackRewardConfig(RewardConfig):
    """Of the walk's terms those of a clean gait; and ``clip_*`` for following the clip, exp(-(error / sigma)^2) each
    (Peng et al. 2018)."""

    tracking_lin_vel: float = 0.0
    lin_vel_error: float = -20.0  # without it soft servos and the fear of slipping halve every step
    tracking_lateral: float = 0.0
    tracking_yaw: float = 0.0
    base_height: float = 0.0
    alive: float = 5.5  # outweighs the penalties
    orientation: float = 0.0
    saturation: float = -1.5
    slip: float = -50.0
    flight: float = (
        -10.0
    )  # without these two, fast walks are performed with hardly ever both feet on the floor
    short_double_support: float = -15.0
    clip_joint_pos: float = 2.0
    clip_joint_vel: float = 0.5
    clip_lin_vel: float = 1.0
    clip_ang_vel: float = 0.5
    clip_attitude: float = 1.0
    clip_height: float = 0.5
    clip_heading: float = 0.5
    clip_feet: float = 1.5
    clip_load: float = 1.5
    clip_joint_pos_sigma: float = 0.25  # rad, root mean square over the joints
    clip_joint_vel_sigma: float = 3.0  # rad/s, root mean square
    clip_lin_vel_sigma: float = 0.3  # m/s
    clip_ang_vel_sigma: float = 2.0  # rad/s
    clip_attitude_sigma: float = 0.2  # length of the difference of the two gravity directions
    clip_height_sigma: float = 0.04  # m
    clip_heading_sigma: float = 0.4  # rad
    clip_feet_sigma: float = 0.06  # m
    clip_load_sigma: float = 0.5  # share of the robot's weight


@dataclass(frozen=True)
class TrackEnvConfig(EnvConfig):
    """All of WildRobotTrack-v0's settings: WildRobot-v0's, with other defaults where a clip is to be followed."""

    action: TrackActionConfig = field(default_factory=TrackActionConfig)
    termination: TrackTerminationConfig = field(default_factory=TrackTerminationConfig)
    rewards: TrackRewardConfig = field(default_factory=TrackRewardConfig)
    horizon: tuple[int, ...] = (
        1,
        4,
        8,
    )  # control steps ahead that the observation shows of the clip

    def __post_init__(self) -> None:
        super().__post_init__()
        _check(
            bool(self.horizon) and min(self.horizon) >= 1,
            "horizon",
            self.horizon,
            "control steps, each 1 or more",
        )
        _check(
            self.commands == CommandConfig(),
            "commands",
            self.commands,
            "nothing: a clip brings its own command",
        )
        fraction = self.reset.reference_fraction
        _check(
            fraction == 0,
            "reset.reference_fraction",
            fraction,
            "nothing: every episode begins in a frame of the clips",
        )


def build(cls: type[T], values: Mapping[str, Any] | None, where: str = "") -> T:
    """Build a config dataclass from a nested mapping; unknown keys and wrong types are errors that name the key.

    ``where`` is the dotted path of ``values`` in the file, for the message.
    """
    if isinstance(values, cls):
        return values
    if values is None:
        values = {}
    if not isinstance(values, Mapping):
        raise ConfigError(
            f"{where or 'configuration'} must be a mapping of settings, got {values!r}."
        )
    hints = typing.get_type_hints(cls)
    names = {f.name for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    kwargs = {}
    for key, value in values.items():
        if key not in names:
            raise ConfigError(unknown_name(f"key in {where}" if where else "key", str(key), names))
        kwargs[key] = _convert(hints[key], value, f"{where}.{key}" if where else key)
    return cls(**kwargs)


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin = typing.get_origin(hint)
    if dataclasses.is_dataclass(hint):
        return build(typing.cast(type, hint), value, where)
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        return _convert(next(a for a in typing.get_args(hint) if a is not type(None)), value, where)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ConfigError(f"{where} must be a list, got {value!r}.")
        item = typing.get_args(hint)[0]
        return tuple(_convert(item, v, where) for v in value)
    if origin is not None and origin is not typing.Literal and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise ConfigError(f"{where} must be a mapping, got {value!r}.")
        return {
            str(k): _convert(typing.get_args(hint)[1], v, f"{where}.{k}") for k, v in value.items()
        }
    if hint is float and isinstance(value, str):  # YAML 1.1 reads 1e-3 as a string
        with contextlib.suppress(ValueError):
            value = float(value)
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise ConfigError(f"{where} must be finite, got {value!r}.")
        return float(value)
    if hint is str and isinstance(value, Path):
        value = str(value.absolute())  # a path is never a shipped name
    if hint in (int, bool, str) and type(value) is not hint:
        raise ConfigError(f"{where} must be {hint.__name__}, got {value!r}.")
    if hint is float:
        raise ConfigError(f"{where} must be a number, got {value!r}.")
    return value


def to_dict(config: Any) -> dict[str, Any]:
    """A config as plain YAML/JSON types, the inverse of :func:`build`."""

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {k: plain(v) for k, v in value.items()}
        if isinstance(value, tuple | list):
            return [plain(v) for v in value]
        return value

    return plain(dataclasses.asdict(config))
