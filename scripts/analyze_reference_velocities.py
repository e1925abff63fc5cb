"""Forward velocities of a reference, of which ``wildrobot motion analyze`` shows the shares: how fast, how much of it stands."""

from __future__ import annotations

import sys

from wildrobot_gym.cli.motion.analyze import run_velocities
from wildrobot_gym.console.error_handling import Text, run_script


def velocities(dataset: Text = "walk_synthetic") -> int:
    """Print the histogram of a reference's forward velocity.

    Args:
        dataset: A reference file, or a shipped reference's name.
    """
    return run_velocities(dataset)


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0, or 2 for bad input."""
    return run_script(velocities, "analyze_reference_velocities.py", arguments)


if __name__ == "__main__":
    sys.exit(main())
