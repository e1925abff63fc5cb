"""Measuring how much the harness does: every clip is performed with it and without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from wildrobot_gym.errors import MotionError
from wildrobot_gym.experiments.motion.settings import HarnessSettings
from wildrobot_gym.experiments.motion.sources import read_motions
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.clip_names import check_names
from wildrobot_gym.motion.mining import ClipYield, Gates, mine
from wildrobot_gym.motion.tracking import TrackSettings, track
from wildrobot_gym.reporting import SILENT, Reporter
from wildrobot_gym.robot import RobotModel

_GATES = Gates()


@dataclass(frozen=True)
class Contribution:
    """What the harness does for one clip.

    Attributes:
        harness_mean: Mean force, as a fraction of the robot's weight.
        harness_p90: 90th percentile of the force, as a fraction of the weight.
        harness_p95: 95th percentile of the force, as a fraction of the weight.
        harness_saturated: Fraction of frames in which the force is at its cap.
        falls_per_minute: Falls with the harness.
        falls_per_minute_without: Falls without it.
        passing: Fraction of the time that passes the gates, with the harness.
        passing_without: The same without it.
    """

    harness_mean: float
    harness_p90: float
    harness_p95: float
    harness_saturated: float
    falls_per_minute: float
    falls_per_minute_without: float
    passing: float
    passing_without: float

    @property
    def is_carried(self) -> bool:
        """Whether the harness does more than the gates allow."""
        return self.harness_p90 > _GATES.harness_p90 or self.harness_p95 > _GATES.harness_p95


@dataclass(frozen=True)
class HarnessMeasurement:
    """Contribution of the harness to each clip, by name, and the reasons for skipped inputs."""

    contributions: Mapping[str, Contribution]
    skipped: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return the metrics of every clip as JSON types."""
        return {
            name: {**asdict(each), "carried": each.is_carried}
            for name, each in self.contributions.items()
        }


def measure_harness(
    files: Sequence[str], settings: HarnessSettings | None = None, *, report: Reporter = SILENT
) -> HarnessMeasurement:
    """Perform every clip with the harness and without it.

    Args:
        files: Clips, reference files, shipped references, or human motion.
        settings: Robot and duration.
        report: Receives the progress.

    Returns:
        The harness's contribution to each clip, and the skipped inputs.

    Raises:
        MotionError: No clip could be read, or two have one name.
    """
    settings = settings or HarnessSettings()
    robot = RobotModel.load(settings.robot)
    read = read_motions(robot, files, settings)
    check_names(read.clips)
    tracking = TrackSettings(duration_s=settings.duration, warps=(1.0,), turns=(0.0,))
    found: dict[str, Contribution] = {}
    with report.progress("clips", len(read.clips)) as advance:
        for clip in read.clips:
            try:
                found[clip.name] = contribution(robot, clip, tracking)
            except MotionError as error:
                read.skipped[clip.name] = str(error)
            advance(1)
    return HarnessMeasurement(found, read.skipped)


def contribution(robot: RobotModel, clip: MotionClip, settings: TrackSettings) -> Contribution:
    """Perform a clip under `settings`, and once more without their harness.

    Raises:
        MotionError: The clip does not fit the robot, or is lost in its first step.
    """
    held, alone = (
        mine(robot, track(robot, [clip], each), _GATES).clips[0]
        for each in (settings, replace(settings, harness=None))
    )
    if not held.performed:
        raise MotionError(f"{clip.name!r} is lost in its first step, with the harness too.")
    harness = {name: value for name, value in held.performed.items() if name.startswith("harness")}
    return Contribution(
        **harness,
        falls_per_minute=_falls_per_minute(held),
        falls_per_minute_without=_falls_per_minute(alone),
        passing=held.mined_s / max(held.performed_s, 1e-9),
        passing_without=alone.mined_s / max(alone.performed_s, 1e-9),
    )


def _falls_per_minute(clip: ClipYield) -> float:
    return 60.0 * clip.falls / max(clip.performed_s, 1e-9)
