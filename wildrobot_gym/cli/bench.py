"""``wildrobot bench``: how fast everything is, against bare physics and against what one would otherwise write.

All of it in one process and one run. The repeats of the different measurements take turns, so that a machine whose
speed drifts treats them alike; a figure is the median of its repeats, a ratio the median of the rounds' own ratios.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from wildrobot_gym.errors import ConfigError
from wildrobot_gym.experiments.bench.cases import (
    Workload,
    mjx_speed,
    subproc_speed,
    train_case,
    walking_workload,
)
from wildrobot_gym.files import write_json
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.versions import versions

RATIOS = (  # name, numerator, denominator
    ("vector_env_over_raw_physics", "vector_env_steps_per_s", "raw_physics_steps_per_s"),
    ("train_over_raw_physics", "train_steps_per_s", "raw_physics_steps_per_s"),
    ("train_over_train_no_amp", "train_steps_per_s", "train_no_amp_steps_per_s"),
    ("train_over_sbx_ppo", "train_steps_per_s", "sbx_ppo_steps_per_s"),
    ("vector_env_over_subproc", "vector_env_steps_per_s", "subproc_steps_per_s"),
    ("vector_env_over_mjx", "vector_env_steps_per_s", "mjx_steps_per_s"),
)
AMP_SHARE = "amp_fraction_of_training_time"
AMP_SHARE_TEXT = "discriminator, health and sampling, share of training time (bar 0.1)"


def run_bench(
    json_file: Path | None, envs: int, quick: bool, config_name: str, console: Console | None = None
) -> int:
    """Measure, print, and write the JSON where asked for."""
    console = console or Console()
    if envs < 1:
        raise ConfigError(f"--envs is {envs}; allowed: a whole number, 1 or more.")
    config = run_config.load(config_name, [f"n_envs={envs}"])
    steps, repeats = (8, 2) if quick else (32, 7)
    console.print(f"process {os.getpid()}; preparing and compiling", highlight=False)
    work = walking_workload(config, steps)
    cases: dict[str, Callable[[], float]] = {
        "raw_physics_steps_per_s": work.raw_physics,
        "vector_env_steps_per_s": work.vector_env,
        "train_steps_per_s": train_case(config, work.policy, "amp"),
        "train_no_amp_steps_per_s": train_case(config, work.policy, "no_amp"),
        "sbx_ppo_steps_per_s": train_case(config, work.policy, "sbx"),
    }
    samples: dict[str, list[float]] = {name: [] for name in cases}
    for _ in track(
        range(repeats),
        "measuring",
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ):
        for name, case in cases.items():
            samples[name].append(case())
    figures = {name: statistics.median(values) for name, values in samples.items()}
    notes = _others(figures, work, quick, console)
    result = {
        "figures": figures,
        "ratios": _ratios(figures, samples),
        "samples": samples,
        "notes": notes,
        "num_envs": envs,
        "config": config_name,
        "quick": quick,
        "machine": _machine(),
        "versions": versions(),
    }
    _print(result, console)
    if json_file is not None:
        write_json(json_file, result)
        console.print(f"Results: {json_file}", highlight=False)
    return 0


def _others(
    figures: dict[str, float], work: Workload, quick: bool, console: Console
) -> dict[str, str]:
    """The slow alternatives, measured once each; returns notes on how everything was measured."""
    notes = {"states": work.source}
    console.print("measuring SubprocVecEnv of the single environment", highlight=False)
    by_processes = {
        n: subproc_speed(n, 20 if quick else 200) for n in ((2,) if quick else (2, 4, 8))
    }
    best = max(by_processes, key=lambda n: by_processes[n])
    figures["subproc_steps_per_s"] = by_processes[best]
    notes["subproc"] = "processes: steps/s " + ", ".join(
        f"{n}: {speed:,.0f}" for n, speed in by_processes.items()
    )
    if quick:
        notes["mjx"] = "left out by --quick: it takes minutes to compile"
        return notes
    console.print("measuring MJX (compiles for a minute or so)", highlight=False)
    began = time.perf_counter()
    figures["mjx_steps_per_s"] = mjx_speed(256, 10)
    notes["mjx"] = (
        f"256 environments, 10 steps; {time.perf_counter() - began:.0f} s with compilation"
    )
    return notes


def _ratios(figures: dict[str, float], samples: dict[str, list[float]]) -> dict[str, float]:
    ratios = {}
    for name, top, bottom in RATIOS:
        if top in samples and bottom in samples:
            ratios[name] = statistics.median(
                a / b for a, b in zip(samples[top], samples[bottom], strict=True)
            )
        elif top in figures and bottom in figures:
            ratios[name] = figures[top] / figures[bottom]
    if (with_amp := ratios.get("train_over_train_no_amp")) is not None:
        # Whole iterations with and without, else the same: discriminator, health figures and sampling of the reference together.
        ratios[AMP_SHARE] = 1.0 - with_amp
    return ratios


def _print(result: dict[str, Any], console: Console) -> None:
    table = Table(title=f"control steps per second, {result['num_envs']} environments")
    table.add_column("what")
    table.add_column("median", justify="right")
    for name, value in result["figures"].items():
        table.add_row(name, f"{value:,.0f}")
    table.add_section()
    for name, value in result["ratios"].items():
        table.add_row(AMP_SHARE_TEXT if name == AMP_SHARE else name, f"{value:.3f}")
    console.print(table)
    for name, note in result["notes"].items():
        console.print(f"{name}: {note}", highlight=False)


def _machine() -> dict[str, Any]:
    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = [
            line.partition(":")[2].strip()
            for line in cpuinfo.read_text().splitlines()
            if "model name" in line
        ]
        model = names[0] if names else model
    load = os.getloadavg() if hasattr(os, "getloadavg") else None
    return {
        "cpu": model,
        "cpus": os.cpu_count(),
        "load_average": load,
        "system": platform.platform(),
    }
