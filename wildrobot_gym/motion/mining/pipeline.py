"""From clips to Tier 0+ segments in one go, clip by clip: a controller is searched, every variant performed, and mined."""

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
    """Segments of all clips. One clip at a time is in memory; its variants run side by side.

    Args:
        generations: of the search for each clip's controller; 0: the settings' own controllers are used.
        progress: called with the clips done (with fractions) and their number.
        skipped: takes the reason of each clip, by name, that cannot be performed; without it that is an error.

    Where variants are mirrored, a clip that is another's mirror image is left out: it is performed with that.

    Raises:
        MotionError: no clip, two of one name, or one that does not fit the robot.
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

        def tell(done: float, i: int = i) -> None:
            if progress is not None:
                progress(i + done, len(clips))

        try:
            report = _of_clip(robot, clip, settings, gates, generations, numbers, tell)
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
    tell: Callable[[float], None],
) -> MiningReport:
    """One clip's segments; `numbers` of its motion are there already. `tell` is called with its share that is done."""
    before = 0.0
    if generations:
        controller = search_controller(robot, clip, settings, gates, generations)
        settings, before = replace(settings, controllers=(controller,)), _SEARCH_PART
    walks = track(
        robot, [clip], settings, lambda done, total: tell(before + (1.0 - before) * done / total)
    )
    return mine(robot, walks, gates, numbers)


def best_segments(
    segments: Sequence[MotionClip], seconds_per_motion: float, seed: int = 0
) -> list[MotionClip]:
    """At most so many seconds of each motion: the best scores first, those of one score drawn from all variants alike.

    They come in the order that they had. A motion whose segments are all longer has none among them; `mine` with
    `Gates.longest` of that length makes none that are.

    Raises:
        ConfigError: every segment is longer.
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
            f"seconds_per_motion is {seconds_per_motion}; the shortest segment lasts {shortest:.2f} s. Allow more."
        )
    return [segments[i] for i in sorted(chosen)]
