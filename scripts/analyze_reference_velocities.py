"""Forward velocities of a reference: the histogram that `wildrobot motion analyze` shows."""

from __future__ import annotations

import sys

from rich.console import Console

from wildrobot_gym.cli.motion.analyze import velocity_table
from wildrobot_gym.console.error_handling import Text, run_script
from wildrobot_gym.experiments.motion.analyze import analyze_dataset


def velocities(dataset: Text = "walk_synthetic") -> int:
    """Print the histogram of a reference's forward velocity.

    Args:
        dataset: A reference file, or a shipped reference's name.
    """
    Console().print(velocity_table(analyze_dataset(dataset).analysis))
    return 0


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0, or 2 for bad input."""
    return run_script(velocities, "analyze_reference_velocities.py", arguments)


if __name__ == "__main__":
    sys.exit(main())
