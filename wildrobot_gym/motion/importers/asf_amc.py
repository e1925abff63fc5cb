"""Acclaim's skeleton (.asf) and motion (.amc), the format of CMU's motion capture.

An .asf names bones, each with a direction and a length in the rest pose (in the skeleton's world
axes) and an axis frame. An .amc gives each bone's angles in that frame. A bone's rotation from the
rest pose is C R C^-1, relative to its parent. A bone starts where its parent ends. The joint there
has the bone's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.human import HumanMotion
from wildrobot_gym.motion.import_options import ImportOptions
from wildrobot_gym.motion.importers.assemble import to_human
from wildrobot_gym.motion.importers.reading import check_finite, check_fps, numbers, read_text
from wildrobot_gym.motion.importers.skeleton import Recording, Skeleton
from wildrobot_gym.motion.importers.table import choose_table

_ROOT = "root"
_ANGLES, _SHIFTS = ("rx", "ry", "rz"), ("tx", "ty", "tz")


@dataclass(frozen=True)
class _Bone:
    """A bone.

    Attributes:
        end: Its end relative to its start, in the rest pose.
        axis: The frame of its angles.
        dof: The columns that the .amc has for it.
    """

    end: Float[np.ndarray, "3"]
    axis: Rotation
    dof: tuple[str, ...]


def load_amc(path: Path, options: ImportOptions) -> HumanMotion:
    """Load a motion from an .amc and the .asf beside it.

    The .asf has the subject's number before the `_`, or is the only one there.

    Raises:
        MotionError: There is no .asf, a file is truncated, the bones of the two differ, or a value
            is not finite; see also `to_human`.
    """
    asf = _find_asf(path, options)
    bones, parents, degrees = _read_asf(asf)
    names = tuple(bones)
    table_name, table = choose_table(options.table, "asf", names, str(asf))
    columns = _read_amc(path, bones)
    fps = options.fps or table.fps
    if fps is None:
        raise MotionError(
            f"{path}: an .amc does not say its frame rate, and the table of joint names has none."
            " Pass fps."
        )
    offsets = np.stack(
        [bones[parent].end if parent else np.zeros(3) for parent in parents.values()]
    )
    moving = np.tile(offsets, (len(columns[_ROOT]), 1, 1))
    moving[:, 0] = columns[_ROOT][:, [bones[_ROOT].dof.index(dof) for dof in _SHIFTS]]
    skeleton = Skeleton(
        names, tuple(names.index(parent) if parent else -1 for parent in parents.values()), offsets
    )
    rotations = tuple(
        _rotation(bones[name], columns.get(name), len(moving), degrees) for name in names
    )
    notes = (
        f"skeleton: {asf.name}, joint names: table {table_name}",
        f"frame rate: {fps:g} fps"
        f" {'as given' if options.fps else 'from the table, since the file has none'}",
    )
    return to_human(
        Recording(path, skeleton, check_fps(fps, path, "fps"), rotations, moving, notes),
        table,
        options,
    )


def _rotation(bone: _Bone, columns: np.ndarray | None, frames: int, degrees: bool) -> Rotation:
    """Return the rotation from the parent, in the skeleton's world axes."""
    used = [i for i, dof in enumerate(bone.dof) if dof in _ANGLES]
    if columns is None or not used:
        return Rotation.identity(frames)
    order = "".join(bone.dof[i][1] for i in used)  # one after the other, about fixed axes
    return (
        bone.axis * Rotation.from_euler(order, columns[:, used], degrees=degrees) * bone.axis.inv()
    )


def _find_asf(path: Path, options: ImportOptions) -> Path:
    if options.skeleton is not None:
        return Path(options.skeleton)
    found = sorted(path.parent.glob("*.asf"))
    wanted = [asf for asf in found if asf.stem in (path.stem.split("_")[0], path.stem)]
    if not wanted and len(found) != 1:
        raise MotionError(
            f"{path} needs its skeleton: {path.stem.split('_')[0]}.asf, or one only .asf in"
            f" {path.parent}; there are"
            f" {[asf.name for asf in found]}. Put it there, or pass skeleton."
        )
    return (wanted or found)[0]


def _read_asf(path: Path) -> tuple[dict[str, _Bone], dict[str, str], bool]:
    """Return the bones (parents first), each bone's parent (the root's is ""), and whether angles
    are in degrees.
    """
    sections: dict[str, list[list[str]]] = {}
    for line in read_text(path).splitlines():
        words = line.split("#")[0].split()
        if words and words[0].startswith(":"):
            section = sections.setdefault(words[0].lower(), [])
        elif words and sections:
            section.append(words)
    try:
        degrees = (
            dict(words[:2] for words in sections[":units"]).get("angle", "deg").startswith("deg")
        )
        root = {words[0]: words[1:] for words in sections[":root"]}
        axis = _frame([*root["orientation"], *root["axis"]], degrees)
        bones = {_ROOT: _Bone(np.zeros(3), axis, tuple(word.lower() for word in root["order"]))}
        for block in _blocks(sections[":bonedata"]):
            entries = {words[0]: words[1:] for words in block}
            end = float(entries["length"][0]) * numbers(
                entries["direction"], path, "a direction"
            ).reshape(3)
            dof = tuple(word.lower() for word in entries.get("dof", ()))
            bones[entries["name"][0]] = _Bone(end, _frame(entries["axis"], degrees), dof)
        children = {
            words[0]: words[1:] for block in _blocks(sections[":hierarchy"]) for words in block
        }
        parents = {_ROOT: ""}
        order = [_ROOT]
        for name in order:  # grows during the loop
            new = [child for child in children.get(name, ()) if child not in order]
            order += new
            parents |= dict.fromkeys(new, name)
        bones = {name: bones[name] for name in order}
        if not set(_SHIFTS) <= set(bones[_ROOT].dof):
            raise ValueError(f"root order {bones[_ROOT].dof}; it must have TX, TY and TZ")
        if unknown := [dof for name in order[1:] for dof in bones[name].dof if dof not in _ANGLES]:
            raise ValueError(
                f"degree of freedom {unknown[0]!r} of a bone; allowed: {', '.join(_ANGLES)}"
            )
    except (KeyError, ValueError, IndexError) as error:
        raise MotionError(
            f"{path} is truncated or no Acclaim skeleton ({type(error).__name__}: {error})."
            " Download it again."
        ) from error
    return bones, parents, degrees


def _blocks(lines: list[list[str]]) -> list[list[list[str]]]:
    """Return the lines between each `begin` and `end`."""
    blocks: list[list[list[str]]] = []
    for words in lines:
        if words[0] == "begin":
            blocks.append([])
        elif words[0] != "end":
            blocks[-1].append(words)
    return blocks


def _frame(words: list[str], degrees: bool) -> Rotation:
    """Read three angles and their order, about fixed axes."""
    angles = [float(word) for word in words[:3]]
    if not np.isfinite(angles).all():
        raise ValueError(f"the angles {' '.join(words[:3])}; allowed: finite numbers")
    return Rotation.from_euler(words[3].lower(), angles, degrees=degrees)


def _read_amc(path: Path, bones: Mapping[str, _Bone]) -> dict[str, Float[np.ndarray, "time dof"]]:
    """Return the columns of each bone that moves.

    All frames must hold the same bones in the same order.
    """
    lines = [line for line in read_text(path).splitlines() if line.strip() and line[0] not in "#:"]
    words = " ".join(lines).split()
    starts = [i for i, line in enumerate(lines) if line.strip().isdigit()]
    first = (
        [line.split() for line in lines[1 : starts[1] if len(starts) > 1 else None]]
        if starts[:1] == [0]
        else []
    )
    if {entry[0]: len(entry) - 1 for entry in first} != {
        name: len(bone.dof) for name, bone in bones.items() if bone.dof
    }:
        raise MotionError(
            f"{path} does not fit its skeleton, is truncated, or no .amc. Its first frame has"
            f" {[entry[0] for entry in first]},"
            f" the .asf moves {[name for name, bone in bones.items() if bone.dof]}. Pass the"
            " subject's own .asf as skeleton."
        )
    width = 1 + sum(len(entry) for entry in first)
    if len(words) % width:
        raise MotionError(
            f"{path} is truncated in frame {len(words) // width + 1}."
            " Download it again, or delete what follows."
        )
    table = np.array(words).reshape(-1, width)
    columns, at = {}, 1
    for entry in first:
        if (odd := table[:, at] != entry[0]).any():
            raise MotionError(
                f"{path}: frame {int(odd.argmax()) + 1} does not have bone {entry[0]!r} in its"
                " place."
                " Repair the file."
            )
        values = numbers(
            table[:, at + 1 : at + len(entry)].ravel(), path, f"bone {entry[0]!r}"
        ).reshape(len(table), -1)
        check_finite(values, path, f"bone {entry[0]!r}")
        columns[entry[0]], at = values, at + len(entry)
    return columns
