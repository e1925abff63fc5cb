"""``wildrobot record``, ``enjoy`` and ``plot``: a policy as a video, in a window, and as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from wildrobot_gym.console.progress_bar import step_bar
from wildrobot_gym.env.render import NO_SCREEN, SceneRenderer, has_screen
from wildrobot_gym.errors import PhysicsError
from wildrobot_gym.evaluation import video
from wildrobot_gym.evaluation.benchmark import SEED, make_env
from wildrobot_gym.evaluation.plots import gait as plots
from wildrobot_gym.evaluation.recording import record
from wildrobot_gym.experiments.video import check_seconds
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.training.policy import LoadedPolicy, load_policy

STRIP_S = 1.5  # about two strides
STRIP_FRAMES = 8


def run_record(
    policy: LoadedPolicy | str,
    out: Path,
    command: float = 0.4,
    seconds: float = 10.0,
    strip: Path | None = None,
    size: tuple[int, int] = (640, 480),
    camera: str = "track",
    console: Console | None = None,
) -> Path:
    """Write a video of one robot at ``command`` m/s, and a filmstrip where ``strip`` is given.

    Raises:
        PhysicsError: no OpenGL; says what to install. RunError: a file cannot be written.
    """
    console = console or Console()
    loaded = load_policy(policy) if isinstance(policy, str) else policy
    num_steps = _num_steps(loaded, seconds)
    env = make_env(loaded.env_kwargs, 1, num_steps=num_steps)
    try:
        frames = video.FrameRecorder(env.robot, *size, camera=camera)
        with step_bar(console) as progress:
            task = progress.add_task("drawing", total=num_steps)

            def on_step(step: int, state: PhysicsState) -> None:
                frames.on_step(step, state)
                progress.advance(task)

            record(env, loaded, _forward(command), num_steps, SEED, on_step)
        frames.close()
        fps = 1 / env.config.control_dt
    finally:
        env.close()
    path = video.write_video(out, frames.frames, fps)
    console.print(f"Video: {path}", highlight=False, markup=False)
    if strip is not None:
        middle = len(frames.frames) // 2
        stretch = frames.frames[middle : middle + max(1, round(STRIP_S * fps))]
        video.write_picture(strip, video.filmstrip(stretch, STRIP_FRAMES))
        console.print(f"Filmstrip: {strip}", highlight=False, markup=False)
    return path


def run_enjoy(policy: str, command: float = 0.4, seconds: float = 60.0) -> int:
    """Show a policy in a window, in real time.

    Raises:
        PhysicsError: no screen; says to use ``wildrobot record``.
    """
    if not has_screen():
        raise PhysicsError(NO_SCREEN)
    loaded = load_policy(policy)
    num_steps = _num_steps(loaded, seconds)
    env = make_env(loaded.env_kwargs, 1, num_steps=num_steps)
    window = SceneRenderer(env.robot)

    def on_step(step: int, state: PhysicsState) -> None:
        window.show(np.asarray(state.qpos)[0], env.config.control_dt)

    try:
        record(env, loaded, _forward(command), num_steps, SEED, on_step)
    finally:
        window.close()
        env.close()
    return 0


def run_plot(policy: str, out: Path, command: float = 0.4, console: Console | None = None) -> int:
    """Gait plots of a policy, and the learning curves of the run that it is of."""
    console = console or Console()
    loaded = load_policy(policy)
    env = make_env(loaded.env_kwargs, 1)
    try:
        recording = record(env, loaded, _forward(command), env.task.max_episode_steps, SEED)
        name = out / f"gait_{command:g}.png"
        written = [plots.gait_plot(name, recording, env.robot, command, env.config.control_dt)]
    finally:
        env.close()
    run = loaded.run_directory
    if run is not None and run.progress.is_file():
        written.append(plots.learning_curves(out / "learning_curves.png", run.progress))
    for path in written:
        console.print(f"Picture: {path}", highlight=False, markup=False)
    return 0


def _forward(command: float) -> Any:
    return np.array([[command, 0.0, 0.0]], np.float32)


def _num_steps(policy: LoadedPolicy, seconds: float) -> int:
    check_seconds(seconds)
    return max(1, round(seconds / float(policy.env_kwargs.get("control_dt", 0.02))))
