"""Making clips endless."""

from __future__ import annotations

from collections.abc import Sequence

from wildrobot_gym.errors import MotionError
from wildrobot_gym.experiments.datasets import report_file, write_without_report
from wildrobot_gym.experiments.motion.settings import LoopSettings
from wildrobot_gym.experiments.motion.sources import read_motions
from wildrobot_gym.experiments.motion.written import WrittenClips, require_clips
from wildrobot_gym.files import check_free
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.clip_names import check_names, without_images
from wildrobot_gym.motion.tracking import TrackSettings, endless_clips
from wildrobot_gym.robot import RobotModel


def loop_files(
    files: Sequence[str], settings: LoopSettings | None = None, *, overwrite: bool = False
) -> WrittenClips:
    """Loop every clip in all its variants, and write them into one reference file.

    Args:
        files: Clips, reference files, shipped references, or human motion.
        settings: Robot, file and variants.
        overwrite: Replace the file if it exists.

    Returns:
        The file, its clips, and the skipped inputs.

    Raises:
        MotionError: No clip could be looped, or two have one name.
        RunError: The file exists.
    """
    settings = settings or LoopSettings()
    variants = TrackSettings(
        duration_s=settings.duration,
        loops=settings.loops,
        warps=settings.warps,
        turns=settings.turns,
        mirror=settings.mirror,
    )
    robot = RobotModel.load(settings.robot)
    check_free([settings.out, report_file(settings.out)], overwrite)
    read = read_motions(robot, files, settings)
    check_names(read.clips)
    made: list[MotionClip] = []
    for clip in without_images(read.clips) if settings.mirror else read.clips:
        try:
            made += endless_clips(robot, clip, variants)
        except MotionError as error:
            read.skipped[clip.name] = str(error)
    require_clips(made, "loop")
    return WrittenClips(write_without_report(settings.out, made), made, read.skipped)
