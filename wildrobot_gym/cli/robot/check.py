"""`wildrobot robot check`."""

from __future__ import annotations

from typing import Annotated

import tyro


def check(robot: Annotated[str, tyro.conf.Positional], /) -> int:
    """Check what a robot lacks, and whether it stands at home.

    The exit code is 1 where something may be wrong.

    Args:
        robot: A shipped robot's name, a folder with a robot.yaml, or that file.
    """
    from wildrobot_gym.console.reporter import ConsoleReporter
    from wildrobot_gym.robot import RobotModel
    from wildrobot_gym.robot.report import lines_of, stand_at_home, warnings_of

    reporter = ConsoleReporter()
    loaded = RobotModel.load(robot)
    stand = stand_at_home(loaded)
    for line in lines_of(loaded, stand):
        reporter.info(line)
    found = warnings_of(loaded, stand)
    for text in found:
        reporter.warning(text)
    if not found:
        reporter.info("Nothing is missing.")
    return 1 if found else 0
