"""Check what works on this machine, what does not, and what to do about it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from wildrobot_gym.errors import WildRobotError
from wildrobot_gym.experiments.accelerators import cuda_stack
from wildrobot_gym.extras import extras_named
from wildrobot_gym.paths import ASSETS, CONFIGS, MOTIONS, POLICIES
from wildrobot_gym.robot import RobotModel, shipped_robots

NUM_ROBOTS = 4


@dataclass(frozen=True)
class Finding:
    """The outcome of one check.

    Attributes:
        name: What was checked.
        works: Whether it works.
        needed: Whether training and evaluation need it.
        text: What was found, or what is wrong and what to do.
    """

    name: str
    works: bool
    needed: bool
    text: str


@dataclass(frozen=True)
class Diagnosis:
    """The outcome of all checks."""

    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Whether everything works that training and evaluation need."""
        return all(finding.works for finding in self.findings if finding.needed)


def diagnose() -> Diagnosis:
    """Run all checks. A check that fails does not stop the others."""
    return Diagnosis(tuple(_run(name, need, check) for name, need, check in CHECKS))


def _run(name: str, need: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, need == "needed", check())
    except Exception as error:  # a broken library may raise anything, and the other checks must run
        kind = "" if isinstance(error, WildRobotError) else f"{type(error).__name__}: "
        message = f"{kind}{error}".strip().splitlines()[0][:300]
        text = f"{message} {REMEDIES.get(name, '')}".strip()
        return Finding(name, False, need == "needed", text)


def _assets() -> str:
    robots = shipped_robots()
    motions = sorted(MOTIONS.glob("*.npz"))
    configs = sorted(path.stem for path in CONFIGS.glob("*.yaml"))
    if not robots or not motions or not configs:
        raise WildRobotError(
            f"Robots {robots}, motions {len(motions)}, configs {configs} in {ASSETS} and {CONFIGS}."
        )
    policies = sorted(path.name for path in POLICIES.glob("*") if path.is_dir())
    return (
        f"{ASSETS}: robots {robots}, {len(motions)} motions, policies {policies}; configs {configs}"
    )


def _cpus() -> str:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    names = ("OMP_NUM_THREADS", "XLA_FLAGS")
    limits = {name: os.environ[name] for name in names if name in os.environ}
    return f"{usable} of {os.cpu_count()} CPUs usable" + (f"; {limits}" if limits else "")


def _jax() -> str:
    import jax

    return ", ".join(f"{device.platform}: {device.device_kind}" for device in jax.devices())


def _gpu() -> str:
    import jax

    return cuda_stack().advice(jax.default_backend())


def _training() -> str:
    with extras_named():
        from amp_sbx import AMPPPO

    return f"{AMPPPO.__name__} can be imported; `wildrobot train smoke` is a whole run in a minute"


def _native() -> str:
    from wildrobot_gym.physics.drive import Drive
    from wildrobot_gym.physics.native import NativePhysics

    robot = RobotModel.load("wildrobot")
    physics = NativePhysics(robot, NUM_ROBOTS)
    state = physics.step(Drive(np.tile(robot.home_joint_pos, (NUM_ROBOTS, 1))))
    height = float(np.asarray(state.base_pos_w)[0, 2])
    return f"one step of {NUM_ROBOTS} robots, base at {height:.3f} m"


def _mjx() -> str:
    from wildrobot_gym.physics.mjx import mjx

    # Building the engine would compile it, which takes half a minute.
    model = RobotModel.load("wildrobot").model
    mjx.put_model(model, impl="jax")
    mjx.make_data(model, impl="jax")
    return "takes the robot's model; compiles at first use"


def _rendering() -> str:
    from wildrobot_gym.evaluation.video import can_render

    problem = can_render(RobotModel.load("wildrobot"))
    if problem:
        raise WildRobotError(problem)
    return f"MUJOCO_GL={os.environ.get('MUJOCO_GL', '(default)')}"


def _video() -> str:
    from wildrobot_gym.evaluation.video import write_video

    with tempfile.TemporaryDirectory() as folder:
        frames = [np.full((48, 64, 3), value, np.uint8) for value in (0, 128, 255)]
        size = write_video(Path(folder) / "test.mp4", frames, 50).stat().st_size
    return f"H.264, {size} bytes for three frames"


def _screen() -> str:
    from wildrobot_gym.env.render import has_screen

    if not has_screen():
        raise WildRobotError(
            "There is no screen, so `wildrobot enjoy` cannot open a window. Use `wildrobot record`."
        )
    return "a window can be opened"


CHECKS: tuple[tuple[str, Literal["needed", "optional"], Callable[[], str]], ...] = (
    ("assets", "needed", _assets),
    ("CPUs", "needed", _cpus),
    ("JAX", "needed", _jax),
    ("GPU", "optional", _gpu),
    ("MuJoCo batch", "needed", _native),
    ("training", "needed", _training),
    ("MJX", "optional", _mjx),
    ("offscreen rendering", "optional", _rendering),
    ("video", "optional", _video),
    ("screen", "optional", _screen),
)
REMEDIES = {
    "assets": "Install the wheel again, or run from a whole checkout.",
    "JAX": "Install jax for this platform, or `pip install 'wildrobot[cuda]'` on a GPU.",
    "video": "pip install 'wildrobot[viz]'.",
}
