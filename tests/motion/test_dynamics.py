"""Servo targets from inverse dynamics: followed blindly in simulation, they keep the robot on the motion."""

from __future__ import annotations

from dataclasses import replace

import mujoco
import numpy as np
import pytest

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.build import stand_clip, walk_clip
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.dynamics import servo_targets
from wildrobot_gym.motion.states import clip_states
from wildrobot_gym.robot import RobotModel


def followed(robot: RobotModel, clip: MotionClip, first: int, steps: int, blind: bool = True) -> tuple[float, float]:
    """Largest error of a joint, rad, and of the base's height, m, over ``steps`` control steps from state ``first``."""
    states = clip_states(robot, clip)
    qpos = np.asarray(states.qpos, float)
    targets = servo_targets(robot, states, 0.02) if blind else qpos[1:, 7:]
    assert targets.shape == (len(qpos) - 1, robot.num_joints)
    data = mujoco.MjData(robot.model)
    data.qpos[:], data.qvel[:] = qpos[first], states.qvel[first]
    joints = height = 0.0
    for step in range(first, first + steps):
        data.ctrl[:] = targets[step]
        mujoco.mj_step(robot.model, data, nstep=round(0.02 / robot.model.opt.timestep))
        joints = max(joints, float(np.abs(data.qpos[7:] - qpos[step + 1, 7:]).max()))
        height = max(height, abs(data.qpos[2] - qpos[step + 1, 2]))
    return joints, height


def test_feed_forward_walks_a_step(robot: RobotModel) -> None:
    clip = walk_clip(robot, 0.4)
    joints, height = followed(robot, clip, 60, 20)
    assert joints < 0.2 and height < 0.03
    # The motion's own positions as targets sag under the robot's weight.
    assert followed(robot, clip, 60, 20, blind=False)[0] > 1.5 * joints


def test_feed_forward_stands(robot: RobotModel) -> None:
    joints, height = followed(robot, stand_clip(robot), 0, 50)
    assert joints < 0.01 and height < 0.002


def test_no_forces_no_targets(wildrobot: RobotModel, clip: MotionClip) -> None:
    with pytest.raises(MotionError, match="forces on the pads"):
        servo_targets(wildrobot, clip_states(wildrobot, replace(clip, pad_forces=None)), 0.02)
