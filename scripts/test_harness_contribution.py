"""`wildrobot motion harness` under the data-first plan's name and flags."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from wildrobot_gym.cli.motion.harness import harness
from wildrobot_gym.console.error_handling import run_script
from wildrobot_gym.experiments.motion.settings import HarnessSettings


def contribution(
    motion: str = "walk_synthetic",
    duration: float = 10.0,
    json_output: Path | None = None,
    verbose: bool = False,
    force: bool = False,
) -> int:
    """Measure how much of each clip's performance is the harness's.

    Args:
        motion: A clip, a reference file, a shipped reference, or human motion.
        duration: Duration of each performance, in seconds.
        json_output: File for the metrics, JSON.
        verbose: Also print what was found out about the file.
        force: Overwrite the metrics if they exist.
    """
    if verbose:
        logging.basicConfig(level=logging.INFO, format="%(message)s")
    return harness((motion,), HarnessSettings(duration=duration), json=json_output, force=force)


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0, 1 where a clip was left out, 2 for bad input."""
    return run_script(contribution, "test_harness_contribution.py", arguments)


if __name__ == "__main__":
    sys.exit(main())
