"""Videos and pictures of a policy."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wildrobot_gym.errors import ConfigError
from wildrobot_gym.evaluation import video
from wildrobot_gym.evaluation.benchmark import make_env
from wildrobot_gym.evaluation.plots import gait as plots
from wildrobot_gym.evaluation.protocol import SEED
from wildrobot_gym.evaluation.recording import record
from wildrobot_gym.experiments.evaluate import load
from wildrobot_gym.experiments.settings import RecordSettings
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.reporting import SILENT, Reporter
from wildrobot_gym.task.config import EnvConfig
from wildrobot_gym.training.policy import LoadedPolicy

STRIP_S = 1.5  # s, about two strides
STRIP_FRAMES = 8
MAX_SECONDS = 3600.0


@dataclass(frozen=True)
class RecordResult:
    """The files that were written; `strip` is None if no filmstrip was asked for."""

    video: Path
    strip: Path | None


def record_video(
    policy: str | Path | LoadedPolicy,
    out: Path,
    settings: RecordSettings | None = None,
    *,
    strip: Path | None = None,
    report: Reporter = SILENT,
) -> RecordResult:
    """Write a video of one robot that follows a policy.

    Args:
        policy: A loaded policy, a .zip file, a run directory, or the name of a shipped policy.
        out: The video, .mp4.
        settings: What the video shows.
        strip: Also write a picture of frames side by side to this file.
        report: Receives progress.

    Returns:
        The files that were written.

    Raises:
        ConfigError: The length is out of range.
        PhysicsError: This machine cannot draw; the message says what to install.
        RunError: There is no such policy, or a file cannot be written.
    """
    s = settings or RecordSettings()
    loaded = load(policy)
    num_steps = _num_steps(loaded, s.seconds)
    with closing(make_env(loaded.env_kwargs, 1, num_steps=num_steps)) as env:
        frames = video.FrameRecorder(env.robot, *s.size, camera=s.camera)
        with closing(frames), report.progress("drawing", num_steps) as advance:

            def on_step(step: int, state: PhysicsState) -> None:
                frames.on_step(step, state)
                advance(1)

            commands = np.array([[s.command, s.vy, s.yaw_rate]], np.float32)
            record(env, loaded, commands, num_steps, SEED, on_step)
        fps = 1 / env.config.control_dt
    path = video.write_video(out, frames.frames, fps)
    if strip is not None:
        middle = len(frames.frames) // 2
        stretch = frames.frames[middle : middle + max(1, round(STRIP_S * fps))]
        video.write_picture(strip, video.filmstrip(stretch, STRIP_FRAMES))
    return RecordResult(path, strip)


def plot_policy(
    policy: str | Path | LoadedPolicy, out: Path, command: float = 0.4
) -> tuple[Path, ...]:
    """Draw a policy's gait, and the learning curves of its run.

    Args:
        policy: A loaded policy, a .zip file, a run directory, or the name of a shipped policy.
        out: Directory for the pictures.
        command: Commanded forward speed, in m/s.

    Returns:
        The pictures that were written.

    Raises:
        RunError: There is no such policy, or a file cannot be written.
    """
    loaded = load(policy)
    with closing(make_env(loaded.env_kwargs, 1)) as env:
        commands = np.array([[command, 0.0, 0.0]], np.float32)
        recording = record(env, loaded, commands, env.task.max_episode_steps, SEED)
        name = out / f"gait_{command:g}.png"
        written = [plots.gait_plot(name, recording, env.robot, command, env.config.control_dt)]
    run = loaded.run_directory
    if run is not None and run.progress.is_file():
        written.append(plots.learning_curves(out / "learning_curves.png", run.progress))
    return tuple(written)


def check_seconds(seconds: float) -> None:
    """Raise ConfigError unless the length of a video is between 0 and 3600 s."""
    if not 0 < seconds <= MAX_SECONDS:
        raise ConfigError(f"seconds is {seconds}; allowed: more than 0, at most {MAX_SECONDS:g}.")


def _num_steps(policy: LoadedPolicy, seconds: float) -> int:
    check_seconds(seconds)
    return max(1, round(seconds / float(policy.env_kwargs.get("control_dt", EnvConfig.control_dt))))
