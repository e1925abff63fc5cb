"""Measure the functional environments and the fused training loop on JAX's default device.

Each part has its own try: one that does not fit the memory, or the time, leaves a note and the next
part begins. Results are written after each part.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import jax

from wildrobot_gym.errors import ConfigError
from wildrobot_gym.evaluation.benchmark import WalkBenchmark
from wildrobot_gym.experiments.bench.bench import machine
from wildrobot_gym.experiments.bench.device_cases import Training, rollout_speeds
from wildrobot_gym.files import write_json
from wildrobot_gym.reporting import SILENT, Reporter
from wildrobot_gym.training.versions import versions

OUT_OF_MEMORY = "RESOURCE_EXHAUSTED"
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
    seconds: float = 420.0
    """No part begins later than this."""
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
    began = time.perf_counter()

    def part(name: str, measure: Callable[[], None]) -> bool:
        """Whether it was measured."""
        if time.perf_counter() - began > s.seconds:
            result.notes.append(f"{name}: not measured, {s.seconds:g} s were over")
            return False
        report.info(name)
        try:
            measure()
        except jax.errors.JaxRuntimeError as error:
            if OUT_OF_MEMORY not in str(error):
                raise
            result.notes.append(f"{name}: does not fit the device's memory; {fitting(result)}")
            return False
        finally:
            if json is not None:
                write_json(json, result.to_json())
        return True

    def rollouts(engine: str, num_envs: int) -> None:
        speeds = rollout_speeds(engine, num_envs, s.steps, s.rounds)
        result.rollouts.append({"engine": engine, "envs": num_envs, **speeds})

    def training(engine: str) -> None:
        result.training[engine] = _training(engine, s)

    for engine in s.engines:
        for num_envs in sorted(s.envs):
            name = f"{engine}, {num_envs} environments"
            if not part(name, partial(rollouts, engine, num_envs)):
                break
        if s.train_envs:
            part(f"training on {engine}, {s.train_envs} environments", partial(training, engine))
    if json is not None:
        write_json(json, result.to_json())
    return result


def fitting(result: DeviceBenchResult) -> str:
    """About how many environments the device's memory holds, from the largest row measured."""
    stats = jax.devices()[0].memory_stats() or {}
    rows = [row for row in result.rollouts if row["peak_bytes"]]
    if not rows or "bytes_limit" not in stats:
        return "take fewer environments"
    last = rows[-1]
    count = int(stats["bytes_limit"] * last["envs"] / last["peak_bytes"])
    return f"about {count:,} environments would"


def _training(engine: str, s: DeviceBenchSettings) -> dict[str, Any]:
    training = Training(s.config, engine, s.train_envs, s.overrides)
    compiled = training.iterate()
    seconds = [training.iterate() for _ in range(s.rounds)]
    per_iteration = sorted(seconds)[len(seconds) // 2]
    found: dict[str, Any] = {
        "envs": s.train_envs,
        "compile_s": compiled - per_iteration,
        "steps_per_s": training.steps_per_iteration / per_iteration,
        "walks_after_s": None,
        "success": 0.0,
    }
    if s.walk_seconds <= 0.0:
        return found
    spent, next_check = sum(seconds) + per_iteration, 0.0
    benchmark = WalkBenchmark(training.env_kwargs, (0.4,), 8, backend="native")
    while spent < s.walk_seconds and found["walks_after_s"] is None:
        spent += training.iterate()
        if spent >= next_check:
            success = benchmark.run(training.policy).overall["success"]["mean"]
            found["success"] = success
            found["walks_after_s"] = spent if success >= WALKS else None
            next_check = spent + s.walk_seconds / 12
    benchmark.close()
    return found
