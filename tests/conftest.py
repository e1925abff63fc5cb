"""Shared fixtures, and run-time checks of the annotated array shapes in the packages' functions.

The shape checks run while a function is traced, so they cost next to nothing. Modules that are all
about bad input from outside (config, env, cli) are left out: there the packages' own errors are
what is tested.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

# Compiled functions are kept between runs and shared with the processes that tests start.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".jax_cache"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")

from jaxtyping import install_import_hook

TASK_MODULES = sorted(
    {file.stem for file in (Path(__file__).parents[1] / "wildrobot_gym" / "task").glob("*.py")}
    - {"config", "sections"}
)
CHECKED = [
    "wildrobot_gym.rotations",
    *(f"wildrobot_gym.task.{name}" for name in TASK_MODULES),
    "amp_sbx.algorithm.advantage",
    "amp_sbx.algorithm.losses",
    "amp_sbx.common.metrics",
    *(f"amp_sbx.discriminator.{name}" for name in ("losses", "network", "normalizer", "rewards")),
]
_hook = install_import_hook(CHECKED, "beartype.beartype")
for shared in ("core", "training"):  # state_makers and run_helpers, for all folders
    sys.path.insert(0, str(Path(__file__).parent / shared))

import jax  # noqa: E402
import pytest  # noqa: E402

from wildrobot_gym.robot import RobotModel  # noqa: E402

ROBOTS = ("wildrobot", "wildrobot_8dof")
MAPPINGS = Path("/proc/self/maps")


@pytest.fixture(scope="module", autouse=True)
def forget_compiled() -> Iterator[None]:
    """Every compiled function is a few memory mappings, and a process may have 65,530."""
    yield
    if MAPPINGS.exists() and MAPPINGS.read_bytes().count(b"\n") > 30_000:
        jax.clear_caches()


@pytest.fixture(scope="session", params=ROBOTS)
def robot(request: pytest.FixtureRequest) -> RobotModel:
    """Each shipped robot in turn."""
    return RobotModel.load(request.param)


@pytest.fixture(scope="session")
def wildrobot() -> RobotModel:
    """The default robot, nine joints."""
    return RobotModel.load("wildrobot")


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a finished run, for tests that only read it (see run_helpers)."""
    from run_helpers import TINY

    from wildrobot_gym.cli.main import main

    path = tmp_path_factory.mktemp("tiny") / "run"
    assert main([*TINY, "--out", str(path)]) == 0
    return path
