"""Tracking clips in physics and keeping the segments that pass the quality gates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wildrobot_gym.errors import ConfigError, RunError
from wildrobot_gym.experiments.datasets import report_file, write_dataset
from wildrobot_gym.experiments.motion.settings import TrackFilesSettings
from wildrobot_gym.experiments.motion.sources import read_motions
from wildrobot_gym.experiments.motion.written import MinedDataset
from wildrobot_gym.files import check_free
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.mining import Gates, MiningReport, best_segments, generate, save_features
from wildrobot_gym.motion.states import CONTROL_DT
from wildrobot_gym.motion.tracking import TrackSettings
from wildrobot_gym.reporting import SILENT, Reporter
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import FeatureConfig

_UNITS = 100  # of progress in a clip


def track_files(
    files: Sequence[str],
    settings: TrackFilesSettings | None = None,
    *,
    tracking: TrackSettings | None = None,
    gates: Gates | None = None,
    overwrite: bool = False,
    report: Reporter = SILENT,
) -> MinedDataset:
    """Perform every variant of every clip in physics, and write the segments that pass all gates.

    Args:
        files: Clips, reference files, shipped references, or human motion.
        settings: Robot, files, and how much to search and to keep.
        tracking: Variants, controller and harness. `settings.duration` replaces its duration.
        gates: Bounds on what is kept.
        overwrite: Replace files that exist.
        report: Receives the progress.

    Returns:
        The dataset, its mining report, and the skipped inputs.

    Raises:
        ConfigError: A value is out of range.
        MotionError: No clip could be read or performed, or no segment passes the gates.
        RunError: A file exists, or the dataset and the features are one file.
    """
    settings = settings or TrackFilesSettings()
    tracking = replace(tracking or TrackSettings(), duration_s=settings.duration)
    robot = RobotModel.load(settings.robot)
    gates = limit_length(gates or Gates(), settings.seconds_per_motion)
    out, features = settings.out, settings.features
    if features is not None and features.resolve() == out.resolve():
        raise RunError(
            f"--features and --out are both {out}. Name two files: the second would replace the"
            " first."
        )
    check_free([out, report_file(out), features], overwrite)
    read = read_motions(robot, files, settings)
    with report.progress("tracking clips, %", _UNITS * len(read.clips)) as advance:
        shown = 0

        def show(done: float, total: int) -> None:
            nonlocal shown
            units = round(_UNITS * len(read.clips) * done / total)
            advance(units - shown)
            shown = units

        mined = generate(
            robot,
            read.clips,
            tracking,
            gates,
            settings.generations,
            progress=show,
            skipped=read.skipped,
        )
    segments = kept_segments(mined, settings.seconds_per_motion)
    write_dataset(out, mined, segments)
    if features is not None:
        save_features(features, robot, FeatureConfig(), segments)
    return MinedDataset(out, segments, read.skipped, report=mined, features=features)


def limit_length(gates: Gates, seconds_per_motion: float | None) -> Gates:
    """Return `gates` that make no segment longer than what is kept of its motion.

    A longer segment would be left out, and with it perhaps the whole motion.

    Raises:
        ConfigError: The time is shorter than a window of the gates.
    """
    if seconds_per_motion is None:
        return gates
    if not seconds_per_motion >= (window_s := gates.window * CONTROL_DT):
        raise ConfigError(
            f"seconds_per_motion is {seconds_per_motion};"
            f" allowed: {window_s:g} (a window of the gates) or more."
        )
    return replace(gates, longest=int(min(gates.longest, seconds_per_motion / CONTROL_DT + 1e-6)))


def kept_segments(mined: MiningReport, seconds_per_motion: float | None) -> Sequence[MotionClip]:
    """Return the segments to keep: all, or the best of each motion up to that time in seconds."""
    if seconds_per_motion is None:
        return mined.segments
    return best_segments(mined.segments, seconds_per_motion)
