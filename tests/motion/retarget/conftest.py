"""Made-up humans for the tests of retargeting."""

from __future__ import annotations

import numpy as np
import pytest
from humans import gait_poses, human_of

from wildrobot_gym.motion.human import HumanMotion
from wildrobot_gym.robot import RobotModel


@pytest.fixture(scope="session")
def walker(wildrobot: RobotModel) -> HumanMotion:
    """Three seconds of the robot's own walk at 0.6 m/s as a human's."""
    return human_of(wildrobot, gait_poses(wildrobot, 0.6, 3.0), 50.0)


@pytest.fixture(scope="session")
def stander(wildrobot: RobotModel) -> HumanMotion:
    """A second of standing at home."""
    return human_of(wildrobot, np.tile(wildrobot.home_qpos, (51, 1)), 50.0)
