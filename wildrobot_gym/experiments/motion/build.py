"""Making walks with the gait generator."""

from __future__ import annotations

from wildrobot_gym.errors import ConfigError
from wildrobot_gym.experiments.datasets import report_file, write_without_report
from wildrobot_gym.experiments.motion.settings import BuildSettings
from wildrobot_gym.experiments.motion.written import WrittenClips
from wildrobot_gym.files import check_free
from wildrobot_gym.motion.gait.build import WALK_SPEEDS, build_clips, default_reference_path
from wildrobot_gym.robot import RobotModel


def build_walks(settings: BuildSettings | None = None, *, overwrite: bool = False) -> WrittenClips:
    """Make straight walks with the gait generator and write them into a reference file.

    Args:
        settings: Robot, speeds and file.
        overwrite: Replace the file if it exists.

    Returns:
        The file and its clips.

    Raises:
        ConfigError: Other walks than the shipped ones were asked for without a file.
        RunError: The file exists.
    """
    settings = settings or BuildSettings()
    if settings.out is None and (settings.speeds is not None or not settings.mirror):
        raise ConfigError(
            "Other walks than the shipped ones need their own file. Name it with --out."
        )
    robot = RobotModel.load(settings.robot)
    path = settings.out or default_reference_path(robot.name)
    check_free([path, report_file(path)], overwrite)
    clips = build_clips(robot, settings.speeds or WALK_SPEEDS, settings.mirror)
    return WrittenClips(write_without_report(path, clips), clips)
