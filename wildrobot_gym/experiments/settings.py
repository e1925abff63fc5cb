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


@dataclass(frozen=True, kw_only=True)
class BenchSettings:
    """What a benchmark of the speed measures."""

    envs: int = 1024
    """Number of environments."""
    quick: bool = False
    """Use few repeats, for a first look only."""
    config: str = "walk_amp"
    """Run config whose training is measured: a shipped name or a YAML file."""


@dataclass(frozen=True, kw_only=True)
class SelfImitateSettings:
    """How a policy's own gait becomes reference motion, and what learns from it."""

    policy: str | None = None
    """Policy to imitate, in place of a baseline that is trained: a .zip file, a run directory, or
    the name of a shipped policy."""
    baseline: str = "walk_ppo"
    """Run config of the baseline: a shipped name or a YAML file."""
    config: str = "walk_amp"
    """Run config of the AMP run: a shipped name or a YAML file. Its reference, its style weight
    (0.1, rising from 0) and its initial networks are set."""
    baseline_steps: int | None = None
    """Environment steps of the baseline. Those of its config by default."""
    grounded_steps: int | None = None
    """Further environment steps in which the baseline learns not to hop, which the quality gates
    refuse. 3 million by default; 0 leaves them out."""
    amp_steps: int | None = None
    """Environment steps of the AMP run. Those of its config by default."""
    commands: tuple[float, ...] = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
    """Forward speeds to record, in m/s."""
    seconds: float = 30.0
    """Seconds of walking to record at each speed."""
    seed: int = 0
    """Random seed for all runs and for the recording."""
