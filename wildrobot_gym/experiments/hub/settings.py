"""Parameters of `wildrobot push` and `pull`; nothing heavy, so that `--help` answers at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class PushSettings:
    """What goes to the hub with a policy."""

    results: Path | None = None
    """Evaluation JSON for the model card; by default results.json beside the policy."""
    video: Path | None = None
    """Video to include, .mp4; by default one is recorded at the fastest speed it masters."""
    no_video: bool = False
    """Include no video."""
    license: str | None = None
    """License of the policy, as the hub names it, such as mit or cc-by-4.0."""
    private: bool = False
    """Make a new repository private. An existing one stays as it is."""
    message: str = "Upload a WildRobot policy"
    """Commit message."""


@dataclass(frozen=True, kw_only=True)
class PullSettings:
    """What to take from the hub."""

    revision: str | None = None
    """Branch, tag or commit; by default the newest."""
    file: str | None = None
    """The policy's file in the repository; by default policy.zip, or the only .zip."""
    force: bool = False
    """Overwrite what is in the folder."""
