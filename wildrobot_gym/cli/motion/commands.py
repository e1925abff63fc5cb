"""The commands of `wildrobot motion`."""

from __future__ import annotations

from collections.abc import Sequence

from wildrobot_gym.cli.dispatch import PROG, run_command

_NAMES = (
    "build",
    "retarget",
    "loop",
    "track",
    "perform",
    "select",
    "analyze",
    "harness",
    "check-features",
    "probe",
    "play",
)
COMMANDS = {
    name: f"wildrobot_gym.cli.motion.{name.replace('-', '_')}:{name.replace('-', '_')}"
    for name in _NAMES
}  # where each command's function is


def motion(arguments: Sequence[str]) -> int:
    """Make, retarget, perform and judge reference motion.

    `wildrobot motion --help` lists the commands.
    """
    return run_command(COMMANDS, f"{PROG} motion", arguments)
