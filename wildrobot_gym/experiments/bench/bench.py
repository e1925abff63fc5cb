"""Measure speed against bare physics and against what one would otherwise write.

Everything runs in one process. The repeats of the measurements take turns, so that a machine whose
speed drifts treats them alike. A speed is the median of its repeats, a ratio the median of the
rounds' own ratios.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wildrobot_gym.errors import ConfigError
from wildrobot_gym.experiments.bench.cases import (
    mjx_speed,
    subproc_speed,
    train_case,
    walking_workload,
)
from wildrobot_gym.experiments.bench.disturbed import randomized_case
from wildrobot_gym.experiments.settings import BenchSettings
from wildrobot_gym.reporting import SILENT, Reporter
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.versions import versions

RATIOS = (  # name, numerator, denominator
    ("vector_env_over_raw_physics", "vector_env_steps_per_s", "raw_physics_steps_per_s"),
    ("randomized_env_over_raw_physics", "randomized_env_steps_per_s", "raw_physics_steps_per_s"),
    ("train_over_raw_physics", "train_steps_per_s", "raw_physics_steps_per_s"),
    ("train_over_train_no_amp", "train_steps_per_s", "train_no_amp_steps_per_s"),
    ("fused_over_train", "train_fused_steps_per_s", "train_steps_per_s"),
    ("train_over_sbx_ppo", "train_steps_per_s", "sbx_ppo_steps_per_s"),
    ("vector_env_over_subproc", "vector_env_steps_per_s", "subproc_steps_per_s"),
    ("vector_env_over_mjx", "vector_env_steps_per_s", "mjx_steps_per_s"),
)
AMP_FRACTION = "amp_fraction_of_training_time"
MJX_ENVS, MJX_STEPS = 256, 10


@dataclass(frozen=True)
class BenchResult:
    """What a benchmark of the speed measured.

    Attributes:
        metrics: Control steps of one robot per second, by name.
        ratios: Ratios of these speeds, by name.
        samples: The speeds of each round, by name.
        notes: How the measurements were made.
        settings: What was measured.
    """

    metrics: Mapping[str, float]
    ratios: Mapping[str, float]
    samples: Mapping[str, Sequence[float]]
    notes: Mapping[str, str]
    settings: BenchSettings

    def to_json(self) -> dict[str, Any]:
        """Metrics, settings and the machine as JSON types."""
        return {
            "metrics": dict(self.metrics),
            "ratios": dict(self.ratios),
            "samples": dict(self.samples),
            "notes": dict(self.notes),
            "num_envs": self.settings.envs,
            "config": self.settings.config,
            "quick": self.settings.quick,
            "machine": machine(),
            "versions": versions(),
        }


def bench(settings: BenchSettings | None = None, *, report: Reporter = SILENT) -> BenchResult:
    """Measure the speed of physics, environment and training.

    Args:
        settings: What to measure.
        report: Receives messages and progress.

    Returns:
        Speeds and their ratios.

    Raises:
        ConfigError: `envs` is not positive, or there is no such config.
    """
    s = settings or BenchSettings()
    if s.envs < 1:
        raise ConfigError(f"envs is {s.envs}; allowed: a whole number, 1 or more.")
    config, inside = (
        run_config.load(s.config, [f"n_envs={s.envs}", f"env_kwargs.backend={backend}"])
        for backend in ("native", "native-jax")
    )
    steps, repeats = (8, 2) if s.quick else (32, 7)
    report.info(f"process {os.getpid()}; preparing and compiling")
    work = walking_workload(config, steps)
    cases: dict[str, Callable[[], float]] = {
        "raw_physics_steps_per_s": work.raw_physics,
        "vector_env_steps_per_s": work.vector_env,
        "randomized_env_steps_per_s": randomized_case(config, work),
        "train_steps_per_s": train_case(config, work, "amp"),
        # The same physics inside the compiled program of a whole iteration.
        "train_fused_steps_per_s": train_case(inside, work, "amp"),
        "train_no_amp_steps_per_s": train_case(config, work, "no_amp"),
        "sbx_ppo_steps_per_s": train_case(config, work, "sbx"),
    }
    samples: dict[str, list[float]] = {name: [] for name in cases}
    with report.progress("measuring", repeats * len(cases)) as advance:
        for _ in range(repeats):
            for name, case in cases.items():
                samples[name].append(case())
                advance(1)
    metrics = {name: statistics.median(values) for name, values in samples.items()}
    others, notes = _alternatives(s.quick, report)
    metrics |= others
    return BenchResult(
        metrics, ratios_of(metrics, samples), samples, {"states": work.source, **notes}, s
    )


def _alternatives(quick: bool, report: Reporter) -> tuple[dict[str, float], dict[str, str]]:
    """Measure the slow alternatives once each; their speeds, and how they were measured."""
    report.info("measuring SubprocVecEnv of the single environment")
    speeds = {n: subproc_speed(n, 20 if quick else 200) for n in ((2,) if quick else (2, 4, 8))}
    text = ", ".join(f"{n}: {speed:,.0f}" for n, speed in speeds.items())
    metrics = {"subproc_steps_per_s": max(speeds.values())}
    notes = {"subproc": f"processes: steps/s {text}"}
    if quick:
        notes["mjx"] = "not measured with quick: it takes minutes to compile"
        return metrics, notes
    report.info("measuring MJX (compiles for about a minute)")
    began = time.perf_counter()
    metrics["mjx_steps_per_s"] = mjx_speed(MJX_ENVS, MJX_STEPS)
    took = time.perf_counter() - began
    notes["mjx"] = f"{MJX_ENVS} environments, {MJX_STEPS} steps; {took:.0f} s with compilation"
    return metrics, notes


def ratios_of(
    metrics: Mapping[str, float], samples: Mapping[str, Sequence[float]]
) -> dict[str, float]:
    """Ratios of the speeds that were measured.

    Args:
        metrics: Speeds by name.
        samples: The speeds of each round, for those that were measured in rounds.

    Returns:
        `RATIOS`, and the fraction of the training time that AMP takes: discriminator, health
        metrics and sampling of the reference together.
    """
    ratios = {}
    for name, top, bottom in RATIOS:
        if top in samples and bottom in samples:
            pairs = zip(samples[top], samples[bottom], strict=True)
            ratios[name] = statistics.median(a / b for a, b in pairs)
        elif top in metrics and bottom in metrics:
            ratios[name] = metrics[top] / metrics[bottom]
    if (with_amp := ratios.get("train_over_train_no_amp")) is not None:
        ratios[AMP_FRACTION] = 1.0 - with_amp
    return ratios


def machine() -> dict[str, Any]:
    """Processor, its load, and the operating system."""
    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = cpuinfo.read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
        model = names[0] if names else model
    load = os.getloadavg() if hasattr(os, "getloadavg") else None
    return {
        "cpu": model,
        "cpus": os.cpu_count(),
        "load_average": load,
        "system": platform.platform(),
    }
