"""Clips that the motion tests share, made once."""

from __future__ import annotations

import numpy as np
import pytest

from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.clip_files import load_clips
from wildrobot_gym.motion.gait.build import default_reference_path
from wildrobot_gym.motion.states import clip_states
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel


@pytest.fixture(scope="session")
def default_clips(robot: RobotModel) -> list[MotionClip]:
    """All clips of the shipped synthetic reference; a slow test holds the generator to them."""
    return load_clips(default_reference_path(robot.name), robot)


@pytest.fixture(scope="session")
def default_states(robot: RobotModel, default_clips: list[MotionClip]) -> list[PhysicsState]:
    """The physics states of `default_clips`."""
    return [clip_states(robot, clip) for clip in default_clips]


@pytest.fixture
def clip(wildrobot: RobotModel) -> MotionClip:
    """One second at 50 Hz: the home pose moving ahead at 0.5 m/s and turning slowly, one hip
    swinging.
    """
    time = np.arange(51) / 50.0
    joints = np.tile(wildrobot.home_joint_pos, (51, 1))
    joints[:, 1] += 0.2 * np.sin(2 * np.pi * time)
    yaw = 0.3 * time
    zero = np.zeros(51)
    return MotionClip(
        name="test",
        robot="wildrobot",
        fps=50.0,
        joint_names=wildrobot.joint_names,
        root_pos=np.stack([0.5 * time, 0.01 * time, 0.4589 + zero], axis=-1),
        root_quat=np.stack([np.cos(yaw / 2), zero, zero, np.sin(yaw / 2)], axis=-1),
        joint_pos=joints,
        pad_forces=np.tile([8.0, 7.0, 6.0, 5.0], (51, 1)),
        command=(0.5, 0.02, 0.3),
        source="test",
        licence="none",
        metadata={"kind": "test", "count": 3},
    )
