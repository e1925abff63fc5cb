"""Demonstrations are what the environment itself would show and take along a clip."""

from __future__ import annotations

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from wildrobot_gym.env.demonstrations import demonstrations
from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.dynamics import servo_targets
from wildrobot_gym.motion.gait.build import walk_clip
from wildrobot_gym.motion.states import clip_states
from wildrobot_gym.robot import RobotModel


def test_the_actions_ask_for_the_servo_targets(robot: RobotModel) -> None:
    env = WildRobotVectorEnv(1, robot=robot.name)
    clip = walk_clip(robot, 0.4)
    obs, actions = demonstrations(env.task, [clip, clip])
    states = clip_states(robot, clip)
    count = len(states.qpos) - 2
    assert obs.shape == (2 * count, *env.single_observation_space.shape)
    assert actions.shape == (2 * count, robot.num_joints)
    np.testing.assert_array_equal(obs[:count], obs[count:])
    n = robot.num_joints
    np.testing.assert_allclose(obs[0, :n], states.joint_pos[1] - robot.home_joint_pos, atol=1e-6)
    np.testing.assert_allclose(
        obs[:count, 2 * n + 9 : 2 * n + 12], np.tile([0.4, 0.0, 0.0], (count, 1)), atol=1e-6
    )
    # The environment's own action filter turns each action into the target of inverse dynamics.
    targets = servo_targets(robot, states, 0.02)
    blank = env.task.blank(jnp.zeros(2, jnp.uint32))
    for i in (0, 7, 100):
        _, drive = env.task.target(
            blank.replace(action=jnp.asarray(obs[i, -n:])), jnp.asarray(actions[i])
        )
        wanted = np.clip(targets[1 + i], *robot.joint_range.T)
        np.testing.assert_allclose(drive.targets, wanted, atol=1e-5)


def test_what_cannot_be_demonstrated_is_named(wildrobot: RobotModel) -> None:
    task = WildRobotVectorEnv(1).task
    with pytest.raises(MotionError, match="no clip"):
        demonstrations(task, [])
    with pytest.raises(MotionError, match=r"'walk_0\.40_plain' cannot be demonstrated"):
        demonstrations(task, [replace(walk_clip(wildrobot, 0.4), pad_forces=None)])
