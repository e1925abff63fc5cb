"""Measure the functional environments and the fused training loop on JAX's default device.

Each part has its own try: one that does not fit the memory, or the time, leaves a note and the next
part begins. Results are written after each part.
"""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import jax

from amp_sbx.common.memory import is_out_of_memory, num_fitting
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.evaluation.benchmark import WalkBenchmark
from wildrobot_gym.experiments.bench.bench import machine
from wildrobot_gym.experiments.bench.device_cases import Training, rollout_speeds
from wildrobot_gym.files import write_json
from wildrobot_gym.reporting import SILENT, Reporter
from wildrobot_gym.training.versions import versions

WALKS = 0.95  # fraction of successful episodes


@dataclass(frozen=True, kw_only=True)
class DeviceBenchSettings:
    """What a benchmark of a device measures."""

    engines: tuple[str, ...] = ("mjx",)
    """Physics engines: mjx or native-jax."""
    envs: tuple[int, ...] = (1024, 4096, 8192, 16384, 32768)
    """Numbers of environments."""
    steps: int = 50
    """Control steps of a timed rollout."""
    rounds: int = 3
    """Timed rollouts of each kind, taken in turns."""
    seconds: float = 450.0
    """The whole ends then: what would take longer is left out or cut short."""
    train_envs: int = 8192
    """Environments of the training; 0 leaves it out."""
    walk_seconds: float = 180.0
    """Longest training until the robot walks."""
    config: str = "walk_amp"
    """Run config of the training."""
    overrides: tuple[str, ...] = ()
    """Changes to the run config, as key=value."""


@dataclass
class DeviceBenchResult:
    """What a benchmark of a device measured.

    Attributes:
        settings: What was asked for.
        rollouts: One row for each engine and number of environments.
        training: Speed of the training and time until the robot walks, by engine.
        notes: Parts that were left out, and why.
    """

    settings: DeviceBenchSettings
    rollouts: list[dict[str, Any]] = field(default_factory=list)
    training: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Results and the machine as JSON types."""
        device = jax.devices()[0]
        return {
            "device": {"platform": device.platform, "kind": device.device_kind},
            "machine": machine(),
            "versions": versions(),
            "settings": vars(self.settings),
            "rollouts": self.rollouts,
            "training": self.training,
            "notes": self.notes,
        }


def bench_device(
    settings: DeviceBenchSettings | None = None,
    json: Path | None = None,
    *,
    report: Reporter = SILENT,
) -> DeviceBenchResult:
    """Measure environments and training on JAX's default device.

    Args:
        settings: What to measure.
        json: File for the results. It is written after each part.
        report: Receives messages.

    Returns:
        Speeds in control steps of one robot per second, with compile times and memory.

    Raises:
        ConfigError: a number is not positive.
    """
    s = settings or DeviceBenchSettings()
    if min(*s.envs, s.steps, s.rounds) < 1:
        raise ConfigError(f"envs {s.envs}, steps {s.steps} and rounds {s.rounds} must be positive.")
    result = DeviceBenchResult(s)
    end = time.perf_counter() + s.seconds
    longest = 0.0  # seconds of a part so far: the next one compiles as much

    def left() -> float:
        return end - time.perf_counter()

    def part(name: str, measure: Callable[[], None], reserved: float = 0.0) -> bool:
        """Whether it was measured. It begins only if `reserved` seconds are likely to remain."""
        nonlocal longest
        if (remaining := left()) < longest + reserved:
            result.notes.append(f"{name}: not measured, as {max(remaining, 0.0):.0f} s were left")
            return False
        report.info(name)
        try:
            measure()
        except Exception as error:
            # The environment's own error has JAX's as its cause.
            if not (is_out_of_memory(error) or is_out_of_memory(error.__cause__)):
                raise
            result.notes.append(f"{name}: does not fit the device's memory; {fitting(result)}")
            return False
        finally:
            longest = max(longest, remaining - left())
            if json is not None:
                write_json(json, result.to_json())
        return True

    def rollouts(engine: str, num_envs: int) -> None:
        speeds = rollout_speeds(engine, num_envs, s.steps, s.rounds)
        result.rollouts.append({"engine": engine, "envs": num_envs, **speeds})

    def training(engine: str) -> None:
        case = Training(s.config, engine, s.train_envs, s.overrides)
        result.training[engine] = _train(case, s, left)

    for number, engine in enumerate(s.engines):
        trainings = len(s.engines) - number if s.train_envs else 0
        for num_envs in sorted(s.envs):
            name = f"{engine}, {num_envs} environments"
            if not part(name, partial(rollouts, engine, num_envs), trainings * s.walk_seconds):
                break
        if s.train_envs:
            part(f"training on {engine}, {s.train_envs} environments", partial(training, engine))
    if json is not None:
        write_json(json, result.to_json())
    return result


def fitting(result: DeviceBenchResult) -> str:
    """About how many environments the device's memory holds, from the largest row measured."""
    rows = [row for row in result.rollouts if row["peak_bytes"]]
    if not rows:
        return "take fewer environments"
    count = num_fitting(rows[-1]["envs"], rows[-1]["peak_bytes"])
    return f"about {count:,} environments would"


def _train(training: Training, s: DeviceBenchSettings, left: Callable[[], float]) -> dict[str, Any]:
    """Train until the robot walks or time is over.

    Args:
        training: What is trained.
        s: The limits.
        left: The seconds that are left.

    Returns:
        The speed, and when the robot walked.
    """
    found: dict[str, Any] = {"envs": s.train_envs, "walks_after_s": None, "success": 0.0}
    seconds: list[float] = []
    next_check = 0.0
    with contextlib.closing(
        WalkBenchmark(training.env_kwargs, (0.4,), 8, backend="native")
    ) as benchmark:

        def judge(took: float) -> bool:
            nonlocal next_check
            seconds.append(took)
            timed = seconds[1:] or seconds  # the first one compiles
            per_iteration = statistics.median(timed)
            found.update(
                compile_s=seconds[0] - per_iteration,
                steps_per_s=training.steps_per_iteration / per_iteration,
            )
            spent = sum(timed) + per_iteration
            if len(timed) < s.rounds:
                return left() > 0
            if s.walk_seconds > 0 and spent >= next_check:
                success = benchmark.run(training.policy).overall["success"]["mean"]
                found["success"] = success
                found["walks_after_s"] = spent if success >= WALKS else None
                next_check = spent + s.walk_seconds / 12
            return found["walks_after_s"] is None and spent < s.walk_seconds and left() > 0

        training.learn(judge)
    return found
