"""A functional environment as gymnax's `Environment`. It needs the package gymnax, 1.0 or newer.

`gymnax.wrappers.LegacyStepAPIWrapper` makes it what PureJaxRL expects: one `done` flag in place of
two.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from gymnax.environments import spaces
from gymnax.environments.environment import Environment, EnvParams
from jaxtyping import Array, Float

from wildrobot_gym.env.functional import FunctionalEnv, State, Step


class GymnaxEnv(Environment):
    """A functional environment behind gymnax's interface.

    It restarts ended episodes itself, as gymnax's environments do. The state carries the random
    stream, so that the keys of `step` change nothing. The settings of the environment are fixed:
    `params` changes nothing either.

    Args:
        env: The environment.

    Example:
        ```python
        env = LogWrapper(GymnaxEnv(FunctionalWildRobot(engine="mjx")))
        obs, state = jax.vmap(env.reset)(keys)
        obs, state, reward, terminated, truncated, info = jax.vmap(env.step)(keys, state, actions)
        ```
    """

    def __init__(self, env: FunctionalEnv) -> None:
        super().__init__()
        self.functional = env

    @property
    def default_params(self) -> EnvParams:
        """The time limit; nothing else."""
        return EnvParams(max_steps_in_episode=self.functional.task.max_episode_steps)

    @partial(jax.jit, static_argnames=("self",))
    def step(
        self,
        key: Array,
        state: State,
        action: Float[Array, "joint"],
        params: EnvParams | None = None,
    ) -> tuple[Any, State, Any, Any, Any, dict[str, Any]]:
        """One control step. Where it ends the episode, observation and state are the next one's.

        Args:
            key: Changes nothing.
            state: The environment.
            action: (joint,) in -1 to 1.
            params: Changes nothing.
        """
        state, step = self.functional.step(state, action)
        info = {
            **_infos(step),
            "terminated": step.terminated,
            "truncated": step.truncated,
            "final_observation": step.final_obs,
        }
        return state.obs, state, step.reward, step.terminated, step.truncated, info

    def reset_env(self, key: Array, params: EnvParams) -> tuple[Any, State]:
        """Begin the first episode.

        Args:
            key: Random key. Everything that follows comes from it.
            params: Changes nothing.
        """
        state = self.functional.reset(key)
        return state.obs, state

    def step_env(
        self, key: Array, state: State, action: Float[Array, "joint"], params: EnvParams
    ) -> tuple[Any, State, Any, Any, dict[str, Any]]:
        """One control step without a restart; arguments as in `step`."""
        state, step = self.functional.transition(state, action)
        return step.final_obs, state, step.reward, step.terminated, _infos(step)

    def observe(self, key: Array, state: State, action: Any, params: EnvParams) -> Any:
        """The observation of a state."""
        return state.obs

    def is_truncated(self, state: State, params: EnvParams) -> Any:
        """Whether the episode has reached its time limit."""
        return state.task.step_count >= state.task.episode_limit

    @property
    def name(self) -> str:
        """Name of the environment's robot."""
        return self.functional.robot.name

    @property
    def num_actions(self) -> int:
        """Number of joints."""
        return self.functional.robot.num_joints

    def action_space(self, params: EnvParams | None = None) -> Any:
        """(joint,) in -1 to 1."""
        return _box(self.functional.action_space)

    def observation_space(self, params: EnvParams | None = None) -> Any:
        """(obs,) bounded."""
        return _box(self.functional.observation_space)


def _box(space: Any) -> Any:
    return spaces.Box(space.low, space.high, space.shape, jnp.float32)


def _infos(step: Step) -> dict[str, Any]:
    return {"amp_obs": step.amp_obs, **step.infos}
