"""Paths of the shipped robots, motions, policies and configs.

In the wheel, or at the root of a checkout.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _shipped(folder: str) -> Path:
    inside_wheel = _PACKAGE / folder
    return inside_wheel if inside_wheel.is_dir() else _PACKAGE.parent / folder


ASSETS = _shipped("assets")
CONFIGS = _shipped("configs")
STUDIES = CONFIGS / "studies"
ROBOTS = ASSETS / "robots"
MOTIONS = ASSETS / "motions"
POLICIES = ASSETS / "policies"


def motion_file(motion: str | Path) -> Path:
    """Path of a motion file.

    A path as given, or the name of a shipped motion such as `walk_synthetic`.
    """
    shipped = MOTIONS / f"{motion}.npz"
    return shipped if not Path(motion).suffix and shipped.is_file() else Path(motion)
