"""WildRobotTrack-v0: the robot performs clips of reference motion, many at once or one alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from wildrobot_gym.config import TrackEnvConfig
from wildrobot_gym.env.single_env import WildRobotEnv
from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.errors import ConfigError, MotionError
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.clip_files import load_clips
from wildrobot_gym.motion.dynamics import pad_loads, servo_targets
from wildrobot_gym.motion.states import clip_states
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.contact import foot_forces
from wildrobot_gym.task.track import ClipFrames, TrackTask, feet_in_heading


class WildRobotTrackVectorEnv(WildRobotVectorEnv):
    """``num_envs`` robots, each following a clip of ``reference``; no harness, nothing but their servos.

    An episode begins in any frame of any clip (reference-state initialisation) with the reset's noise, and ends with the
    clip. Action: what is added, in units of ``action.scale`` rad and filtered, to the servo targets that inverse dynamics asks
    for (with estimated pad forces where the clip does not know them). Observation:
    :class:`~wildrobot_gym.task.track.TrackTask`. Rewards: :class:`~wildrobot_gym.config.TrackRewardConfig`. Infos as
    WildRobot-v0's; ``joint_error`` is in rad; a success has not fallen nor lost its clip.

    Args:
        reference: the clips, a file or a shipped name; needed.
        **settings: the fields of :class:`~wildrobot_gym.config.TrackEnvConfig`; all others are WildRobotVectorEnv's.
    """

    config_class = TrackEnvConfig
    config: TrackEnvConfig
    task: TrackTask

    def begin_at(self, frames: Any) -> np.ndarray:
        """Begin new episodes in these rows of the clips' frames (num_envs,), without noise; the observations.

        As at any reset a robot whose soles are more than 1 mm in the floor is lifted onto it.
        """
        frames = np.asarray(frames)
        rows = len(self.task.clips.last)
        if frames.shape != (self.num_envs,) or frames.min() < 0 or frames.max() >= rows:
            raise ConfigError(
                f"frames have shape {frames.shape}; allowed: ({self.num_envs},), each 0 to {rows - 1}."
            )
        self.reset(seed=0)
        starts = jax.vmap(self.task.start_at)(jnp.asarray(frames, jnp.int32))
        obs, _ = self._restart(np.ones(self.num_envs, bool), starts)
        return np.array(obs)

    def set_commands(self, commands: Any = None, **parts: Any) -> None:
        """Refused: a clip brings its own command."""
        raise ConfigError(
            "WildRobotTrack-v0 follows clips, each with its own command; set_commands is WildRobot-v0's."
        )

    def _make_task(self, reference: str | None, max_episode_steps: int | None) -> TrackTask:
        if reference is None:
            raise ConfigError(
                "WildRobotTrack-v0 follows clips: pass reference=<file>, or a shipped motion's name."
            )
        clips = clip_frames(self.robot, load_clips(reference, self.robot), self.config.control_dt)
        return TrackTask(self.robot, self.config, clips, max_episode_steps)


class WildRobotTrackEnv(WildRobotEnv):
    """One robot that follows clips. See :class:`WildRobotTrackVectorEnv`."""

    vector_class = WildRobotTrackVectorEnv


def clip_frames(robot: RobotModel, clips: Iterable[MotionClip], control_dt: float) -> ClipFrames:
    """All clips' frames at the control rate, and the servo targets that lead from one to the next by inverse dynamics.

    Raises:
        MotionError: no clip, or one of another robot.
    """
    parts: list[dict[str, np.ndarray]] = []
    first = 0
    for clip in clips:
        states = clip_states(robot, clip, control_dt)
        if np.isnan(np.asarray(states.pad_forces)).any():
            loads: Any = pad_loads(robot, states, control_dt).astype(np.float32)
            states = replace(states, pad_forces=loads)
        target, frames = servo_targets(robot, states, control_dt), len(states.qpos)
        parts.append(
            {
                "qpos": np.asarray(states.qpos),
                "qvel": np.asarray(states.qvel),
                "feet": np.asarray(
                    feet_in_heading(states.base_quat_w, states.base_pos_w, states.foot_pos_w)
                ),
                "load": foot_forces(np.asarray(states.pad_forces), robot.pad_ids_of_foot)
                / robot.weight,
                "target": np.concatenate([target, target[-1:]]).astype(np.float32),
                "command": np.tile(np.asarray(clip.command, np.float32), (frames, 1)),
                "last": np.full(frames, first + frames - 1, np.int32),
            }
        )
        first += frames
    if not parts:
        raise MotionError("There is no clip to follow.")
    return ClipFrames(
        **{name: jnp.asarray(np.concatenate([part[name] for part in parts])) for name in parts[0]}
    )
