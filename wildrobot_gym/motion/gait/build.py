"""Clips of the generator: straight walks at several speeds and in several styles, and walks in
other directions that follow commands.

The straight ones are the shipped synthetic reference. The generator can also stand, and walk at up
to 1.0 m/s. That reference leaves out both. Clips of standing would reward a robot that stands when
it should walk, and faster walks need more torque than the servos have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.clip_files import save_clips
from wildrobot_gym.motion.gait.commanded import CommandedWalk, commanded_walk
from wildrobot_gym.motion.gait.cycle import walk_cycle
from wildrobot_gym.motion.gait.kinds import KINDS, Part, planned
from wildrobot_gym.motion.gait.schedule import RATE, Schedule
from wildrobot_gym.motion.gait.shape import GaitStyle
from wildrobot_gym.motion.gait.stand import stand_poses
from wildrobot_gym.paths import MOTIONS
from wildrobot_gym.robot import RobotModel

WALK_SPEEDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)  # m/s
STYLES = {
    "plain": GaitStyle(),
    "quick": GaitStyle(cadence=1.08, heel=0.92, lean=0.01),
    "long": GaitStyle(cadence=0.97, clearance=0.9, heel=1.08),
}
FPS = 50.0  # the control rate
WALK_S, STAND_S = 6.0, 5.0
SOURCE = (
    "wildrobot_gym.motion.gait: made for this robot from a linear inverted pendulum,"
    " inverse dynamics and IK"
)
LICENCE = "same as the project"


def stand_clip(robot: RobotModel) -> MotionClip:
    """Make a clip of standing, with the slow sway of a body that ankles and hips hold upright."""
    time = np.arange(int(STAND_S * FPS) + 1) / FPS
    qpos, forces = stand_poses(robot, time)
    return _clip(robot, "stand", qpos, forces, 0.0, {"kind": "stand"})


def walk_clip(robot: RobotModel, speed: float, style: str = "plain") -> MotionClip:
    """Make a straight walk.

    Args:
        robot: The robot.
        speed: Speed, in m/s.
        style: A key of `STYLES`.

    Returns:
        The clip, at 50 Hz.

    Raises:
        MotionError: The generator cannot make this walk.
    """
    cycle = walk_cycle(robot, speed, STYLES[style])
    time = np.arange(int(WALK_S * FPS) + 1) / FPS
    qpos, forces = cycle.at(time)
    about = {
        "kind": "walk",
        "style": style,
        "period_s": cycle.period_s,
        "duty": cycle.shape.duty,
        "clearance": round(cycle.clearance, 5),
    }
    return _clip(robot, f"walk_{speed:.2f}_{style}", qpos, forces, speed, about)


def build_clips(
    robot: RobotModel, speeds: Sequence[float] = WALK_SPEEDS, mirror: bool = True
) -> list[MotionClip]:
    """Make walks in all styles; the defaults are those of the synthetic reference.

    Args:
        robot: The robot.
        speeds: Speeds, in m/s.
        mirror: Whether to add the mirror image after each clip.

    Returns:
        The clips.
    """
    clips = [walk_clip(robot, speed, style) for speed in speeds for style in STYLES]
    return [image for clip in clips for image in (clip, clip.mirrored(robot))] if mirror else clips


def commanded_clip(
    robot: RobotModel, parts: Sequence[Part], name: str = "course", kind: str = "course"
) -> MotionClip:
    """Make a clip that follows commands, held one after the other.

    Args:
        robot: The robot.
        parts: Duration in s and command (vx m/s, vy m/s, yaw rate rad/s) of each part. The first
            and the last one stand; `kinds.at_rest_around` adds them.
        name: Name of the clip.
        kind: Kind of the motion, for its metadata.

    Returns:
        The clip, at 50 Hz, with the command of each frame.

    Raises:
        MotionError: The legs cannot reach the feet.
    """
    return clip_of_walk(
        robot, commanded_walk(robot, Schedule.of(parts), f"Motion {name!r}"), name, kind
    )


def clip_of_walk(robot: RobotModel, walk: CommandedWalk, name: str, kind: str) -> MotionClip:
    """Return a commanded walk as a clip at 50 Hz."""
    every = slice(None, None, round(RATE / FPS))
    commands = walk.schedule.commands[every].round(4)
    about = {"kind": kind, "period_s": walk.period}
    made = _clip(robot, name, walk.qpos[every], walk.pad_forces[every], 0.0, about)
    vx, vy, turn = (round(float(v), 4) for v in commands.mean(axis=0))
    return replace(made, command=(vx, vy, turn), commands=commands)


def build_kinds(
    robot: RobotModel, kinds: Sequence[str] = tuple(KINDS), mirror: bool = True
) -> list[MotionClip]:
    """Make the clips of some kinds of `KINDS`.

    Args:
        robot: The robot.
        kinds: The kinds.
        mirror: Whether to add the mirror image after each clip.

    Returns:
        The clips.

    Raises:
        MotionError: There is no such kind, or a clip is out of the legs' reach.
    """
    clips = [
        commanded_clip(robot, parts, name, kind) for kind, name, parts in planned(robot, kinds)
    ]
    return [image for clip in clips for image in (clip, clip.mirrored(robot))] if mirror else clips


def default_reference_path(robot: str) -> Path:
    """Return the file of the shipped synthetic reference for the robot with that name."""
    suffix = robot.removeprefix("wildrobot").strip("_")
    return MOTIONS / ("_".join(filter(None, ("walk_synthetic", suffix))) + ".npz")


def _clip(
    robot: RobotModel,
    name: str,
    qpos: np.ndarray,
    forces: np.ndarray,
    speed: float,
    metadata: dict[str, object],
) -> MotionClip:
    return MotionClip(
        name=name,
        robot=robot.name,
        fps=FPS,
        joint_names=robot.joint_names,
        # Rounded well below what matters (10 um, 10 urad, 1 mN), so that the file compresses.
        root_pos=qpos[:, :3].round(5),
        root_quat=qpos[:, 3:7].round(6),
        joint_pos=qpos[:, 7:].round(5),
        pad_forces=forces.round(3),
        command=(speed, 0.0, 0.0),
        source=SOURCE,
        licence=LICENCE,
        metadata=metadata,
    )


if __name__ == "__main__":
    for shipped in ("wildrobot", "wildrobot_8dof"):
        print(save_clips(default_reference_path(shipped), build_clips(RobotModel.load(shipped))))
