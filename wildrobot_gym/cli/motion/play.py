"""``wildrobot motion play``: one motion as several files have it, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from wildrobot_gym.env.render import SceneRenderer
from wildrobot_gym.errors import MotionError, unknown_name
from wildrobot_gym.evaluation import video
from wildrobot_gym.experiments.datasets import read_motions
from wildrobot_gym.experiments.video import check_seconds
from wildrobot_gym.files import check_free
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.importers import ImportOptions
from wildrobot_gym.motion.states import CONTROL_DT
from wildrobot_gym.motion.tracking import Variant
from wildrobot_gym.robot import RobotModel

STRIP_FRAMES = 8


def run_play(
    files: Sequence[str],
    motion: str | None,
    out: Path,
    strip: Path | None,
    seconds: float,
    size: tuple[int, int],
    camera: str,
    robot: str,
    force: bool,
) -> int:
    """A panel for each file, for as long as the shortest clip lasts; 0, or 1 where a file was left out.

    Raises:
        MotionError: nothing to show. PhysicsError: this machine cannot draw.
    """
    check_seconds(seconds)
    check_free([out, strip], force)
    console, model = Console(), RobotModel.load(robot)
    if not files:
        raise MotionError("Name the clips or datasets to show, a panel each.")
    chosen: list[MotionClip] = []
    code = 0
    for name in files:
        read = read_motions(model, [name], ImportOptions(robot=robot))
        code |= read.tell_skipped(console)
        motion = motion or read.clips[0].motion_id
        chosen.append(clip_of(read.clips, motion, name).resampled(1.0 / CONTROL_DT))
    poses = [
        np.concatenate([clip.root_pos, clip.root_quat, clip.joint_pos], axis=-1) for clip in chosen
    ]
    length = min(*map(len, poses), max(1, round(seconds / CONTROL_DT)))
    renderer = SceneRenderer(model, *size, camera=camera)
    try:
        rows = [
            np.concatenate([renderer.frame(qpos[i]) for qpos in poses], axis=1)
            for i in range(length)
        ]
    finally:
        renderer.close()
    path = video.write_video(out, rows, 1.0 / CONTROL_DT)
    names = " | ".join(
        f"{clip.name} ({Path(name).name})" for clip, name in zip(chosen, files, strict=True)
    )
    console.print(f"{path}: {names}", highlight=False, soft_wrap=True, markup=False)
    if strip is not None:
        panels = [
            [row[:, i * size[0] : (i + 1) * size[0]] for row in rows] for i in range(len(poses))
        ]
        video.write_picture(
            strip,
            np.concatenate([video.filmstrip(frames, STRIP_FRAMES) for frames in panels], axis=0),
        )
        console.print(f"Filmstrip: {strip}", highlight=False, soft_wrap=True)
    return code


def clip_of(clips: Sequence[MotionClip], motion: str, where: str) -> MotionClip:
    """The clip of that name, or the plainest of that motion: as it is, from its beginning, the longest.

    A performance's first segment is then in step with the loop that was performed.
    """
    found = [clip for clip in clips if motion in (clip.name, clip.motion_id)]
    if not found:
        raise MotionError(
            f"{where}: " + unknown_name("motion", motion, {clip.motion_id for clip in clips})
        )

    def strangeness(clip: MotionClip) -> tuple:
        variant = Variant.of(clip)
        bent = (variant.mirrored, variant.warp != 1.0, variant.turn != 0.0)
        return clip.name != motion, *bent, int(clip.metadata.get("first_step", 0)), -clip.duration_s

    return min(found, key=strangeness)
