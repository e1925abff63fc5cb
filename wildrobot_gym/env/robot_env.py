"""The single environment that all tasks share.

A vector environment of one robot behind Gymnasium's API.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from wildrobot_gym.env.named_reference import NamedReference
from wildrobot_gym.env.robot_vector_env import RobotVectorEnv
from wildrobot_gym.errors import UnknownArgumentError


class RobotEnv(NamedReference, gym.Env):
    """One robot with one task. Use `WildRobotEnv` or `WildRobotTrackEnv`.

    Args:
        render_mode: None, 'rgb_array' or 'human'.
        num_threads: Threads of the physics engine.
        backend: Physics engine. A single robot is fastest on 'native', on a GPU's machine too.
        **settings: All other arguments of the vector environment but `num_envs` and
            `autoreset_mode`.

    Raises:
        ConfigError: a setting is unknown or out of range.
    """

    metadata = {"render_modes": ["rgb_array", "human"], "render_fps": 50}  # noqa: RUF012
    vector_class: type[RobotVectorEnv]

    def __init__(
        self,
        *,
        render_mode: str | None = None,
        num_threads: int = 1,
        backend: str = "native",
        **settings: Any,
    ) -> None:
        for name in ("num_envs", "autoreset_mode"):
            if name in settings:
                raise UnknownArgumentError(
                    f"{type(self).__name__} got an unexpected keyword argument {name!r}: it is of"
                    " many robots; one has none. Use gym.make_vec('WildRobot-v0', num_envs=...)."
                )
        # The wrapper that gym.make adds has the time limit, unless the caller gives one.
        settings.setdefault("max_episode_steps", None)
        self._vector = self.vector_class(
            1,
            autoreset_mode=AutoresetMode.DISABLED,
            render_mode=render_mode,
            num_threads=num_threads,
            backend=backend,
            **settings,
        )
        self.observation_space = self._vector.single_observation_space
        self.action_space = self._vector.single_action_space
        self.config = self._vector.config
        self.amp_layout, self.critic_dim = self._vector.amp_layout, self._vector.critic_dim
        self.mirror = self._vector.mirror
        self.render_mode = render_mode
        self.metadata = {k: self._vector.metadata[k] for k in ("render_modes", "render_fps")}

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin a new episode.

        Args:
            seed: Makes all that follows reproducible.
            options: Not used.

        Returns:
            Observation (obs,), and infos with `amp_obs` (feature_dim,).
        """
        super().reset(seed=seed)
        if seed is None and not self._vector.has_begun:
            seed = int(self.np_random.integers(2**31))
        obs, infos = self._vector.reset(seed=seed)
        return obs[0], _first(infos)

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """One control step (20 ms).

        Args:
            action: (joint,) in -1 to 1.

        Raises:
            ActionError: `action` has another shape or holds a NaN or infinity, or there was no
                reset before.
        """
        obs, reward, terminated, truncated, infos = self._vector.step(np.asarray(action)[None])
        return obs[0], float(reward[0]), bool(terminated[0]), bool(truncated[0]), _first(infos)

    def render(self) -> np.ndarray | None:
        """The robot as a (height, width, 3) uint8 picture, or None in 'human' mode."""
        frames = self._vector.render()
        return None if frames is None else frames[0]

    def close(self) -> None:
        """Close the renderer and the window."""
        self._vector.close()

    @property
    def randomization(self) -> dict[str, np.ndarray]:
        """What the episode drew, by the name of its term; empty without `randomization`."""
        return {name: value[0] for name, value in self._vector.randomization.items()}

    @property
    def vector(self) -> RobotVectorEnv:
        """The vector environment of one robot that does the work."""
        return self._vector


def _first(infos: dict[str, Any]) -> dict[str, Any]:
    """The only environment's values; scalars as Python numbers."""
    return {k: v[0] if v.ndim > 1 else v[0].item() for k, v in infos.items()}
