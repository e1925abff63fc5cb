"""The simulation of a vector environment on a functional environment: one compiled call a step."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from wildrobot_gym.env.batched_task import shared
from wildrobot_gym.env.functional import FunctionalEnv, State
from wildrobot_gym.env.memory import within_memory
from wildrobot_gym.env.restarts import restart_where
from wildrobot_gym.env.saved_state import pack, unpack
from wildrobot_gym.env.simulation import reseeded
from wildrobot_gym.physics.state import PhysicsState, select
from wildrobot_gym.task.protocol import Seen, StepOutput


class BatchedEnv:
    """The functions of `env`, batched over a leading environment axis and compiled on first use.

    Args:
        env: Written for one environment.
    """

    def __init__(self, env: FunctionalEnv) -> None:
        def step(state: State, actions: Any, waiting: Any, restart_ended: Any, limits: Any) -> Any:
            new, out = jax.vmap(env.transition)(state, actions)
            # Those that wait take no step: their random streams stay where they are.
            new = dataclasses.replace(new, task=select(waiting, state.task, new.task))
            ended = jnp.where(restart_ended, out.terminated | out.truncated, waiting)
            return restart_where(env.restart, ended, new, limits), out

        # One program for all ways to restart. The state is not donated: it is the caller's too.
        self.step = jax.jit(step)
        self.begin, self.blank = jax.jit(jax.vmap(env.begin)), jax.jit(jax.vmap(env.blank))


class DeviceSimulation:
    """A functional environment on JAX's default device; a `Simulation`.

    Attributes:
        state: The environments, as `FunctionalEnv.step` takes them; None before the first `seed`.
    """

    def __init__(self, env: FunctionalEnv, num_envs: int) -> None:
        self.num_envs = num_envs
        self.num_diverged = 0
        self.state: State | None = None
        self._num_joints = env.robot.num_joints
        self._begun = False
        task_key = env.task.sharing_key()
        key = None if task_key is None else (task_key, env.engine.sharing_key())
        self._batched = shared(key, lambda: BatchedEnv(env))

    @property
    def task_state(self) -> Any:
        """The tasks' states; None before the first `seed`."""
        return None if self.state is None else self.state.task

    @task_state.setter
    def task_state(self, task: Any) -> None:
        self.state = dataclasses.replace(self.state, task=task)  # type: ignore[type-var]

    @property
    def physics_state(self) -> PhysicsState | None:
        """Present physics."""
        return self.state.physics if self.state is not None and self._begun else None

    @property
    def seen(self) -> Seen | None:
        """What the environments show."""
        state = self.state
        return None if state is None else Seen(state.obs, state.amp_obs, state.critic_obs)

    @within_memory
    def seed(self, keys: np.ndarray, mask: np.ndarray) -> None:
        """New random streams where `mask`; held commands stay."""
        blank = self._batched.blank(keys)
        if self.state is None:
            self.state = blank
        else:
            self.task_state = reseeded(blank.task, self.state.task, mask)

    @within_memory
    def restart(self, mask: np.ndarray, limits: np.ndarray) -> None:
        """Begin new episodes of `limits` control steps where `mask`."""
        # A step that counts for nothing: a program of its own would take another minute to compile.
        actions = np.zeros((self.num_envs, self._num_joints), np.float32)
        new, _ = self._batched.step(self.state, actions, mask, False, limits)
        self.state = new if mask.all() else select(mask, new, self.state)
        self._begun = True

    @within_memory
    def begin_at(self, starts: Any, limits: np.ndarray) -> None:
        """Begin new episodes everywhere at `starts`."""
        self.state = self._batched.begin(self.task_state, starts, limits)
        self._begun = True

    @within_memory
    def step(
        self, actions: np.ndarray, waiting: np.ndarray, restart_ended: bool, limits: np.ndarray
    ) -> tuple[StepOutput, np.ndarray]:
        """One control step; see `Simulation.step`."""
        self.state, step = self._batched.step(self.state, actions, waiting, restart_ended, limits)
        diverged = np.asarray(step.diverged) & ~waiting
        self.num_diverged += int(diverged.sum())
        return step, diverged

    def get_state(self) -> dict[str, np.ndarray]:
        """Everything needed to continue bit for bit, as arrays."""
        return pack(self.state, "state")

    def set_state(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Continue from what `get_state` gave.

        Raises:
            ConfigError: the arrays are from an environment of other settings.
        """
        self.state = unpack(arrays, self.state, "state")
