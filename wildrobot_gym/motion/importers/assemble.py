"""From a recording in a file's own axes and names to a `HumanMotion`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from wildrobot_gym.motion.human import HumanMotion
from wildrobot_gym.motion.import_options import ImportOptions
from wildrobot_gym.motion.importers.axes import Axes, Points, find_axes, least_turn
from wildrobot_gym.motion.importers.floor import level
from wildrobot_gym.motion.importers.skeleton import Recording
from wildrobot_gym.motion.importers.table import NameTable

_DOWN = np.array([0.0, 0.0, -1.0])


def to_human(recording: Recording, table: NameTable, options: ImportOptions) -> HumanMotion:
    """Convert a recording to key bodies in z-up meters, with rotations from the upright pose that
    faces +x.

    Raises:
        MotionError: Units, axes or facing cannot be found out, there are too few frames, or a value
            is not finite.
    """
    where, skeleton = str(recording.path), recording.skeleton
    part = options.part(len(recording.offsets), recording.fps, where)
    positions, turns = skeleton.pose(
        [r[part] for r in recording.rotations], recording.offsets[part]
    )
    rest_positions, rest_turns = skeleton.standing(table.stand)
    columns = table.indices(skeleton.names)
    rest = {body: rest_positions[i] for body, i in columns.items()}
    axes = find_axes(rest, {body: positions[:, i] for body, i in columns.items()}, options, where)
    straight = _straightened({body: axes.rest.apply(point) for body, point in rest.items()})
    rotations = [
        # World of the file <- segment <- rest pose of the file <- upright pose that faces +x.
        axes.world
        * turns[i]
        * rest_turns[i].inv()
        * axes.rest.inv()
        * straight.get(body, Rotation.identity()).inv()
        for body, i in columns.items()
    ]
    positions = axes.scale * axes.world.apply(positions.reshape(-1, 3)).reshape(positions.shape)
    motion = HumanMotion(
        name=recording.path.stem,
        fps=recording.fps,
        body_names=tuple(columns),
        positions=positions[:, list(columns.values())],
        rotations=np.stack([r.as_quat(scalar_first=True) for r in rotations], axis=1),
        source=table.source if options.source is None else options.source,
        licence=table.licence if options.license is None else options.license,
    )
    motion = replace(motion, notes=(*recording.notes, *_notes(axes, motion))).check(where)
    return level(motion) if options.level else motion


def _straightened(rest: Points) -> dict[str, Rotation]:
    """Return what turns each leg segment from the file's rest pose to straight legs and flat feet.

    CMU's skeletons rest with legs 20 degrees apart and tilted feet. Thighs and shins are turned
    until they hang down. Feet only follow the shin's sideways tilt, since their own slope is a
    standing foot's.
    """
    turns = {}
    for side in ("left", "right"):
        hip, knee, ankle = (rest[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle"))
        turns[f"{side}_hip"] = least_turn(knee - hip, _DOWN)
        turns[f"{side}_knee"] = least_turn(ankle - knee, _DOWN)
        turns[f"{side}_ankle"] = turns[f"{side}_toe"] = least_turn(
            (ankle - knee) * np.array([0.0, 1.0, 1.0]), _DOWN
        )
    return turns


def _notes(axes: Axes, motion: HumanMotion) -> tuple[str, ...]:
    way = motion.position("pelvis")[-1] - motion.position("pelvis")[0]
    speed = np.hypot(way[0], way[1]) / motion.duration_s
    return (
        *axes.notes,
        f"{motion.num_frames} frames at {motion.fps:g} fps, {motion.duration_s:.2f} s, {speed:.2f}"
        " m/s on the way",
    )
