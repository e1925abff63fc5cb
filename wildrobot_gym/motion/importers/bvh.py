"""Biovision hierarchies (.bvh): CMU's conversions, LAFAN1, 100STYLE, Mixamo, Xsens, SOMA, and
others with a table of joint names.

A joint's rotation from its parent is the product of its rotation channels in their order. Position
channels replace the offset, as in all these sources.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
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
from wildrobot_gym.motion.importers.table import choose_table, plain_name

_TURNS, _SHIFTS = ("Xrotation", "Yrotation", "Zrotation"), ("Xposition", "Yposition", "Zposition")
# A joint's name may have blanks, and may have MOTION in it. It ends where its brace opens.
_MOTION = re.compile(r"(?m)(?:^|(?<=\}))\s*MOTION\b")
_WORDS = re.compile(r"(?:ROOT|JOINT|End)\s[^{}]*|[{}]|[^\s{}]+")
_JUMP = np.radians(
    20.0
)  # in a motion no joint turns so far in one frame and hardly at all in the next ones


@dataclass
class _Joint:
    name: str
    parent: int
    offset: list[float] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)


def load_bvh(path: Path, options: ImportOptions) -> HumanMotion:
    """Load a motion from a .bvh.

    Raises:
        MotionError: The file is truncated, no table of joint names fits, or a value or the frame
            time is out of range. See also `to_human`.
    """
    hierarchy, *rest = _MOTION.split(read_text(path), maxsplit=1)
    joints = _read_hierarchy(path, hierarchy)
    names = tuple(joint.name for joint in joints)
    name, table = choose_table(options.table, "bvh", names, str(path))
    width = sum(len(joint.channels) for joint in joints)
    frame_time, values = _read_motion(path, "".join(rest), width)
    fps = check_fps(
        options.fps or 1.0 / max(frame_time, 1e-9), path, f"Frame Time {frame_time:g} s"
    )
    offsets = np.array([joint.offset for joint in joints])
    rotations, moving, at = [], np.tile(offsets, (len(values), 1, 1)), 0
    for i, joint in enumerate(joints):
        columns = dict(zip(joint.channels, values[:, at : at + len(joint.channels)].T, strict=True))
        at += len(joint.channels)
        turns = [channel for channel in joint.channels if channel in _TURNS]
        angles = (
            np.stack([columns[channel] for channel in turns], axis=-1)
            if turns
            else np.zeros((len(values), 1))
        )
        rotations.append(
            Rotation.from_euler("".join(turn[0] for turn in turns) or "X", angles, degrees=True)
        )
        for axis, channel in enumerate(_SHIFTS):
            if channel in columns:
                moving[:, i, axis] = columns[channel]
    skeleton = Skeleton(names, tuple(joint.parent for joint in joints), offsets)
    notes = [f"joint names: table {name}"]
    if _begins_with_a_pose(rotations):
        rotations, moving = [r[1:] for r in rotations], moving[1:]
        notes.append("the first frame is a pose from which the motion jumps away: left out")
    return to_human(
        Recording(path, skeleton, fps, tuple(rotations), moving, tuple(notes)), table, options
    )


def _read_hierarchy(path: Path, text: str) -> list[_Joint]:
    joints: list[_Joint] = []
    stack: list[int | None] = []  # of open braces: the joint, or None for an end site
    opened: int | None = None
    after_offset = False
    words = iter(" ".join(word.split()) for word in _WORDS.findall(text))
    try:
        if next(words) != "HIERARCHY":
            raise ValueError("it does not begin with HIERARCHY")
        for word in words:
            kind, _, name = word.partition(" ")
            if kind in ("ROOT", "JOINT"):
                if (kind == "ROOT") != (not joints):
                    raise ValueError("it does not have one ROOT, and that first")
                parent = stack[-1] if stack else -1
                if parent is None:
                    raise ValueError(f"the joint {name!r} is in an End Site")
                joints.append(_Joint(plain_name(name), parent))
                opened = len(joints) - 1
            elif kind == "End":
                opened = None
            elif word == "{":
                stack.append(opened)
            elif word == "}":
                stack.pop()
            elif word == "OFFSET":
                offset = [float(next(words)) for _ in range(3)]
                if stack[-1] is not None:
                    joints[stack[-1]].offset = offset
            elif word == "CHANNELS":
                channels = [next(words) for _ in range(int(next(words)))]
                if unknown := [
                    channel for channel in channels if channel not in (*_TURNS, *_SHIFTS)
                ]:
                    raise ValueError(
                        f"channel {unknown[0]!r}; allowed: {', '.join((*_TURNS, *_SHIFTS))}"
                    )
                if len(set(channels)) != len(channels):
                    raise ValueError(f"a channel stands twice in {' '.join(channels)}")
                joints[stack[-1]].channels = channels  # type: ignore[index]
            elif not (after_offset and _is_number(word)):  # SOMA's offsets have angles, too
                raise ValueError(f"unexpected word {word!r}")
            after_offset = word == "OFFSET" or (after_offset and _is_number(word))
        if stack or not joints or not all(joint.offset for joint in joints):
            raise ValueError("a brace or an OFFSET is missing")
    except (StopIteration, ValueError, IndexError, TypeError) as error:
        reason = str(error) or "it ends in the middle"
        raise MotionError(
            f"{path} is truncated or no BVH: {reason}. Download or export it again."
        ) from error
    return joints


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _read_motion(
    path: Path, text: str, width: int
) -> tuple[float, Float[np.ndarray, "time channel"]]:
    words = text.split()
    if len(words) < 5 or words[0] != "Frames:" or words[2:4] != ["Frame", "Time:"]:
        raise MotionError(
            f"{path} is truncated: no MOTION section with Frames and Frame Time. Download or export"
            " it again."
        )
    frames, frame_time = numbers([words[1], words[4]], path, "Frames or Frame Time")
    values = numbers(words[5:], path, "MOTION")
    if len(values) != frames * width:
        raise MotionError(
            f"{path} is truncated or damaged: it says {frames:g} frames of {width} channels,"
            f" {frames * width:g} numbers, and"
            f" has {len(values)}. Download or export it again."
        )
    values = values.reshape(int(frames), width)
    check_finite(values, path, "MOTION")
    return float(frame_time), values


def _begins_with_a_pose(rotations: list[Rotation]) -> bool:
    """Return whether frame 0 is a T-pose or similar that tools put before the motion."""
    if len(rotations[0]) < 4:
        return False
    steps = np.stack([(r[1:12].inv() * r[: len(r[1:12])]).magnitude() for r in rotations]).max(
        axis=0
    )
    return bool(steps[0] > _JUMP and steps[0] > 4.0 * steps[1:].max())
