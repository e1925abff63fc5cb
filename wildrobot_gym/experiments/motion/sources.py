"""Reading clips from files of all kinds: motion capture, other projects' robot clips, and reference
files.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wildrobot_gym.errors import ConfigError, MotionError
from wildrobot_gym.motion import clip_files, importers, storage
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.clip_files import load_clips
from wildrobot_gym.motion.human import HumanMotion
from wildrobot_gym.motion.importers import ImportOptions
from wildrobot_gym.motion.retarget import RetargetReport, RetargetSettings, retarget
from wildrobot_gym.paths import motion_file
from wildrobot_gym.robot import RobotModel

_log = logging.getLogger(__name__)


@dataclass
class MotionSources:
    """What was read from a list of files.

    Attributes:
        clips: The clips of all files that could be read.
        reports: Metrics of the retargeted files, by path.
        humans: The human motion that each retargeted clip is from, by the clip's name.
        skipped: Reason for each file that was left out, by name.
    """

    clips: list[MotionClip] = field(default_factory=list)
    reports: dict[str, RetargetReport] = field(default_factory=dict)
    humans: dict[str, HumanMotion] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


def read_motions(
    robot: RobotModel,
    names: Sequence[str],
    options: ImportOptions,
    settings: RetargetSettings | None = None,
) -> MotionSources:
    """Read the clips of files, folders and shipped references.

    Human motion is retargeted to the robot, and a clip beyond its bars is logged. A file that
    cannot be read is skipped, with the reason.

    Args:
        robot: The robot that the clips are for.
        names: Files and folders in any importer's format, reference files, or shipped names.
        options: How to read the files.
        settings: How to retarget human motion.

    Returns:
        The clips, the retargeting metrics, and the skipped files.

    Raises:
        MotionError: `names` is empty, or no file could be read.
    """
    if not names:
        raise MotionError(
            f"Name the motion files, or folders of them; allowed: {', '.join(importers.SUFFIXES)}."
        )
    read = MotionSources()
    for name in names:
        try:
            is_reference = storage.kind_of(motion_file(name)) == clip_files.KIND
            paths = [motion_file(name)] if is_reference else importers.find([name])
        except MotionError as error:
            read.skipped[name] = str(error)
            continue
        for path in paths:
            try:
                _read_one(robot, path, options, settings, read)
            except (MotionError, ConfigError) as error:
                read.skipped[str(path)] = str(error)
    if not read.clips:
        raise MotionError("No motion could be read. " + " ".join(read.skipped.values()))
    return read


def _read_one(
    robot: RobotModel,
    path: Path,
    options: ImportOptions,
    settings: RetargetSettings | None,
    read: MotionSources,
) -> None:
    if storage.kind_of(path) == clip_files.KIND:
        options.take_whole(path)
        read.clips += load_clips(path, robot)
        return
    motion = importers.load(path, options)
    if isinstance(motion, HumanMotion):
        retargeted = retarget(robot, motion, settings)
        read.reports[str(path)] = retargeted.report
        if warning := retargeted.report.warning:
            _log.warning("%s: %s", path.name, warning)
        read.humans[retargeted.clip.name] = motion
        motion = retargeted.clip
    read.clips.append(motion.check(robot, str(path)))
