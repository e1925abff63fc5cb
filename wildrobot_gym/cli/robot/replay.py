"""`wildrobot robot replay`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro


def replay(file: Annotated[Path, tyro.conf.Positional], /) -> int:
    """Repeat the last control steps of a simulation that diverged.

    `WILDROBOT_DUMP=folder` lets every command write such files. The exit code is 1 where the
    simulation does not diverge again.

    Args:
        file: A file that a command has written.
    """
    from wildrobot_gym.console.reporter import ConsoleReporter
    from wildrobot_gym.console.tables import number_table
    from wildrobot_gym.physics.replay import replay as repeated

    reporter = ConsoleReporter()
    columns = ["height, m", "joint speed, rad/s", "torque, N*m", "as recorded"]
    table = number_table(str(file), "step", columns)
    diverged = False
    for number, step in enumerate(repeated(file)):
        torque = "-" if step.torque is None else f"{step.torque:.2f}"
        values = (f"{step.height:.3f}", f"{step.joint_speed:.2f}", torque)
        table.add_row(f"{number}", *values, "yes" if step.same else "no")
        diverged = step.diverged
    reporter.console.print(table)
    if not diverged:
        reporter.warning("It does not diverge here: another MuJoCo, robot or machine.")
        return 1
    reporter.info("It diverges in the last step.")
    return 0
