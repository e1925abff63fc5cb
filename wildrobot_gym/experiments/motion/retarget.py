"""Retargeting motion files to the robot, one clip file for each motion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wildrobot_gym.errors import MotionError, RunError
from wildrobot_gym.experiments.motion.settings import RetargetFilesSettings
from wildrobot_gym.experiments.motion.sources import read_motions
from wildrobot_gym.files import check_free
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.retarget import RetargetReport, RetargetSettings
from wildrobot_gym.robot import RobotModel


@dataclass(frozen=True)
class RetargetedFiles:
    """Clips that were written.

    Attributes:
        clips: The clips by the file that each was written to.
        reports: Metrics of the retargeted human motion, by source file.
        skipped: Reason for each input that was left out, by name.
    """

    clips: Mapping[Path, MotionClip]
    reports: Mapping[str, RetargetReport]
    skipped: Mapping[str, str]


def retarget_files(
    files: Sequence[str],
    settings: RetargetFilesSettings | None = None,
    *,
    overwrite: bool = False,
) -> RetargetedFiles:
    """Bring human motion, or clips of this robot from other projects, into clip files.

    Args:
        files: Motion files, or folders of them.
        settings: Robot, folder and how to read and scale the motion.
        overwrite: Replace clips that exist. Without it they are skipped.

    Returns:
        The written clips, the retargeting metrics, and the skipped files.

    Raises:
        MotionError: No file could be read.
    """
    settings = settings or RetargetFilesSettings()
    scaling = RetargetSettings(
        time_scale=None if settings.warp else 1.0,
        stride=settings.stride,
        max_turn_rate=settings.max_turn_rate,
    )
    read = read_motions(RobotModel.load(settings.robot), files, settings, scaling)
    written: dict[Path, MotionClip] = {}
    for clip in read.clips:
        # The last part of the name only: a foreign file's name must not lead out of the folder.
        path = settings.out / f"{Path(clip.name).name}.npz"
        try:
            if path in written:
                raise RunError(
                    f"{path} already holds another of these motions."
                    " Rename one, or give each its own --out."
                )
            check_free([path], overwrite)
            clip.save(path)
            written[path] = clip
        except (RunError, MotionError) as error:
            read.skipped[str(path)] = str(error)
    return RetargetedFiles(written, read.reports, read.skipped)
