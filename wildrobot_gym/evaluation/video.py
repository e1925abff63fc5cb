"""Frames of a walking robot as an H.264 video and as a filmstrip picture."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from wildrobot_gym.env.render import SceneRenderer
from wildrobot_gym.errors import PhysicsError, RunError
from wildrobot_gym.extras import require
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel

Frames = list[UInt8[np.ndarray, "height width 3"]]


class FrameRecorder:
    """Draws the first environment. Its `on_step` is a hook for `recording.record`.

    Args:
        robot: The robot.
        width: Width of the picture, in pixels.
        height: Height of the picture, in pixels.
        camera: Name of the camera.
        every: Draw every that many control steps.

    Raises:
        PhysicsError: This machine has no OpenGL; the message says what to install.
    """

    def __init__(
        self,
        robot: RobotModel,
        width: int = 640,
        height: int = 480,
        camera: str = "track",
        every: int = 1,
    ) -> None:
        self.frames: Frames = []
        self._every = every
        self._renderer = SceneRenderer(robot, width, height, camera)
        self._renderer.frame(robot.home_qpos)

    def on_step(self, step: int, state: PhysicsState) -> None:
        """Draw this step if it is due."""
        if step % self._every == 0:
            self.frames.append(self._renderer.frame(np.asarray(state.qpos)[0]).copy())

    def close(self) -> None:
        """Free the renderer."""
        self._renderer.close()


def can_render(robot: RobotModel) -> str | None:
    """None if offscreen rendering works, else why not and what to do."""
    try:
        FrameRecorder(robot, 64, 48).close()
    except PhysicsError as error:
        return str(error)
    return None


def write_video(path: str | Path, frames: Frames, fps: float) -> Path:
    """Write an H.264 video in yuv420p, which every player shows.

    Args:
        path: The file, .mp4.
        frames: The pictures. An odd size loses its last line of pixels.
        fps: Frames per second.

    Raises:
        RunError: There are no frames, or the file cannot be written.
    """
    imageio = require("imageio.v2", "viz")

    path = Path(path)
    if not frames:
        raise RunError(f"There are no frames to write into {path}.")
    height, width = (size - size % 2 for size in frames[0].shape[:2])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        options: Any = {
            "fps": fps,
            "codec": "libx264",
            "pixelformat": "yuv420p",
            "macro_block_size": 2,
        }
        writer: Any
        with (
            warnings.catch_warnings(),
            imageio.get_writer(path, format="FFMPEG", **options) as writer,
        ):
            # JAX warns of every fork. This one becomes ffmpeg at once and runs no JAX.
            warnings.filterwarnings("ignore", message="os.fork", category=RuntimeWarning)
            for frame in frames:
                writer.append_data(frame[:height, :width])
    except (
        OSError,
        ValueError,
        RuntimeError,
    ) as error:  # imageio raises each of them where ffmpeg fails
        raise RunError(
            f"Cannot write the video {path}: {error}. `wildrobot doctor` tests the encoder."
        ) from error
    return path


def filmstrip(
    frames: Frames, count: int = 8, crop: float = 0.6
) -> UInt8[np.ndarray, "height width 3"]:
    """Frames side by side.

    Args:
        frames: The frames to choose from.
        count: Number of frames, evenly spread.
        crop: Fraction of the width to keep, from the middle.

    Raises:
        RunError: There are no frames.
    """
    if not frames:
        raise RunError("There are no frames to make a filmstrip from.")
    chosen = [
        frames[i]
        for i in np.linspace(0, len(frames) - 1, min(count, len(frames))).round().astype(int)
    ]
    width = chosen[0].shape[1]
    margin = int(width * (1 - crop) / 2)
    return np.concatenate([frame[:, margin : width - margin] for frame in chosen], axis=1)


def write_picture(path: str | Path, picture: UInt8[np.ndarray, "height width 3"]) -> Path:
    """Write a picture in the format of the file's suffix.

    Raises:
        RunError: The file cannot be written.
    """
    imageio = require("imageio.v2", "viz")

    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        imageio.imwrite(path, picture)
    except (OSError, ValueError) as error:
        raise RunError(f"Cannot write the picture {path}: {error}.") from error
    return path
