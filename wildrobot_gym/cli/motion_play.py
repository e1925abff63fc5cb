"""``wildrobot motion play``: one motion as several files have it, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from wildrobot_gym.cli.exit_codes import NO_PICTURE
from wildrobot_gym.cli.motion_files import read_motions
from wildrobot_gym.env.render import SceneRenderer
from wildrobot_gym.errors import ConfigError, MotionError, PhysicsError, unknown_name
from wildrobot_gym.evaluation import video
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.importers import ImportOptions
from wildrobot_gym.motion.states import CONTROL_DT
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
) -> int:
    """A panel for each file, for as long as the shortest clip lasts; the exit code, 3 where this machine cannot draw."""
    if not 0 < seconds <= 3600:
        raise ConfigError(f"seconds is {seconds}; allowed: more than 0, at most 3600.")
    console, model = Console(), RobotModel.load(robot)
    chosen: list[MotionClip] = []
    for name in files:
        read = read_motions(model, [name], ImportOptions(robot=robot))
        if not read.clips:
            raise MotionError(" ".join(read.skipped.values()))
        read.tell_skipped(console)
        motion = motion or _motion_id(read.clips[0])
        chosen.append(_clip_of(read.clips, motion, name).resampled(1.0 / CONTROL_DT))
    poses = [np.concatenate([clip.root_pos, clip.root_quat, clip.joint_pos], axis=-1) for clip in chosen]
    length = min(*map(len, poses), max(1, round(seconds / CONTROL_DT)))
    renderer = SceneRenderer(model, *size, camera=camera)
    try:
        panels = [[renderer.frame(pose).copy() for pose in qpos[:length]] for qpos in poses]
    except PhysicsError as error:
        console.print(f"[red]{error}[/]", soft_wrap=True)
        return NO_PICTURE
    finally:
        renderer.close()
    path = video.write_video(out, [np.concatenate(row, axis=1) for row in zip(*panels, strict=True)], 1.0 / CONTROL_DT)
    names = " | ".join(f"{clip.name} ({Path(name).name})" for clip, name in zip(chosen, files, strict=True))
    console.print(f"{path}: {names}", highlight=False, soft_wrap=True)
    if strip is not None:
        video.write_picture(strip, np.concatenate([video.filmstrip(frames, STRIP_FRAMES) for frames in panels], axis=0))
        console.print(f"Filmstrip: {strip}", highlight=False)
    return 0


def _motion_id(clip: MotionClip) -> str:
    return str(clip.metadata.get("motion_id", clip.name))


def _clip_of(clips: Sequence[MotionClip], motion: str, where: str) -> MotionClip:
    """The longest clip of that name or of that motion."""
    found = [clip for clip in clips if motion in (clip.name, _motion_id(clip))]
    if not found:
        raise MotionError(f"{where}: " + unknown_name("motion", motion, {_motion_id(clip) for clip in clips}))
    return max(found, key=lambda clip: clip.duration_s)
