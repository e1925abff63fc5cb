"""Shared fixtures, and run-time checks of the annotated array shapes in the packages' functions.

The shape checks run while a function is traced, so they cost next to nothing. Modules that are all about bad input from
outside (config, env, cli) are left out: there the packages' own errors are what is tested.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("JAX_PLATFORMS", "cpu")

from jaxtyping import install_import_hook

CHECKED = [
    *(f"wildrobot_gym.{name}" for name in ("rotations", "contact", "features", "history", "task")),
    *(f"amp_sbx.{name}" for name in ("losses", "style_reward", "normalizer", "advantage", "metrics", "discriminator")),
]
_hook = install_import_hook(CHECKED, "beartype.beartype")
sys.path.insert(0, str(Path(__file__).parent / "core"))  # state_makers, for all folders

import jax  # noqa: E402
import pytest  # noqa: E402

from wildrobot_gym.robot import RobotModel  # noqa: E402

ROBOTS = ("wildrobot", "wildrobot_8dof")


def pytest_configure(config: pytest.Config) -> None:
    """Every environment object compiles its own functions; a cache for the run compiles each kind once."""
    config.jax_cache = tempfile.mkdtemp(prefix="wildrobot_jax_")  # type: ignore[attr-defined]
    jax.config.update("jax_compilation_cache_dir", config.jax_cache)  # type: ignore[attr-defined]
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


def pytest_unconfigure(config: pytest.Config) -> None:
    jax.config.update("jax_compilation_cache_dir", None)
    shutil.rmtree(getattr(config, "jax_cache", ""), ignore_errors=True)


@pytest.fixture(scope="module", autouse=True)
def forget_compiled() -> Iterator[None]:
    """Every compiled function is a few memory mappings, and a process may have 65,530: a worker ran out of them."""
    yield
    jax.clear_caches()


@pytest.fixture(scope="session", params=ROBOTS)
def robot(request: pytest.FixtureRequest) -> RobotModel:
    """Each shipped robot in turn."""
    return RobotModel.load(request.param)


@pytest.fixture(scope="session")
def wildrobot() -> RobotModel:
    """The default robot, nine joints."""
    return RobotModel.load("wildrobot")
