"""A training run on disk: what lies where, and checkpoints that let a killed run go on as if nothing had happened."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from amp_sbx.common import archive as checkpoint
from amp_sbx.common.errors import CheckpointError
from wildrobot_gym.errors import RunError
from wildrobot_gym.files import atomic_write, locked
from wildrobot_gym.training import yaml_io
from wildrobot_gym.training.config import MOTION_DIGESTS, RunConfig

PACKAGES = (
    "wildrobot",
    "gymnasium",
    "mujoco",
    "mujoco-mjx",
    "jax",
    "jaxlib",
    "flax",
    "optax",
    "stable-baselines3",
    "sbx-rl",
    "torch",
    "numpy",
)
_STEP = re.compile(r"step_(\d+)\.zip")


@dataclass(frozen=True)
class RunDirectory:
    """Paths of one run. ``checkpoints/step_N.zip`` (model) and ``step_N.npz`` (environments) belong together."""

    path: Path

    @property
    def config(self) -> Path:
        return self.path / "config.yaml"

    @property
    def progress(self) -> Path:
        return self.path / "progress.csv"

    @property
    def tensorboard(self) -> Path:
        return self.path / "tb"

    @property
    def told(self) -> Path:
        """What was told of the discriminator while it learned, line by line: verdicts with reason and advice, moves, waits."""
        return self.path / "discriminator.txt"

    @property
    def best(self) -> Path:
        return self.path / "best.zip"

    @property
    def final(self) -> Path:
        return self.path / "final.zip"

    def checkpoint(self, num_timesteps: int) -> Path:
        return self.path / "checkpoints" / f"step_{num_timesteps:012d}.zip"

    def checkpoints(self) -> list[Path]:
        """Whole checkpoints, oldest first: those whose model and environment files are both there."""
        found = [
            p for p in (self.path / "checkpoints").glob("step_*.zip") if _STEP.fullmatch(p.name)
        ]
        return sorted(p for p in found if p.with_suffix(".npz").is_file())

    def holds_a_run(self) -> bool:
        return self.config.is_file()

    def check_free(self) -> None:
        """Raise RunError where the folder holds a run or any other file."""
        if self.holds_a_run():
            raise RunError(
                f"{self.path} already holds a run. Go on with it by --resume, or choose another folder by --out."
            )
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise RunError(f"{self.path} exists and is no empty folder. Choose another by --out.")

    def begin(self, config: RunConfig) -> None:
        """Make the folder and write config.yaml and versions.json.

        Raises:
            RunError: the folder is not free, or cannot be written.
        """
        self.check_free()
        try:
            self.write_config(
                config
            )  # first, and it makes the folder: what holds a config can be gone on with
            (self.path / "checkpoints").mkdir(exist_ok=True)
            with atomic_write(self.path / "versions.json") as stream:
                stream.write((json.dumps(versions(), indent=2) + "\n").encode())
        except OSError as error:
            raise RunError(f"Cannot make the run folder {self.path}: {error}.") from error

    def check_motions(self, config: RunConfig, policy: Path) -> None:
        """Raise RunError where a file of reference motion is no longer the one that ``policy``, of this run, has learned from.

        Raises:
            ConfigError: the file is not there. CheckpointError: ``policy`` cannot be read.
        """
        digests = (
            dict(checkpoint.read_meta(policy).get("extra") or {}).get(MOTION_DIGESTS) or {}
        )  # older ones have none
        changed = [
            name
            for name, digest in config.motion_digests().items()
            if digests.get(name, digest) != digest
        ]
        if changed:
            raise RunError(
                f"{self.path} has learned from another file than {', '.join(changed)} is now (its SHA-256 differs). Restore the"
                " file that it was begun with, or start anew."
            )

    @contextlib.contextmanager
    def claimed(self) -> Iterator[None]:
        """The run in this process's hands alone; the lock ends with the process, however that ends.

        Raises:
            RunError: another process trains it, or the folder cannot be written.
        """
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(locked(self.path / ".lock"))
            except BlockingIOError:
                raise RunError(
                    f"Another process is training {self.path}. Wait for its end, or stop it."
                ) from None
            except OSError as error:
                raise RunError(f"Cannot lock {self.path}: {error}.") from error
            yield

    def final_steps(self) -> int:
        """Environment steps that the policy of final.zip has learned for; 0 without one that can be read."""
        try:
            return int(checkpoint.read(self.final)[0]["counters"]["num_timesteps"])
        except (CheckpointError, KeyError, TypeError, ValueError):
            return 0

    def write_config(self, config: RunConfig) -> None:
        """config.yaml, also anew when a run goes on with another length.

        Raises:
            RunError: it could not be written.
        """
        try:
            with atomic_write(self.config) as stream:
                stream.write(yaml_io.dump(config.spelled_out()).encode())
        except OSError as error:
            raise RunError(f"Cannot write {self.config}: {error}.") from error

    def read_config(self) -> dict[str, Any]:
        """config.yaml as a mapping.

        Raises:
            RunError: there is no run to go on with, or the file holds none.
        """
        if not self.holds_a_run():
            raise RunError(f"{self.path} holds no run to resume. Start one without --resume.")
        values = yaml_io.read(self.config)
        if not isinstance(values, Mapping):
            raise RunError(
                f"{self.config} holds no settings of a run; it is damaged. Move {self.path} away."
            )
        return dict(values)

    def drop_old(self, keep: int) -> None:
        """Delete all checkpoints but the newest ``keep``; the model's file goes first, so no half one is ever found."""
        for old in self.checkpoints()[:-keep]:
            old.unlink(missing_ok=True)
            old.with_suffix(".npz").unlink(missing_ok=True)


def steps_of(checkpoint: Path) -> int:
    """Environment steps in a checkpoint's name."""
    match = _STEP.fullmatch(checkpoint.name)
    return int(match.group(1)) if match else 0


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """An .npz, atomically: a full disk leaves an older file whole.

    Raises:
        RunError: it could not be written.
    """
    try:
        with atomic_write(path) as stream:
            np.savez(stream, **arrays)  # type: ignore[arg-type]
    except OSError as error:
        raise RunError(f"Cannot write {path}: {error}. Free some space.") from error


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz without pickles; RunError where it is missing or damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except Exception as error:  # zipfile, zlib and numpy raise many kinds for a damaged file
        hint = "The checkpoint is damaged; delete it to use the one before."
        raise RunError(f"Cannot read {path}: {error}. {hint}") from error


def versions() -> dict[str, Any]:
    """Python, platform, package versions, and the commit of the checkout, if it is one."""
    packages = {}
    for name in PACKAGES:
        try:
            packages[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            packages[name] = "not installed"
    return {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "packages": packages,
        "git": git_state(),
    }


def git_state() -> dict[str, Any] | None:
    """Commit and whether files were changed since; None outside a checkout or before the first commit."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=root, capture_output=True, text=True, timeout=20, check=True
        )
        return done.stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return None
