"""`wildrobot motion analyze` under the data-first plan's name and flags."""

from __future__ import annotations

import sys
from pathlib import Path

from wildrobot_gym.cli.motion.analyze import analyze as analyze_command
from wildrobot_gym.console.error_handling import Text, run_script


def analyze(
    dataset: Text = "tier0plus_merged.npz",
    json_output: Path | None = None,
    plot: Path | None = None,
    verbose: bool = False,
    force: bool = False,
) -> int:
    """Judge a dataset: train on it, or stop, and why.

    Args:
        dataset: A reference file, or a shipped reference's name.
        json_output: File for the metrics, JSON.
        plot: File for a page of plots, .png.
        force: Overwrite files that exist.
        verbose: Accepted because the plan prints it; everything is always printed.
    """
    return analyze_command(dataset, json=json_output, plot=plot, force=force)


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0, or 2 for bad input."""
    return run_script(analyze, "analyze_tier0plus_dataset.py", arguments)


if __name__ == "__main__":
    sys.exit(main())
