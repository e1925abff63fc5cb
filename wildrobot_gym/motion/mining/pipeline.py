"""From clips to segments, clip by clip: search a controller, perform every variant, and mine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from wildrobot_gym.errors import ConfigError, MotionError
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.clip_names import check_names, without_images
from wildrobot_gym.motion.mining.gates import Gates
from wildrobot_gym.motion.mining.mine import MiningReport, mine
from wildrobot_gym.motion.mining.search import search_controller
from wildrobot_gym.motion.tracking import TrackSettings, track
from wildrobot_gym.robot import RobotModel

_SEARCH_PART = 0.5  # of a clip's time, for the progress shown


def generate(
    robot: RobotModel,
    clips: Sequence[MotionClip],
    settings: TrackSettings | None = None,
    gates: Gates | None = None,
    generations: int = 8,
    progress: Callable[[float, int], None] | None = None,
    skipped: dict[str, str] | None = None,
) -> MiningReport:
    """Mine the segments of all clips. The variants of one clip are performed side by side.

    If variants are mirrored, a clip that is the mirror image of another is left out.

    Args:
        robot: The robot.
        clips: The clips, for this robot.
        settings: Variants, controllers and harness.
        gates: Bounds on what is kept.
        generations: Generations of the search for each clip's controller. 0 uses the settings' own.
        progress: Called with the number of clips that are done, with fractions, and their total.
        skipped: Receives the reason for each clip that cannot be performed. Without it that is an
            error.

    Returns:
        The segments, and what became of each clip.

    Raises:
        MotionError: There is no clip, two have one name, or none can be performed.
    """
    settings, gates = settings or TrackSettings(), gates or Gates()
    if not clips:
        raise MotionError("There is no clip to perform.")
    check_names(clips)
    if settings.mirror:
        clips = without_images(clips)
    reports: list[MiningReport] = []
    numbers: Counter[str] = Counter()  # segments so far, by motion: several clips may be of one
    for i, clip in enumerate(clips):

        def show(done: float, i: int = i) -> None:
            if progress is not None:
                progress(i + done, len(clips))

        try:
            report = _of_clip(robot, clip, settings, gates, generations, numbers, show)
        except MotionError as error:
            if skipped is None:
                raise
            skipped[clip.name] = str(error)
            continue
        numbers.update(segment.motion_id for segment in report.segments)
        reports.append(report)
    if not reports:
        raise MotionError(f"Not one clip could be performed. {' '.join((skipped or {}).values())}")
    segments = tuple(segment for report in reports for segment in report.segments)
    return MiningReport(
        segments, tuple(of_clip for report in reports for of_clip in report.clips), gates
    )


def _of_clip(
    robot: RobotModel,
    clip: MotionClip,
    settings: TrackSettings,
    gates: Gates,
    generations: int,
    numbers: Mapping[str, int],
    show: Callable[[float], None],
) -> MiningReport:
    """Mine one clip.

    `numbers` of its motion's segments exist already; `show` gets the fraction done.
    """
    before = 0.0
    if generations:
        controller = search_controller(robot, clip, settings, gates, generations)
        settings, before = replace(settings, controllers=(controller,)), _SEARCH_PART
    walks = track(
        robot, [clip], settings, lambda done, total: show(before + (1.0 - before) * done / total)
    )
    return mine(robot, walks, gates, numbers)


def best_segments(
    segments: Sequence[MotionClip], seconds_per_motion: float, seed: int = 0
) -> list[MotionClip]:
    """Choose the best segments of each motion, up to a total duration.

    The best scores come first. Segments of one score are drawn at random from all variants. The
    result is in the original order. A motion whose segments are all longer has none; mine with
    `Gates.longest` of that length to avoid it.

    Args:
        segments: Mined segments.
        seconds_per_motion: Maximum duration for each motion, in seconds.
        seed: Random seed of the choice.

    Returns:
        The chosen segments.

    Raises:
        ConfigError: Every segment is longer.
    """
    order = np.random.default_rng(seed).permutation(len(segments))
    left: dict[str, float] = {}
    chosen = []
    for i in sorted(order, key=lambda i: -segments[i].metadata["score"]):
        segment = segments[i]
        motion_id, duration = segment.metadata["motion_id"], segment.seconds
        if left.setdefault(motion_id, seconds_per_motion) >= duration:
            left[motion_id] -= duration
            chosen.append(i)
    if segments and not chosen:
        shortest = min(segment.seconds for segment in segments)
        raise ConfigError(
            f"seconds_per_motion is {seconds_per_motion};"
            f" the shortest segment lasts {shortest:.2f} s. Allow more."
        )
    return [segments[i] for i in sorted(chosen)]
