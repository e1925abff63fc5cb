"""Filming one motion as several files hold it, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wildrobot_gym.env.render import SceneRenderer
from wildrobot_gym.errors import MotionError, unknown_name
from wildrobot_gym.evaluation import video
from wildrobot_gym.experiments.motion.settings import PlaySettings
from wildrobot_gym.experiments.motion.sources import read_motions
from wildrobot_gym.experiments.video import check_seconds
from wildrobot_gym.files import check_free
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.states import CONTROL_DT
from wildrobot_gym.motion.tracking import Variant
from wildrobot_gym.robot import RobotModel

STRIP_FRAMES = 8


@dataclass(frozen=True)
class MotionFilm:
    """A video that was written.

    Attributes:
        path: The video.
        panels: Name of the clip and of its file for each panel, from left to right.
        strip: The picture of frames, if one was written.
        skipped: Reason for each input that was left out, by name.
    """

    path: Path
    panels: Sequence[str]
    strip: Path | None
    skipped: Mapping[str, str]


def film_motions(
    files: Sequence[str], settings: PlaySettings | None = None, *, overwrite: bool = False
) -> MotionFilm:
    """Film one motion with a panel for each file, for as long as the shortest clip lasts.

    Args:
        files: Clips and datasets, from left to right. Human motion is retargeted first.
        settings: The motion, the files to write, and the camera.
        overwrite: Replace files that exist.

    Returns:
        The video and what it shows.

    Raises:
        MotionError: There is nothing to show.
        PhysicsError: This machine cannot draw.
        RunError: A file exists.
    """
    settings = settings or PlaySettings()
    check_seconds(settings.seconds)
    check_free([settings.out, settings.strip], overwrite)
    robot = RobotModel.load(settings.robot)
    if not files:
        raise MotionError("Name the clips or datasets to show, a panel each.")
    motion, chosen, skipped = settings.motion, list[MotionClip](), dict[str, str]()
    for name in files:
        read = read_motions(robot, [name], settings)
        skipped |= read.skipped
        motion = motion or read.clips[0].motion_id
        chosen.append(plainest_clip(read.clips, motion, name).resampled(1.0 / CONTROL_DT))
    panels = _draw(robot, chosen, settings)
    rows = [np.concatenate(row, axis=1) for row in zip(*panels, strict=True)]
    path = video.write_video(settings.out, rows, 1.0 / CONTROL_DT)
    if settings.strip is not None:
        strips = [video.filmstrip(frames, STRIP_FRAMES) for frames in panels]
        video.write_picture(settings.strip, np.concatenate(strips, axis=0))
    names = [f"{clip.name} ({Path(name).name})" for clip, name in zip(chosen, files, strict=True)]
    return MotionFilm(path, names, settings.strip, skipped)


def plainest_clip(clips: Sequence[MotionClip], motion: str, where: str) -> MotionClip:
    """Return the clip with that name, or the plainest clip of that motion.

    The plainest is neither mirrored, warped nor turned, starts first, and is the longest. The first
    segment of a performance is then in step with the loop that was performed.

    Raises:
        MotionError: There is no such motion; `where` names the file.
    """
    found = [clip for clip in clips if motion in (clip.name, clip.motion_id)]
    if not found:
        names = {clip.motion_id for clip in clips}
        raise MotionError(f"{where}: " + unknown_name("motion", motion, names))

    def rank(clip: MotionClip) -> tuple:
        variant = Variant.of(clip)
        changed = (variant.mirrored, variant.warp != 1.0, variant.turn != 0.0)
        first_step = int(clip.metadata.get("first_step", 0))
        return clip.name != motion, *changed, first_step, -clip.duration_s

    return min(found, key=rank)


def _draw(
    robot: RobotModel, clips: Sequence[MotionClip], settings: PlaySettings
) -> list[list[np.ndarray]]:
    """Return the frames of each panel, all panels equally long."""
    poses = [clip.qpos for clip in clips]
    length = min(*map(len, poses), max(1, round(settings.seconds / CONTROL_DT)))
    renderer = SceneRenderer(robot, *settings.size, camera=settings.camera)
    try:
        return [[renderer.frame(qpos[i]) for i in range(length)] for qpos in poses]
    finally:
        renderer.close()
