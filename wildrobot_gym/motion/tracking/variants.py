"""The variants of a clip: how it repeats, how fast, turned or not, mirrored or not."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.clip_names import MIRRORED
from wildrobot_gym.motion.tracking.legs import read_legs
from wildrobot_gym.motion.tracking.loop import endless, turned
from wildrobot_gym.motion.tracking.performance import Variant
from wildrobot_gym.motion.tracking.settings import TrackSettings
from wildrobot_gym.robot import RobotModel


def variants(
    robot: RobotModel, clip: MotionClip, settings: TrackSettings
) -> Iterator[tuple[Variant, MotionClip]]:
    """Yield every variant of a clip from its first frame, with the clip to loop for it.

    Raises:
        MotionError: The clip does not fit the robot.
    """
    legs, clip = read_legs(robot), clip.check(robot)
    mirrors = (False, True) if settings.mirror else (False,)
    for how, warp, turn, mirrored in itertools.product(
        settings.loops, settings.warps, settings.turns, mirrors
    ):
        source = turned(replace(clip, fps=clip.fps * warp, qvel=None), legs, turn)
        yield (
            Variant(how, warp, turn, mirrored, 0.0),
            source.mirrored(robot) if mirrored else source,
        )


def endless_clips(robot: RobotModel, clip: MotionClip, settings: TrackSettings) -> list[MotionClip]:
    """Loop every variant of a clip for `settings.duration_s`, for a tracking policy to learn and
    perform.

    The metadata keep only `motion_id`, `variant` and `kind`, since metrics of a performed clip are
    not true of its loop. A command is the clip's command times the warp. It
    leaves out the effect of turns and pauses.

    Args:
        robot: The robot.
        clip: The clip.
        settings: The variants.

    Returns:
        The looped clips.

    Raises:
        MotionError: The clip does not fit the robot, or has no cycle and no other loop is allowed.
    """
    made = []
    for variant, source in variants(robot, clip, settings):
        loop = endless(robot, source, variant.loop, settings.blend_s, settings.duration_s)
        if loop is None:
            continue
        about = {"motion_id": clip.motion_id, "variant": variant.description()}
        about |= {name: clip.metadata[name] for name in ("kind",) if name in clip.metadata}
        mirror = MIRRORED if variant.mirrored else ""
        name = f"{clip.name}{mirror}_{variant.loop}_{variant.warp:g}_{variant.turn:g}"
        vx, vy, yaw_rate = (variant.warp * speed for speed in source.command)
        if loop.commands is not None:
            commands = variant.warp * loop.commands
            loop = replace(loop, commands=commands)
            vx, vy, yaw_rate = map(float, commands.mean(axis=0))
        made.append(replace(loop, name=name, command=(vx, vy, yaw_rate), metadata=about))
    if not made:
        raise no_cycle(clip)
    return made


def no_cycle(clip: MotionClip) -> MotionError:
    """Return the error for a clip that has no variant."""
    return MotionError(
        f"Clip {clip.name!r} never comes back to where it was; allow tracking.loops 'neutral'."
    )
