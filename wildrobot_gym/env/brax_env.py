"""A functional environment as brax's `Env`, for brax's trainers. It needs the package brax."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from brax.envs.base import Env, State, Wrapper
from brax.envs.wrappers.training import EpisodeWrapper, VmapWrapper
from jaxtyping import Array, Float

from wildrobot_gym.env.functional import FunctionalEnv
from wildrobot_gym.env.restarts import restart_where
from wildrobot_gym.errors import ConfigError


class BraxEnv(Env):
    """A functional environment behind brax's interface.

    `pipeline_state` is the functional environment's state. `metrics` has the reward terms and the
    task's metrics. `info` has the AMP window `amp_obs`, and `time_out` where the environment's own
    time limit ended the episode.

    Args:
        env: The environment.

    Example:
        ```python
        env = BraxEnv(FunctionalWildRobot(engine="mjx"))
        ppo.train(env, num_envs=2048, episode_length=500, wrap_env_fn=wrap_for_training, ...)
        ```
    """

    def __init__(self, env: FunctionalEnv) -> None:
        self.functional = env

    def reset(self, rng: Array) -> State:
        """Begin an episode.

        Args:
            rng: Random key.
        """
        state = self.functional.reset(rng)
        metrics = jax.eval_shape(
            lambda action: self.functional.transition(state, action)[1].infos,
            jnp.zeros(self.action_size),
        )
        return State(
            pipeline_state=state,
            obs=state.obs,
            reward=jnp.zeros(()),
            done=jnp.zeros(()),
            metrics={name: jnp.zeros(()) for name in metrics},
            info={"amp_obs": state.amp_obs, "time_out": jnp.zeros(())},
        )

    def step(self, state: State, action: Float[Array, "joint"]) -> State:
        """One control step. It restarts nothing: brax's wrappers do.

        Args:
            state: The environment.
            action: (joint,) in -1 to 1.
        """
        new, step = self.functional.transition(state.pipeline_state, action)
        time_out = (step.truncated & ~step.terminated).astype(jnp.float32)
        return state.replace(
            pipeline_state=new,
            obs=step.final_obs,
            reward=step.reward,
            done=(step.terminated | step.truncated).astype(jnp.float32),
            metrics={**state.metrics, **step.infos},
            info={**state.info, "amp_obs": step.amp_obs, "time_out": time_out},
        )

    @property
    def observation_size(self) -> int:
        """Width of the observation."""
        return int(self.functional.task.obs_dim)

    @property
    def action_size(self) -> int:
        """Number of joints."""
        return self.functional.robot.num_joints

    @property
    def backend(self) -> str:
        """Name of the physics engine."""
        return self.functional.engine.name


class RestartWrapper(Wrapper):
    """Begins new episodes at random starts, where brax's own wrapper repeats the first ones.

    Args:
        env: A `BraxEnv` in brax's wrappers for vectors and episodes.
    """

    def step(self, state: State, action: Float[Array, "env joint"]) -> State:
        """One control step. Where it ends the episode, `obs` is the next one's first."""
        steps = jnp.where(state.done, 0.0, state.info["steps"])
        state = state.replace(done=jnp.zeros_like(state.done), info={**state.info, "steps": steps})
        state = self.env.step(state, action)
        env: FunctionalEnv = self.unwrapped.functional
        new = restart_where(env.restart, state.done > 0, state.pipeline_state)
        truncation = jnp.maximum(state.info["truncation"], state.info["time_out"])
        info = {**state.info, "truncation": truncation}
        return state.replace(pipeline_state=new, obs=new.obs, info=info)


def wrap_for_training(
    env: BraxEnv, episode_length: int = 500, action_repeat: int = 1, randomization_fn: Any = None
) -> Wrapper:
    """For `wrap_env_fn` of brax's trainers: a batch of environments with random restarts.

    Args:
        env: One environment.
        episode_length: Control steps after which an episode is truncated.
        action_repeat: Control steps for each action.
        randomization_fn: Must be None.

    Raises:
        ConfigError: there is a `randomization_fn`. It would change a brax model, and there is none.
    """
    if randomization_fn is not None:
        raise ConfigError(
            "randomization_fn changes a brax model, and this environment has none. Leave it out."
        )
    return RestartWrapper(EpisodeWrapper(VmapWrapper(env), episode_length, action_repeat))
