"""What a run was made with: Python, packages, machine and commit."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

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


def versions() -> dict[str, Any]:
    """Python, platform, number of CPUs, package versions, and the commit of a checkout."""
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
    """The commit, and whether files have changed since; None without a commit."""
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
