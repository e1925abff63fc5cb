"""`wildrobot robot init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro


def init(
    model: Annotated[Path, tyro.conf.Positional], /, picture: bool = True, force: bool = False
) -> int:
    """Write a first robot.yaml beside a model, and draw it.

    The model itself stays as it is. The exit code is 1 where the robot cannot be loaded yet.

    Args:
        model: MJCF or URDF file.
        picture: Draw robot.png: pads red, joint axes, and one number for each mirror pair.
        force: Overwrite an older robot.yaml and robot.png.
    """
    from wildrobot_gym.console.reporter import ConsoleReporter
    from wildrobot_gym.experiments.robot_picture import write_picture
    from wildrobot_gym.files import check_free
    from wildrobot_gym.robot import ROBOT_FILE, RobotModel
    from wildrobot_gym.robot.guess import guess, write_guess
    from wildrobot_gym.robot.report import lines_of, stand_at_home, warnings_of

    reporter = ConsoleReporter()
    drawing = model.parent / "robot.png"
    check_free([model.parent / ROBOT_FILE, drawing if picture else None], force)
    found = guess(model)
    path = write_guess(found)
    reporter.info(f"Wrote {path}. Guessed:")
    for key, note in found.notes.items():
        reporter.info(f"  {key}: {note}")
    if found.problem is not None:
        reporter.warning(f"It cannot be loaded yet. {found.problem}")
        return 1
    robot = RobotModel.load(path)
    stand = stand_at_home(robot)
    for line in lines_of(robot, stand):
        reporter.info(line)
    for text in warnings_of(robot, stand):
        reporter.warning(text)
    if picture:
        write_picture(robot, drawing)
        reporter.info(f"Drew {drawing}: check the pads, the axes and the pairs.")
    return 0
