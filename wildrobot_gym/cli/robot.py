"""`wildrobot robot`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro


def robot(xml: Annotated[Path, tyro.conf.Positional], /) -> int:
    """Write robot_config.yaml beside a robot's MJCF file.

    The values are those of the compiled model: joints, limits, servos, feet and the home pose.

    Args:
        xml: Path of the MJCF file.
    """
    from wildrobot_gym.robot import write_robot_config

    print(f"Wrote {write_robot_config(xml)}")
    return 0
