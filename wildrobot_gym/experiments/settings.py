"""Parameters of the experiments: the command line shows them, the library functions take them.

This module imports nothing heavy, so that `--help` answers at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wildrobot_gym.evaluation.protocol import COMMANDS, EPISODES, SEED

Backend = Literal["native", "mjx"]


@dataclass(frozen=True, kw_only=True)
class EvaluateSettings:
    """What an evaluation measures. Only results with equal settings compare."""

    commands: tuple[float, ...] = COMMANDS
    """Forward speeds to test, in m/s."""
    episodes: int = EPISODES
    """Number of episodes at each speed. An episode lasts 10 s."""
    backend: Backend = "native"
    """Physics engine that simulates the episodes."""
    seed: int = SEED
    """Random seed for the initial states."""
    style: bool = True
    """Compare the gait with reference motion, too."""
    reference: str | None = None
    """Reference motion to compare with: a file or a shipped name. The policy's own by default."""
    robot: str | None = None
    """Robot to evaluate on. The policy's own by default; another one must have the same spaces."""


@dataclass(frozen=True, kw_only=True)
class CompareSettings:
    """How policies are compared. All run through the same episodes."""

    commands: tuple[float, ...] = COMMANDS
    """Forward speeds to test, in m/s."""
    episodes: int = 16
    """Number of episodes at each speed. An episode lasts 10 s."""
    backend: Backend = "native"
    """Physics engine that simulates the episodes."""
    seed: int = SEED
    """Random seed for the initial states."""
    style: bool = True
    """Compare each gait with reference motion, too."""
    reference: str | None = None
    """Reference motion to compare with: a file or a shipped name. Each policy's own by default."""


@dataclass(frozen=True, kw_only=True)
class RecordSettings:
    """What a video of a policy shows."""

    command: float = 0.4
    """Commanded forward speed, in m/s."""
    seconds: float = 10.0
    """Length of the video, in s."""
    size: tuple[int, int] = (640, 480)
    """Width and height of the picture, in pixels."""
    camera: Literal["track", "side", "front"] = "track"
    """Camera that films the robot."""
