"""Parameters of the experiments: the command line shows them, the library functions take them.

This module imports nothing heavy, so that `--help` answers at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from wildrobot_gym.errors import ConfigError
from wildrobot_gym.evaluation.protocol import COMMANDS, EPISODES, FLAT, SEED

LONGEST_S = 86_400.0  # a day
Backend = Literal["auto", "native", "mjx", "native-jax"]


@dataclass(frozen=True, kw_only=True)
class EvaluateSettings:
    """What an evaluation measures. Results compare only if their settings are equal."""

    suite: str = FLAT
    """Suite of episodes: flat, directions, stand or another of the benchmark's, or all."""
    commands: tuple[float, ...] = COMMANDS
    """Forward speeds to test in the suite flat, in m/s."""
    episodes: int = EPISODES
    """Number of episodes at each speed, or in each row of a suite."""
    backend: Backend = "auto"
    """Physics engine; "auto" is "mjx" where JAX runs on an accelerator, else "native"."""
    seed: int = SEED
    """Random seed for the initial states."""
    style: bool = True
    """Compare the gait with reference motion; --no-style leaves this out."""
    reference: str | None = None
    """Reference motion to compare with, a file or a shipped name: by default the policy's own."""
    robot: str | None = None
    """Robot to evaluate on, with the same spaces as the policy's own, which is the default."""


@dataclass(frozen=True, kw_only=True)
class DistillSettings:
    """How a policy learns from one that performs clips."""

    teacher: str
    """Run directory or .zip file of `wildrobot train track`."""
    reference: str
    """Clips that the teacher performs: a file or a shipped name."""
    out: Path = Path("student.zip")
    """File for the policy, .zip."""
    rounds: int = 7
    """Number of rounds. In the first, the teacher acts; in the others, the student acts too."""
    num_envs: int = 512
    """Number of robots."""
    steps: int = 240
    """Control steps of each robot in a round."""
    noise: float = 0.12
    """Standard deviation of the noise on the actions of half the robots; the others have a third.

    It leads them to where a policy that still explores will be.
    """
    seed: int = 0
    """Random seed."""

    def __post_init__(self) -> None:
        for name in ("rounds", "num_envs", "steps"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}; allowed: 1 or more.")
        if not 0.0 <= self.noise <= 1.0:
            raise ConfigError(f"noise is {self.noise}; allowed: 0 to 1.")


@dataclass(frozen=True, kw_only=True)
class CompareSettings:
    """How policies are compared. All run through the same episodes."""

    suite: str = FLAT
    """Suite to run besides flat, or all."""
    commands: tuple[float, ...] = COMMANDS
    """Forward speeds to test, in m/s."""
    episodes: int = 16
    """Number of episodes at each speed. An episode lasts 10 s."""
    backend: Backend = "auto"
    """Physics engine; "auto" is "mjx" where JAX runs on an accelerator, else "native"."""
    seed: int = SEED
    """Random seed for the initial states."""
    style: bool = True
    """Compare each gait with reference motion; --no-style leaves this out."""
    reference: str | None = None
    """Reference motion to compare with, a file or a shipped name: by default each policy's own."""


@dataclass(frozen=True, kw_only=True)
class RecordSettings:
    """What a video of a policy shows."""

    command: float = 0.4
    """Commanded forward speed, in m/s."""
    vy: float = 0.0
    """Commanded speed to the left, in m/s."""
    yaw_rate: float = 0.0
    """Commanded turning rate to the left, in rad/s."""
    seconds: float = 10.0
    """Length of the video, in s."""
    size: tuple[int, int] = (640, 480)
    """Width and height of the picture, in pixels."""
    camera: Literal["track", "side", "front"] = "track"
    """Camera that films the robot."""


@dataclass(frozen=True, kw_only=True)
class ExportSettings:
    """How a policy is exported."""

    format: Literal["onnx", "npz"] = "onnx"
    """Format of the network: ONNX, or the arrays of its layers, which need NumPy alone."""
    license: str | None = None
    """License of the policy; by default that of a shipped policy, and none of your own."""
    results: Path | None = None
    """JSON file of `wildrobot eval`, to be summarized in policy.json."""
    force: bool = False
    """Overwrite files of an earlier export."""


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
    """Policy to imitate, a .zip file, run directory or shipped name; None trains a baseline."""
    baseline: str = "walk_ppo"
    """Run config of the baseline: a shipped name or a YAML file."""
    config: str = "walk_amp"
    """Run config of the AMP run. Its reference, weight (0.1) and first networks are replaced."""
    baseline_steps: int | None = None
    """Environment steps of the baseline: by default those of its config."""
    grounded_steps: int | None = None
    """Further steps in which the baseline learns not to hop: by default 3 million; 0 for none."""
    amp_steps: int | None = None
    """Environment steps of the AMP run: by default those of its config."""
    commands: tuple[float, ...] = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
    """Forward speeds to record, in m/s."""
    seconds: float = 30.0
    """Seconds of walking to record at each speed."""
    seed: int = 0
    """Random seed for all runs and for the recording."""


@dataclass(frozen=True, kw_only=True)
class PageSettings:
    """Where a live page is, and for how long."""

    seconds: float | None = None
    """Seconds until the viewer ends; by default when you close it or press Ctrl-C."""
    host: str = "127.0.0.1"
    """Address of the page; 0.0.0.0 shows it to the network of this machine."""
    port: int = 8080
    """Port of the page; the next free one where it is taken."""

    def check(self) -> None:
        """Raise ConfigError unless the numbers are in range."""
        if self.seconds is not None and not 0 < self.seconds <= LONGEST_S:
            raise ConfigError(
                f"seconds is {self.seconds}; allowed: more than 0, at most {LONGEST_S:g}, or none."
            )
        if not 1 <= self.port <= 65_535:
            raise ConfigError(f"port is {self.port}; allowed: 1 to 65535.")


@dataclass(frozen=True, kw_only=True)
class ViewSettings(PageSettings):
    """How a policy is shown live."""

    command: float = 0.4
    """Commanded forward speed at first, in m/s."""
    vy: float = 0.0
    """Commanded speed to the left at first, in m/s."""
    yaw_rate: float = 0.0
    """Commanded turning rate to the left at first, in rad/s."""
    seed: int = 0
    """Random seed for the initial states."""

    def check(self) -> None:
        """Raise ConfigError unless the numbers are in range."""
        super().check()
        for name in ("command", "vy", "yaw_rate"):
            if not math.isfinite(value := getattr(self, name)):
                raise ConfigError(f"{name} is {value}; allowed: a finite number.")
        if self.seed < 0:
            raise ConfigError(f"seed is {self.seed}; allowed: a whole number, 0 or more.")


@dataclass(frozen=True, kw_only=True)
class ReportSettings:
    """What the report of a run measures and films."""

    suite: str = FLAT
    """Suite to run besides flat, or all."""
    commands: tuple[float, ...] = COMMANDS
    """Forward speeds to test, in m/s."""
    episodes: int = 8
    """Number of episodes at each speed. An episode lasts 10 s."""
    backend: Backend = "auto"
    """Physics engine; "auto" is "mjx" where JAX runs on an accelerator, else "native"."""
    seed: int = SEED
    """Random seed for the initial states."""
    style: bool = True
    """Compare the gait with reference motion; --no-style leaves this out."""
    video: bool = True
    """Film the robot at the middle speed; --no-video leaves this out."""
    seconds: float = 6.0
    """Length of the video, in s."""
