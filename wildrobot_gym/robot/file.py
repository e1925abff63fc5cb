"""`robot.yaml`: which MJCF or URDF model is a robot, and what the model itself does not say."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from wildrobot_gym import yaml_io
from wildrobot_gym.config import check, check_choice, check_range, convert, convert_fields, number
from wildrobot_gym.errors import ConfigError, RobotError, unknown_name
from wildrobot_gym.paths import ROBOTS

ROBOT_FILE = "robot.yaml"
STAND = "stand"  # a home pose that is solved, not given
TOLERANCE = 2e-3  # m; the measured right leg of WildRobot is 0.1 mm off the left one's image


@dataclass(frozen=True)
class FootSettings:
    """One foot."""

    body: str | None = None
    """The body; by default the one of the foot's name."""
    pads: tuple[str | int, ...] = ()
    """Geoms that touch the floor, by name or by number in the body (from 0); by default all of the
    body's geoms that can collide, or all of them where none can."""

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], where: str) -> FootSettings:
        """From YAML."""
        plain = {key: value for key, value in values.items() if key != "pads"}
        pads = values.get("pads", [])
        right = isinstance(pads, list | tuple) and all(type(pad) in (str, int) for pad in pads)
        check(right, f"{where}.pads", pads, "a list of names or numbers of geoms")
        return cls(**convert_fields(cls, plain, where), pads=tuple(pads))


@dataclass(frozen=True)
class ServoSettings:
    """What drives a joint. A value that is left out is the model's own."""

    kp: float | None = None
    """N*m/rad."""
    kv: float | None = None
    """N*m*s/rad."""
    force_limit: float | None = None
    """N*m."""
    armature: float | None = None
    """kg*m^2; the rotor's inertia at the joint."""
    damping: float | None = None
    """N*m*s/rad, of the joint."""
    friction: float | None = None
    """N*m, dry, of the joint."""
    range: tuple[float, ...] | None = None
    """rad, lowest and highest position of the joint."""

    def __post_init__(self) -> None:
        for name in ("kp", "force_limit"):
            value = getattr(self, name)
            check(value is None or value > 0, f"servos {name}", value, "a positive number")
        for name in ("kv", "armature", "damping", "friction"):
            value = getattr(self, name)
            check(value is None or value >= 0, f"servos {name}", value, "zero or more")
        if self.range is not None:
            check_range("servos range", self.range)


@dataclass(frozen=True)
class HeightSettings:
    """Heights of the base over the floor, m. One that is left out follows from the home pose."""

    target: float | None = None
    """That the reward asks for."""
    min: float | None = None
    """Under which an episode ends."""
    max: float | None = None
    """Over which an episode ends."""

    def __post_init__(self) -> None:
        low, high = self.min, self.max
        fits = low is None or high is None or low < high
        check(fits, "heights", {"min": low, "max": high}, "min < max")


@dataclass(frozen=True)
class OptionSettings:
    """Settings of the simulation. One that is left out is the model's own."""

    timestep: float | None = None
    """s."""
    integrator: str | None = None
    """Euler, implicitfast or RK4."""
    iterations: int | None = None
    """Of the solver."""
    ls_iterations: int | None = None
    """Of the solver's line search."""

    def __post_init__(self) -> None:
        for name in ("timestep", "iterations", "ls_iterations"):
            value = getattr(self, name)
            fits = value is None or 0 < value < 1e6
            check(fits, f"options.{name}", value, "a positive number below a million")
        if self.integrator is not None:
            check_choice("options.integrator", self.integrator, ("Euler", "implicitfast", "RK4"))


@dataclass(frozen=True)
class RobotFile:
    """The content of a `robot.yaml`."""

    model: str
    """MJCF or URDF file, beside this one."""
    name: str | None = None
    """The robot's name; by default the folder's."""
    base: str | None = None
    """Body of the free joint; by default the one that has it."""
    floating: bool = False
    """Whether to add a free joint to the base. A URDF gets one anyway."""
    feet: Mapping[str, FootSettings] = field(default_factory=dict)
    """By the foot's name, in order."""
    joints: tuple[str, ...] = ()
    """Joints that the policy moves, in the model's order; by default all."""
    held: Literal["servo", "weld"] = "servo"
    """What keeps the other joints at home: their servos, or a weld."""
    servos: Mapping[str, ServoSettings] = field(default_factory=dict)
    """By joint, or by a pattern such as `*_knee`; a later one overrides. By default, and where a
    value is left out, the model's own."""
    home: str | Mapping[str, float] | None = None
    """`stand` (solved), a keyframe's name, or rad by joint or pattern. By default the keyframe
    `home`, or `stand` where there is none."""
    imu: str | None = None
    """Site of the IMU; by default the one whose name has `imu` in it, or a new one in the base."""
    symmetry: float | None = TOLERANCE
    """m that left and right may differ; none for a robot that is not symmetric."""
    collisions: Literal["feet", "model"] = "feet"
    """What collides: only the feet with the floor, or whatever the model says."""
    heights: HeightSettings = field(default_factory=HeightSettings)
    options: OptionSettings = field(default_factory=OptionSettings)
    folder: Path = field(default=Path(), compare=False)

    def __post_init__(self) -> None:
        check_choice("held", self.held, ("servo", "weld"))
        check_choice("collisions", self.collisions, ("feet", "model"))
        if twice := sorted({joint for joint in self.joints if self.joints.count(joint) > 1}):
            raise ConfigError(f"joints has {', '.join(twice)} twice; allowed: each joint once.")

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], where: str) -> RobotFile:
        """From YAML: a home of either kind, `symmetry: none`, and a plain list of feet."""
        known = {item.name for item in dataclasses.fields(cls)} - {"folder"}
        for key in values:
            if key not in known:
                raise ConfigError(unknown_name("key", str(key), known))
        plain = {key: value for key, value in values.items() if key != "home"}
        if plain.get("symmetry") == "none":
            plain["symmetry"] = None
        if isinstance(feet := plain.get("feet"), list | tuple):
            if twice := sorted({str(foot) for foot in feet if feet.count(foot) > 1}):
                raise ConfigError(f"feet has {', '.join(twice)} twice; allowed: each foot once.")
            plain["feet"] = {str(foot): {} for foot in feet}
        if isinstance(feet := plain.get("feet"), Mapping):
            plain["feet"] = {str(name): foot or {} for name, foot in feet.items()}
        if not isinstance(plain.get("model"), str):
            raise ConfigError("model is missing: give the name of the MJCF or URDF file.")
        home = values.get("home")
        if isinstance(home, Mapping):
            home = {str(k): number(v, f"home.{k}") for k, v in home.items()}
        elif home is not None:
            home = convert(str, home, "home")
        return cls(**convert_fields(cls, plain, where), home=home)

    @property
    def path(self) -> Path:
        """The model's file."""
        return self.folder / self.model

    @property
    def robot_name(self) -> str:
        """The robot's name."""
        return self.name or self.folder.resolve().name


def read_robot_file(path: Path) -> RobotFile:
    """Read a `robot.yaml`.

    Raises:
        RobotError: it cannot be read, a key is unknown or stands twice, or a value is wrong.
    """
    try:
        values = yaml_io.read(path)
        if not isinstance(values, Mapping):
            raise ConfigError(f"it must be a mapping of settings, got {values!r}.")
        return dataclasses.replace(RobotFile.from_mapping(values, ""), folder=path.parent)
    except ConfigError as error:
        text = str(error) if str(path) in str(error) else f"{path}: {error}"
        raise RobotError(f"{text} `wildrobot robot init` writes a first {ROBOT_FILE}.") from error


def shipped_robots() -> list[str]:
    """Names of the robots that come with the package."""
    return sorted(path.parent.name for path in ROBOTS.glob(f"*/{ROBOT_FILE}"))


def find_robot_file(robot: str | Path) -> Path:
    """The `robot.yaml` of a robot: a shipped robot's name, or the path of it or of its folder.

    A shipped name wins over a folder of that name in the working directory; `./wildrobot` names the
    folder.

    Raises:
        RobotError: there is no such robot.
    """
    shipped = shipped_robots()
    path = ROBOTS / robot if robot in shipped else Path(robot)
    if path.suffix in (".yaml", ".yml") and path.is_file():
        return path
    if (path / ROBOT_FILE).is_file():
        return path / ROBOT_FILE
    hint = ""
    if path.suffix.lower() in (".xml", ".urdf") and path.is_file():
        hint = f" Write its {ROBOT_FILE} with `wildrobot robot init {path}`."
    raise RobotError(
        unknown_name("robot", str(robot), shipped)
        + (hint or f" Or give a folder that holds a {ROBOT_FILE}.")
    )
