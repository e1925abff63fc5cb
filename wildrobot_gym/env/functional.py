"""The environments as pure JAX functions, for programs that never leave the device.

All functions are written for one environment. Use them under `vmap`, `scan` and `jit`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import gymnasium as gym
import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jaxtyping import Array, Bool, Float, Int

from wildrobot_gym.config import build
from wildrobot_gym.env.restarts import restarting
from wildrobot_gym.env.starts import lift_to_floor
from wildrobot_gym.env.tasks import load_robot, walk_task
from wildrobot_gym.physics import make_engine
from wildrobot_gym.physics.engine import Engine
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.task.config import EnvConfig
from wildrobot_gym.task.observations import CLIP
from wildrobot_gym.task.protocol import NO_LIMIT, Seen, StepOutput, Task


@struct.dataclass
class State:
    """One environment between two control steps: a tree of arrays, to carry, save and shard."""

    obs: Float[Array, "*b obs"]
    amp_obs: Float[Array, "*b window"]
    task: Any  # the task's own state, with the random stream
    engine: Any  # the engine's own state
    physics: PhysicsState
    episode_return: Float[Array, "*b"]  # of the running episode
    critic_obs: Float[Array, "*b critic"] | None = None  # None without privileged channels


@struct.dataclass
class Step(StepOutput):
    """What one control step gives.

    `obs` alone is from after a restart. All other fields are from before it.
    """

    final_obs: Float[Array, "*b obs"]
    diverged: Bool[Array, "*b"]
    episode_return: Float[Array, "*b"]  # of the running episode, with this step
    episode_length: Int[Array, "*b"]


class FunctionalEnv:
    """A task on a physics engine, as pure functions of one environment.

    Args:
        task: The task.
        engine: The physics.

    Attributes:
        observation_space: Of one environment.
        action_space: Of one environment.
        critic_dim: Width of `critic_obs`; 0 without privileged channels.
        amp_layout: What the columns of `amp_obs` mean.
        mirror: Reflection y -> -y of observation, action and `amp_obs`; None for a robot that is
            not symmetric.
    """

    def __init__(self, task: Task, engine: Engine) -> None:
        self.task, self.engine = task, engine
        self.robot = engine.robot
        joints = (self.robot.num_joints,)
        self.critic_dim = task.critic_dim
        self.observation_space = gym.spaces.Box(-CLIP, CLIP, (task.obs_dim,), np.float32)
        self.action_space = gym.spaces.Box(-1.0, 1.0, joints, np.float32)
        self.amp_layout = task.layout
        self.mirror = task.mirror() if self.robot.mirror else None
        self._restart_if = restarting(self.restart)

    def reset(self, key: Array) -> State:
        """Begin the first episode.

        Args:
            key: Random key. Everything that follows comes from it.
        """
        if jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
            key = jax.random.key_data(key)  # plain numbers can be saved
        key, limit_key = jax.random.split(key)
        return self._next_episode(self.task.blank(key), self._first_limit(limit_key))

    def step(self, state: State, action: Float[Array, "joint"]) -> tuple[State, Step]:
        """One control step. Where it ends the episode, the state is the next one's first.

        Args:
            state: The environment.
            action: (joint,) in -1 to 1.
        """
        state, step = self.transition(state, action)
        state = self._restart_if(step.terminated | step.truncated, state)
        return state, dataclasses.replace(step, obs=state.obs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FunctionalEnv) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @cached_property
    def _identity(self) -> tuple[Any, ...]:
        """Equal where the compiled functions are: programs are compiled once for equal ones."""
        task, engine = self.task, self.engine
        own = (task.max_episode_steps, task.config.reset.stagger)
        return (task.sharing_key() or id(task), engine.sharing_key(), *own)

    # --- the parts of a step ---

    def transition(self, state: State, action: Float[Array, "joint"]) -> tuple[State, Step]:
        """One control step without a restart."""
        filtered, drive = self.task.target(state.task, action)
        engine, physics = self.engine.step(state.engine, drive)
        task, out = self.task.advance(state.task, physics, filtered)
        total = state.episode_return + out.reward
        step = Step(
            **vars(out),
            final_obs=out.obs,
            diverged=physics.diverged,
            episode_return=total,
            episode_length=task.step_count,
        )
        return _state(out.seen, task, engine, physics, total), step

    def restart(self, state: State, limit: Int[Array, ""] | int | None = None) -> State:
        """A new episode. The random stream and a held command go on.

        Args:
            state: The environment before.
            limit: Control steps of the new episode; the task's time limit if None.
        """
        return self._next_episode(state.task, limit)

    def begin(self, task: Any, start: Any, limit: Int[Array, ""] | int | None = None) -> State:
        """A new episode at `start`, as the task draws it, after the task state `task`."""

        def place(qpos: Array, _: None) -> tuple[Array, tuple[Any, PhysicsState]]:
            engine, physics = self.engine.init(qpos, start.qvel, start.fields)
            return lift_to_floor(self.robot, qpos, physics), (engine, physics)

        # Placed, lifted out of the floor, and placed there. A scan compiles the engine once.
        _, placed = jax.lax.scan(place, start.qpos.astype(jnp.float32), None, 2)
        engine, physics = jax.tree.map(lambda x: x[-1], placed)
        task, seen = self.task.begin(task, start, physics, limit)
        return _state(seen, task, engine, physics, jnp.float32(0.0))

    def blank(self, key: Array) -> State:
        """A state for `restart` to begin the first episode from; no episode runs in it."""
        task = self.task.blank(key)
        structure: Any = None

        def episode() -> list[Array]:
            nonlocal structure
            leaves, structure = jax.tree.flatten(self._next_episode(task))
            return leaves

        zeros = [jnp.zeros(leaf.shape, leaf.dtype) for leaf in jax.eval_shape(episode)]
        state: State = jax.tree.unflatten(structure, zeros)
        return dataclasses.replace(state, task=task)

    def _next_episode(self, task: Any, limit: Int[Array, ""] | int | None = None) -> State:
        key, start_key = jax.random.split(task.key)
        task = dataclasses.replace(task, key=key)
        return self.begin(task, self.task.draw_start(start_key), limit)

    def _first_limit(self, key: Array) -> Int[Array, ""] | None:
        """With `reset.stagger`, first episodes are cut at random, so that time-outs spread."""
        limit = self.task.max_episode_steps
        if not self.task.config.reset.stagger or limit == NO_LIMIT:
            return None
        return jax.random.randint(key, (), 1, limit + 1)


def _state(seen: Seen, task: Any, engine: Any, physics: PhysicsState, total: Any) -> State:
    return State(seen.obs, seen.amp_obs, task, engine, physics, total, seen.critic_obs)


class FunctionalWildRobot(FunctionalEnv):
    """`WildRobot-v0` as pure functions; see `WildRobotEnv` for the specification.

    Args:
        config: The settings of `WildRobot-v0`, as an object or a plain mapping.
        engine: 'mjx' (JAX), 'native-jax' (MuJoCo's own batch by a host callback), or 'auto': 'mjx'
            on an accelerator and 'native-jax' on a CPU.
        reference: Motions to begin episodes in (`reset.reference_fraction`).
        max_episode_steps: Time limit in control steps; None: none.
        num_threads: Threads of 'native-jax'; 0 takes every CPU.

    Raises:
        ConfigError: a setting is unknown or out of range.
        PhysicsError: there is no such engine, or it cannot be built.

    Example:
        ```python
        env = FunctionalWildRobot({"commands": {"vx": (0.2, 0.6)}}, engine="mjx")
        keys = jax.random.split(jax.random.key(0), 1024)
        state = jax.jit(jax.vmap(env.reset))(keys)
        state, step = jax.jit(jax.vmap(env.step))(state, actions)
        ```
    """

    def __init__(
        self,
        config: EnvConfig | Mapping[str, Any] | None = None,
        engine: str = "auto",
        *,
        reference: str | None = None,
        max_episode_steps: int | None = 500,
        num_threads: int = 0,
    ) -> None:
        settings = config if isinstance(config, EnvConfig) else build(EnvConfig, config or {})
        robot = load_robot(settings)
        super().__init__(
            walk_task(robot, settings, reference, max_episode_steps),
            make_engine(engine, robot, settings.control_dt, num_threads),
        )
