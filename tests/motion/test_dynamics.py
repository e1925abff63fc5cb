"""Servo targets from inverse dynamics: followed blindly in simulation, they keep the robot on the
motion.
"""

from __future__ import annotations

from dataclasses import replace

import mujoco
import numpy as np
import pytest

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.dynamics import servo_targets
from wildrobot_gym.motion.gait.build import stand_clip, walk_clip
from wildrobot_gym.motion.gait.cycle import walk_cycle
from wildrobot_gym.motion.states import clip_states
from wildrobot_gym.robot import RobotModel


def followed(
    robot: RobotModel, clip: MotionClip, first: int, steps: int, blind: bool = True
) -> tuple[float, float]:
    """Largest error of a joint, rad, and of the base's height, m, over `steps` control steps from
    state `first`.
    """
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


@pytest.mark.parametrize("speed", [0.2, 0.6])
def test_yaw_moment_is_that_of_the_angular_momentum(wildrobot: RobotModel, speed: float) -> None:
    """d(L)/dt about the center of mass is the floor force's moment and the yaw moment that demand()
    finds.
    """
    cycle = walk_cycle(wildrobot, speed)
    samples, dt = len(cycle.qpos), cycle.period_s / len(cycle.qpos)
    data, momentum, com = (
        mujoco.MjData(wildrobot.model),
        np.empty((samples, 3)),
        np.empty((samples, 3)),
    )
    for i in range(samples):
        data.qpos[:], data.qvel[:] = cycle.qpos[i], cycle.demand.qvel[i]
        mujoco.mj_fwdPosition(wildrobot.model, data)
        mujoco.mj_fwdVelocity(wildrobot.model, data)
        mujoco.mj_subtreeVel(wildrobot.model, data)
        momentum[i], com[i] = data.subtree_angmom[0], data.subtree_com[0]
    rate = (np.roll(momentum, -1, axis=0) - np.roll(momentum, 1, axis=0))[:, 2] / (2 * dt)
    arm, force = cycle.demand.zmp - com[:, :2], cycle.demand.force
    want = rate - (arm[:, 0] * force[:, 1] - arm[:, 1] * force[:, 0])
    np.testing.assert_allclose(cycle.demand.yaw_moment, want, atol=0.05 + 0.1 * np.abs(want).max())


@pytest.mark.parametrize("speed", [0.2, 0.4, 0.6])
def test_friction_can_hold_the_stance_foot(wildrobot: RobotModel, speed: float) -> None:
    moment = walk_cycle(wildrobot, speed).demand.yaw_moment
    assert np.abs(moment).max() < 1.7  # N*m, what a sole that lies flat can take
    np.testing.assert_allclose(moment, -np.roll(moment, len(moment) // 2), atol=0.15)


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
