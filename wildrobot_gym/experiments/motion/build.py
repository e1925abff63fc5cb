"""Making walks with the gait generator."""

from __future__ import annotations

import math
from collections.abc import Sequence

from wildrobot_gym.errors import ConfigError, unknown_name
from wildrobot_gym.experiments.datasets import report_file, write_without_report
from wildrobot_gym.experiments.motion.settings import BuildSettings
from wildrobot_gym.experiments.motion.written import WrittenClips
from wildrobot_gym.files import check_free
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.gait.build import (
    WALK_SPEEDS,
    build_clips,
    build_kinds,
    commanded_clip,
    default_reference_path,
)
from wildrobot_gym.motion.gait.kinds import KINDS, at_rest_around
from wildrobot_gym.robot import RobotModel

WALK, ALL = "walk", "all"


def build_walks(settings: BuildSettings | None = None, *, overwrite: bool = False) -> WrittenClips:
    """Make walks with the gait generator and write them into a reference file.

    Args:
        settings: Robot, kinds, speeds or commands, and file.
        overwrite: Replace the file if it exists.

    Returns:
        The file and its clips.

    Raises:
        ConfigError: Other walks than the shipped ones were asked for without a file, or there is
            no such kind or command.
        MotionError: The robot's legs cannot reach the feet of a walk.
        RunError: The file exists.
    """
    settings = settings or BuildSettings()
    own = (settings.speeds, settings.kinds, settings.commands) != (None, None, None)
    if settings.out is None and (own or not settings.mirror):
        raise ConfigError(
            "Other walks than the shipped ones need their own file. Name it with --out."
        )
    kinds = _kinds(settings)
    robot = RobotModel.load(settings.robot)
    path = settings.out or default_reference_path(robot.name)
    if settings.out is None and not path.is_file():
        raise ConfigError(
            f"No walks of {robot.name!r} are shipped, so they have no default file. Name one with"
            " --out."
        )
    check_free([path, report_file(path)], overwrite)
    mirror = settings.mirror and robot.mirror is not None
    clips: list[MotionClip] = []
    if WALK in kinds:
        own_speeds = [round(speed * robot.speed_scale, 3) for speed in WALK_SPEEDS]
        clips += build_clips(robot, settings.speeds or own_speeds, mirror)
    clips += build_kinds(robot, [kind for kind in kinds if kind != WALK], mirror)
    if settings.commands is not None:
        made = commanded_clip(
            robot, at_rest_around([(settings.hold, command) for command in settings.commands])
        )
        clips += [made, made.mirrored(robot)] if mirror else [made]
    return WrittenClips(write_without_report(path, clips), clips)


def _kinds(settings: BuildSettings) -> Sequence[str]:
    """Return the kinds to make, checked together with the commands."""
    known = (WALK, *KINDS)
    kinds = settings.kinds or ((WALK,) if settings.commands is None else ())
    if ALL in kinds:
        kinds = known
    if unknown := [kind for kind in kinds if kind not in known]:
        raise ConfigError(unknown_name("kind of motion", unknown[0], (*known, ALL)))
    if settings.speeds is not None and WALK not in kinds:
        raise ConfigError("speeds are those of straight walks. Add walk to kinds.")
    for command in settings.commands or ():
        if not all(math.isfinite(part) for part in command):
            raise ConfigError(f"A command is {command}; allowed: finite m/s, m/s and rad/s.")
    if not (settings.hold > 0.0 and math.isfinite(settings.hold)):
        raise ConfigError(f"hold is {settings.hold}; allowed: a positive number of seconds.")
    return kinds
