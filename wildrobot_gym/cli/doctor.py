"""``wildrobot doctor``: what works on this machine, what does not, and what to do."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wildrobot_gym.errors import WildRobotError
from wildrobot_gym.paths import ASSETS, CONFIGS, MOTIONS, POLICIES, ROBOTS
from wildrobot_gym.physics import Physics, make_physics
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.training.versions import versions

NEEDED, WISHED = "needed", "wished"


def run_doctor(console: Console | None = None) -> int:
    """Print all checks; 0 where everything that training and evaluation need works, else 1."""
    console = console or Console()
    about = versions()
    packages = ", ".join(f"{name} {version}" for name, version in about["packages"].items())
    console.print(f"Python {about['python']}, {about['platform']}\n{packages}", highlight=False)
    table = Table(show_lines=False)
    for column in ("check", "result", "what is there, or what to do"):
        table.add_column(column, overflow="fold")
    healthy = True
    for name, importance, check in CHECKS:
        try:
            found = check()
            table.add_row(name, "[green]works[/]", escape(found))
        except Exception as error:  # a broken library may raise anything; the doctor must finish
            healthy &= importance != NEEDED
            mark = "[red]does not work[/]" if importance == NEEDED else "[yellow]not here[/]"
            message = (
                str(error)
                if isinstance(error, WildRobotError)
                else f"{type(error).__name__}: {error}"
            )
            advice = f"{message.strip().splitlines()[0][:300]} {REMEDIES.get(name, '')}".strip()
            table.add_row(name, mark, escape(advice))
    console.print(table)
    console.print(
        "Training and evaluation work here."
        if healthy
        else "Something that training needs does not work."
    )
    return 0 if healthy else 1


def _assets() -> str:
    robots, motions = (
        sorted(p.parent.name for p in ROBOTS.glob("*/robot_config.yaml")),
        sorted(MOTIONS.glob("*.npz")),
    )
    configs = sorted(p.stem for p in CONFIGS.glob("*.yaml"))
    if not robots or not motions or not configs:
        raise WildRobotError(
            f"Robots {robots}, motions {len(motions)}, configs {configs} in {ASSETS} and {CONFIGS}."
        )
    policies = sorted(p.name for p in POLICIES.glob("*") if p.is_dir())
    return (
        f"{ASSETS}: robots {robots}, {len(motions)} motions, policies {policies}; configs {configs}"
    )


def _jax() -> str:
    import jax

    return ", ".join(f"{device.platform}: {device.device_kind}" for device in jax.devices())


def _threads() -> str:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    limits = {
        name: os.environ[name] for name in ("OMP_NUM_THREADS", "XLA_FLAGS") if name in os.environ
    }
    return f"{usable} of {os.cpu_count()} CPUs usable" + (f"; {limits}" if limits else "")


def _native() -> str:
    return _one_step(make_physics("native", RobotModel.load("wildrobot"), 4))


def _mjx() -> str:
    make_physics("mjx", RobotModel.load("wildrobot"), 4)
    return "takes the robot's model; compiles at first use"


def _one_step(physics: Physics) -> str:
    robot = RobotModel.load("wildrobot")
    state = physics.step(np.tile(robot.home_joint_pos, (4, 1)))
    return f"one step of 4 robots, base at {float(np.asarray(state.base_pos_w)[0, 2]):.3f} m"


def _rendering() -> str:
    from wildrobot_gym.evaluation.video import can_render

    problem = can_render(RobotModel.load("wildrobot"))
    if problem:
        raise WildRobotError(problem)
    return f"MUJOCO_GL={os.environ.get('MUJOCO_GL', '(default)')}"


def _screen() -> str:
    from wildrobot_gym.env.render import has_screen

    if not has_screen():
        raise WildRobotError(
            "There is no screen, so `wildrobot enjoy` cannot open a window; use `wildrobot record`."
        )
    return "a window can be opened"


def _video() -> str:
    from wildrobot_gym.evaluation.video import write_video

    with tempfile.TemporaryDirectory() as folder:
        frames = [np.full((48, 64, 3), value, np.uint8) for value in (0, 128, 255)]
        size = write_video(Path(folder) / "test.mp4", frames, 50).stat().st_size
    return f"H.264, {size} bytes for three frames"


CHECKS: tuple[tuple[str, str, Callable[[], str]], ...] = (
    ("assets", NEEDED, _assets),
    ("CPUs", NEEDED, _threads),
    ("JAX", NEEDED, _jax),
    ("MuJoCo batch", NEEDED, _native),
    ("MJX", WISHED, _mjx),
    ("offscreen rendering", WISHED, _rendering),
    ("video", WISHED, _video),
    ("screen", WISHED, _screen),
)
REMEDIES = {
    "assets": "Install the wheel anew, or run from a whole checkout.",
    "JAX": "Install jax for this platform, or `pip install 'wildrobot[cuda]'` on a GPU.",
    "video": "pip install 'imageio[ffmpeg]'.",
}
