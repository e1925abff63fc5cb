"""Tables of joint names: which joint of a file is which key body.

YAML in `configs/skeletons`, or a user's own.

Keys:

- `format`: asf, bvh, smpl or deepmimic.
- `bodies`: joint of the file for each key body.
- `source` and `licence`: for the credits.
- `signature`: joints that tell this source's files from others that have the same bodies.
- `fps`: for a format whose files do not give it.
- `stand`: degrees about a joint's own x, y, z, if the skeleton does not stand upright at zero.
- `joints`: for a format whose files have no names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from wildrobot_gym import yaml_io
from wildrobot_gym.config import build
from wildrobot_gym.errors import ConfigError, MotionError, unknown_name
from wildrobot_gym.motion.human import KEY_BODIES, REQUIRED_BODIES
from wildrobot_gym.paths import CONFIGS

TABLES = CONFIGS / "skeletons"
# What tools put before a name: a namespace such as Maya's `actor:`, or Mixamo's in its variants.
_PREFIX = re.compile(r"^(?:.*:|mixamorig\d*_?)")


@dataclass(frozen=True)
class Joint:
    """A joint of a format whose files have no names.

    Attributes:
        name: Its name.
        parent: Name of its parent; None for the root.
        offset: Position in the parent's frame.
        columns: How many numbers a frame has for it.
    """

    name: str = ""
    parent: str | None = None
    offset: tuple[float, ...] = (0.0, 0.0, 0.0)
    columns: int = 0


@dataclass(frozen=True)
class NameTable:
    """A table of joint names; the module's text explains the fields."""

    format: str = ""
    bodies: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    licence: str = ""
    signature: tuple[str, ...] = ()
    fps: float | None = None
    stand: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    joints: tuple[Joint, ...] = ()

    @property
    def joint_names(self) -> tuple[str, ...]:
        return tuple(joint.name for joint in self.joints)

    @property
    def joint_parents(self) -> tuple[int, ...]:
        """Index of each joint's parent; -1 for the root."""
        return tuple(
            -1 if joint.parent is None else self.joint_names.index(joint.parent)
            for joint in self.joints
        )

    def missing(self, names: Iterable[str]) -> list[str]:
        """Return the joints of required bodies that are not among `names`."""
        return sorted({self.bodies[body] for body in REQUIRED_BODIES} - set(names))

    def indices(self, names: tuple[str, ...]) -> dict[str, int]:
        """Return the column of each key body that the file has, in the order of `KEY_BODIES`."""
        return {b: names.index(self.bodies[b]) for b in KEY_BODIES if self.bodies.get(b) in names}


def plain_name(name: str) -> str:
    """Return a joint's name without namespace, blanks and underscores: `actor:Left Foot` is
    `LeftFoot`.
    """
    return re.sub(r"[\s_]", "", _PREFIX.sub("", name)) or name


def shipped_tables(format: str) -> dict[str, NameTable]:
    """Return the tables for `format` by name."""
    tables = {path.stem: read_table(path) for path in sorted(TABLES.glob("*.yaml"))}
    return {name: table for name, table in tables.items() if table.format == format}


def read_table(path: Path) -> NameTable:
    """Read a table from its YAML file.

    Raises:
        MotionError: The file is unreadable, has unknown keys, or has unknown or missing bodies.
    """
    try:
        table = build(NameTable, yaml_io.read(path))
    except ConfigError as error:
        raise MotionError(f"{path} is no table of joint names: {error}") from error
    if missing := [body for body in REQUIRED_BODIES if body not in table.bodies]:
        raise MotionError(
            f"{path}: bodies has no {', '.join(missing)}; needed are {', '.join(REQUIRED_BODIES)}."
        )
    if unknown := [body for body in table.bodies if body not in KEY_BODIES]:
        raise MotionError(f"{path}: {unknown_name('body', unknown[0], KEY_BODIES)}")
    for joint, degrees in table.stand.items():
        if len(degrees) != 3:
            raise MotionError(
                f"{path}: stand.{joint} is {list(degrees)}; allowed: degrees about x, y and z."
            )
    if table.format != "bvh":
        return table
    return replace(
        table,
        bodies={body: plain_name(joint) for body, joint in table.bodies.items()},
        signature=tuple(map(plain_name, table.signature)),
        stand={plain_name(joint): degrees for joint, degrees in table.stand.items()},
    )


def choose_table(
    asked: str | Path | None, format: str, names: tuple[str, ...], where: str
) -> tuple[str, NameTable]:
    """Return the table asked for, or the shipped one whose joints are all in the file, with its
    name. Of several, the one with most bodies is chosen, then the one with most of its signature.

    Raises:
        MotionError: No table fits. The message has the file's joints and those of the nearest
            table.
    """
    tables = shipped_tables(format)
    if asked is not None:
        name = str(asked)
        if name not in tables and not Path(asked).suffix:
            raise MotionError(
                f"{where}: {unknown_name('table', name, tables)} Or give a path to a .yaml."
            )
        tables = {name: tables[name] if name in tables else read_table(Path(asked))}

    def misfit(item: tuple[str, NameTable]) -> tuple[int, int, int]:
        table = item[1]
        signed = len(set(table.signature) & set(names))
        return len(table.missing(names)), -len(table.indices(names)), -signed

    name, table = min(tables.items(), key=misfit)
    if missing := table.missing(names):
        raise MotionError(
            f"{where} does not have the joints of table"
            f" {name!r}{'' if asked else ', the nearest one'}."
            f" Missing: {', '.join(missing)}. {unknown_name('joint', missing[0], names)}"
            f" Pass a table of your own: copy one of {TABLES}/*.yaml and put the file's names into"
            " it."
        )
    return name, table
