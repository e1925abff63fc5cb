"""A picture of a device's benchmark."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from wildrobot_gym.experiments.bench.device import DeviceBenchResult
from wildrobot_gym.files import atomic_write

KINDS = {
    "physics": "bare physics",
    "functional": "functional environment",
    "vector_env": "make_vec",
}


def plot_speeds(result: DeviceBenchResult, path: Path) -> None:
    """Draw control steps a second over the number of environments, a line for each kind.

    Args:
        result: What was measured.
        path: The PNG file.
    """
    figure = Figure(figsize=(6.0, 4.0), layout="constrained")
    axes = figure.subplots()
    for engine in result.settings.engines:
        rows = [row for row in result.rollouts if row["engine"] == engine]
        for kind, label in KINDS.items():
            speeds = [row[f"{kind}_steps_per_s"] for row in rows]
            axes.plot([row["envs"] for row in rows], speeds, "o-", label=f"{label}, {engine}")
    axes.set(xlabel="environments", ylabel="control steps a second", xscale="log", yscale="log")
    if result.rollouts:
        axes.legend(fontsize="small")
    with atomic_write(path) as stream:
        figure.savefig(stream, format="png", dpi=150)
