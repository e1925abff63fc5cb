"""`WildRobotTrack-v0`: robots follow clips of reference motion, many at once or one alone."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from wildrobot_gym.env.robot_env import RobotEnv
from wildrobot_gym.env.robot_vector_env import RobotVectorEnv
from wildrobot_gym.env.tasks import track_task
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.task.config import TrackEnvConfig
from wildrobot_gym.task.track import TrackTask


class WildRobotTrackVectorEnv(RobotVectorEnv):
    """`num_envs` robots, each following a clip of `reference` with nothing but its servos.

    - Episode: begins in any frame of any clip (reference-state initialization) with the reset's
      noise. It ends with the clip, and where the robot falls or loses the clip.
    - Action: filtered, times `action.scale` rad, and added to the clip's servo targets. Inverse
      dynamics gives the targets, with estimated pad forces where the clip has none.
    - Observation: see `wildrobot_gym.task.track.TrackTask`.
    - Reward: the terms of `wildrobot_gym.task.track_rewards`.
    - Infos: those of `WildRobot-v0`, and `joint_error` in rad. A success has neither fallen nor
      lost its clip.

    Args:
        reference: The clips, a file or a shipped name; required.
        **settings: The fields of `wildrobot_gym.task.config.TrackEnvConfig`. All other arguments
            are those of `WildRobotVectorEnv`.

    Example:
        >>> env = gym.make_vec("WildRobotTrack-v0", num_envs=16, reference="walk_human")
    """

    config_class = TrackEnvConfig
    config: TrackEnvConfig
    task: TrackTask

    def begin_at(self, frames: Any) -> np.ndarray:
        """Begin new episodes in these frames, without noise.

        As at any reset, a robot whose soles are more than 1 mm in the floor is lifted to that
        depth.

        Args:
            frames: (num_envs,) indices into the clips' frames.

        Returns:
            The first observations.

        Raises:
            ConfigError: the shape does not fit, or there is no such frame.
        """
        frames = np.asarray(frames)
        rows = len(self.task.clips.last)
        if frames.shape != (self.num_envs,) or frames.min() < 0 or frames.max() >= rows:
            raise ConfigError(
                f"frames have shape {frames.shape}; allowed: ({self.num_envs},), each 0 to"
                f" {rows - 1}."
            )
        self.reset(seed=0)
        starts = jax.vmap(self.task.start_at)(jnp.asarray(frames, jnp.int32))
        self._simulation.begin_at(starts, self._whole_episodes)
        return self._seen("obs")

    def _make_task(self, reference: str | None, max_episode_steps: int | None) -> TrackTask:
        return track_task(self.robot, self.config, reference, max_episode_steps)


class WildRobotTrackEnv(RobotEnv):
    """One robot that follows clips. See `WildRobotTrackVectorEnv`."""

    vector_class = WildRobotTrackVectorEnv
