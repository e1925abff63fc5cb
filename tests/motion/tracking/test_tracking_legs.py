"""Ways to move a leg do what their names say, by forward kinematics."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from wildrobot_gym.motion.tracking.legs import read_legs
from wildrobot_gym.robot import RobotModel

ANGLE = 0.01


def moved(robot: RobotModel, foot: str, change: np.ndarray) -> tuple[np.ndarray, float, float]:
    """How far `change` of the home joints moves a foot, m, and turns it about x and y, rad; all per
    rad.
    """
    data = mujoco.MjData(robot.model)
    poses = []
    for scale in (0.0, ANGLE):
        data.qpos[:] = robot.home_qpos
        data.qpos[7:] += scale * change
        mujoco.mj_kinematics(robot.model, data)
        poses.append((data.site(foot).xpos.copy(), data.site(foot).xmat.reshape(3, 3).copy()))
    turn = poses[1][1] @ poses[0][1].T
    return (poses[1][0] - poses[0][0]) / ANGLE, turn[2, 1] / ANGLE, -turn[2, 0] / ANGLE


@pytest.mark.parametrize("foot_id", [0, 1])
def test_ways_to_move_a_leg(robot: RobotModel, foot_id: int) -> None:
    legs, foot = read_legs(robot), robot.foot_names[foot_id]
    place, _, pitch = moved(robot, foot, legs.hip_pitch[foot_id])
    assert place[0] < -0.3 and pitch == pytest.approx(1.0, abs=1e-3)  # backward, toes down
    place, roll, _ = moved(robot, foot, legs.hip_roll[foot_id])
    assert place[1] > 0.3 and roll == pytest.approx(1.0, abs=0.05)
    _, _, pitch = moved(robot, foot, legs.ankle[foot_id])
    assert pitch == pytest.approx(1.0, abs=1e-3)
    place, _, pitch = moved(robot, foot, legs.step[foot_id])
    assert place[0] > 0.3 and pitch == pytest.approx(0.0, abs=1e-3)
    place, _, pitch = moved(robot, foot, legs.lift[foot_id])
    assert place[2] > 0.03 and abs(place[0]) < 0.01 and pitch == pytest.approx(0.0, abs=1e-3)


def test_a_way_moves_one_leg_only(robot: RobotModel) -> None:
    legs = read_legs(robot)
    for way in (legs.hip_pitch, legs.hip_roll, legs.knee, legs.ankle):
        assert (np.abs(way).sum(axis=1) == 1.0).all() and not (way[0] * way[1]).any()
