"""Measure environments and training on a GPU, unattended: `python scripts/bench_gpu.py`.

It needs at most eight minutes there. With `--tiny` it runs to the end on a CPU.
"""

from __future__ import annotations

import sys
from pathlib import Path

from wildrobot_gym.console.error_handling import run_script
from wildrobot_gym.console.reporter import ConsoleReporter
from wildrobot_gym.experiments.bench.device import DeviceBenchSettings, bench_device
from wildrobot_gym.experiments.bench.device_plot import plot_speeds

TINY = DeviceBenchSettings(
    engines=("native-jax",),
    envs=(8,),
    steps=4,
    rounds=1,
    train_envs=8,
    seconds=3600.0,  # a slow CPU also runs to the end
    walk_seconds=0.0,
    overrides=("n_steps=4", "batch_size=32", "n_epochs=1"),
)


def bench_gpu(
    engines: tuple[str, ...] = ("mjx",),
    envs: tuple[int, ...] = DeviceBenchSettings.envs,
    train_envs: int = DeviceBenchSettings.train_envs,
    steps: int = DeviceBenchSettings.steps,
    rounds: int = DeviceBenchSettings.rounds,
    tiny: bool = False,
    out: Path = Path("bench_gpu"),
) -> int:
    """Measure the speed of physics, environments and training, and the time until a robot walks.

    Args:
        engines: Physics engines to measure.
        envs: Numbers of environments to measure.
        train_envs: Environments of the training; 0 leaves it out.
        steps: Control steps of a timed rollout.
        rounds: Timed rollouts of each kind, taken in turns.
        tiny: Measure a few environments on native physics, as a check on a CPU.
        out: The results go to this name with .json, their plot to it with .png.
    """
    asked = DeviceBenchSettings(
        engines=engines, envs=envs, train_envs=train_envs, steps=steps, rounds=rounds
    )
    settings = TINY if tiny else asked
    reporter = ConsoleReporter()
    result = bench_device(settings, out.with_suffix(".json"), report=reporter)
    plot_speeds(result, out.with_suffix(".png"))
    for row in result.rollouts:
        reporter.info(
            f"{row['engine']}, {row['envs']:,} environments:"
            f" {row['functional_steps_per_s']:,.0f} steps a second"
        )
    for engine, found in result.training.items():
        reporter.info(f"training on {engine}: {found['steps_per_s']:,.0f} steps a second")
    for note in result.notes:
        reporter.warning(note)
    return 0


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0, or 2 for bad input."""
    return run_script(bench_gpu, "bench_gpu.py", arguments)


if __name__ == "__main__":
    sys.exit(main())
