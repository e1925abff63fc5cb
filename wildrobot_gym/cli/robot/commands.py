"""The commands of `wildrobot robot`."""

from __future__ import annotations

from collections.abc import Sequence

from wildrobot_gym.cli.dispatch import PROG, run_command

# where each command's function is
COMMANDS = {name: f"wildrobot_gym.cli.robot.{name}:{name}" for name in ("init", "check", "replay")}


def robot(arguments: Sequence[str]) -> int:
    """Make a robot of an MJCF or URDF model, and check it.

    `wildrobot robot --help` lists the commands.
    """
    return run_command(COMMANDS, f"{PROG} robot", arguments)
