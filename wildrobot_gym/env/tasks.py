"""Tasks with the motions that they read from files."""

from __future__ import annotations

from dataclasses import replace

import jax.numpy as jnp
import numpy as np

from wildrobot_gym.env.clips import clip_frames
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.motion.clip_files import load_clips
from wildrobot_gym.motion.command_kinds import repeats
from wildrobot_gym.motion.reference import ReferenceDataset
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import EnvConfig, TrackEnvConfig
from wildrobot_gym.task.resets import ReferenceStates
from wildrobot_gym.task.track import TrackTask
from wildrobot_gym.task.walk import WalkTask
from wildrobot_gym.terrain import make_ground


def load_robot(config: EnvConfig) -> RobotModel:
    """The robot of an environment, on its ground.

    Args:
        config: Has the robot and the terrain.

    Raises:
        RobotError: there is no such robot, or its files are damaged.
    """
    return replace(RobotModel.load(config.robot), ground=make_ground(config.terrain))


def walk_task(
    robot: RobotModel, config: EnvConfig, reference: str | None, max_episode_steps: int | None
) -> WalkTask:
    """The task of `WildRobot-v0`.

    Args:
        robot: The robot.
        config: All settings.
        reference: Motions to begin episodes in: a file, a shipped name, or None.
        max_episode_steps: Time limit in control steps; None: none.

    Raises:
        ConfigError: the config does not fit the robot, or needs a reference.
        MotionError: the reference cannot be read.
    """
    states = None if reference is None else _reference_states(reference, robot, config)
    return WalkTask(robot, config, max_episode_steps, states)


def track_task(
    robot: RobotModel, config: TrackEnvConfig, reference: str | None, max_episode_steps: int | None
) -> TrackTask:
    """The task of `WildRobotTrack-v0`.

    Args:
        robot: The robot.
        config: All settings.
        reference: Its clips: a file or a shipped name.
        max_episode_steps: Time limit in control steps; None: none.

    Raises:
        ConfigError: the config does not fit the robot, or there is no reference.
        MotionError: the reference cannot be read.
    """
    if reference is None:
        raise ConfigError(
            "WildRobotTrack-v0 follows clips: pass reference=<file>, or a shipped motion's name."
        )
    clips = clip_frames(robot, load_clips(reference, robot), config.control_dt)
    return TrackTask(robot, config, clips, max_episode_steps)


def _reference_states(reference: str, robot: RobotModel, config: EnvConfig) -> ReferenceStates:
    dataset = ReferenceDataset.load(reference, robot, config.features, config.control_dt)
    states = dataset.initial_states()
    often = np.repeat(np.arange(len(states.qpos)), repeats(states.commands))

    def f32(array: np.ndarray) -> jnp.ndarray:
        return jnp.asarray(array, jnp.float32)

    return ReferenceStates(
        qpos=f32(states.qpos),
        qvel=f32(states.qvel),
        command=f32(states.commands),
        features=f32(states.features),
        history=f32(states.history),
        phase=f32(states.phases),
        often=jnp.asarray(often, jnp.int32),
    )
