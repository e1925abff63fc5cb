"""What a vector environment needs of its simulation, and the one with physics on the host."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol

import jax
import numpy as np

from wildrobot_gym.env.batched_task import BatchedTask, shared
from wildrobot_gym.env.restarts import chunk_size
from wildrobot_gym.env.saved_state import pack, unpack
from wildrobot_gym.env.starts import place_on_floor
from wildrobot_gym.physics.native import NativePhysics
from wildrobot_gym.physics.state import PhysicsState, select
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.protocol import Seen, StepOutput, Task


class Simulation(Protocol):
    """`num_envs` environments of one task, stepped together.

    Attributes:
        task_state: The tasks' states; None before the first `seed`.
        physics_state: Present physics.
        seen: What the environments show; None before the first `seed`.
        num_diverged: Simulations that were restarted after a NaN or a blow-up, since construction.
    """

    task_state: Any

    @property
    def physics_state(self) -> PhysicsState | None: ...

    @property
    def num_diverged(self) -> int: ...

    @property
    def seen(self) -> Seen | None: ...

    def seed(self, keys: np.ndarray, mask: np.ndarray) -> None:
        """New random streams where `mask`; held commands stay.

        Args:
            keys: (num_envs, 2) uint32.
            mask: (num_envs,) bool.
        """
        ...

    def restart(self, mask: np.ndarray, limits: np.ndarray) -> None:
        """Begin new episodes of `limits` control steps where `mask`."""
        ...

    def begin_at(self, starts: Any, limits: np.ndarray) -> None:
        """Begin new episodes everywhere at `starts`."""
        ...

    def step(
        self, actions: np.ndarray, waiting: np.ndarray, restart_ended: bool, limits: np.ndarray
    ) -> tuple[StepOutput, np.ndarray]:
        """One control step.

        Args:
            actions: (num_envs, joint).
            waiting: (num_envs,) environments that begin a new episode instead.
            restart_ended: Whether environments whose episode ends begin a new one at once.
            limits: (num_envs,) control steps of new episodes.

        Returns:
            What the step gave before any restart, and which simulations diverged.
        """
        ...

    def get_state(self) -> dict[str, np.ndarray]:
        """Everything needed to continue bit for bit, as arrays."""
        ...

    def set_state(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Continue from what `get_state` gave."""
        ...


class HostSimulation:
    """MuJoCo's batch on threads, between compiled functions of the task; a `Simulation`."""

    def __init__(
        self, task: Task, robot: RobotModel, num_envs: int, control_dt: float, num_threads: int
    ) -> None:
        self.physics = NativePhysics(robot, num_envs, control_dt, num_threads)
        self.num_envs = num_envs
        self.task_state: Any = None
        self.physics_state: PhysicsState | None = None
        self._batched = shared(task.sharing_key(), lambda: BatchedTask(task))
        widths = (task.obs_dim, task.feature_dim, task.critic_dim)
        nothing: Any = [np.zeros((num_envs, w), np.float32) if w else None for w in widths]
        self.seen: Seen | None = Seen(*nothing)

    @property
    def num_diverged(self) -> int:
        """Simulations that were restarted after a NaN or a blow-up, since construction."""
        return self.physics.num_diverged

    def seed(self, keys: np.ndarray, mask: np.ndarray) -> None:
        """New random streams where `mask`; held commands stay."""
        self.task_state = reseeded(self._batched.blank(keys), self.task_state, mask)

    def restart(self, mask: np.ndarray, limits: np.ndarray) -> None:
        """Begin new episodes of `limits` control steps where `mask`."""
        size = chunk_size(self.num_envs)
        ids = np.flatnonzero(mask)
        for first in range(0, len(ids), size):
            chunk = np.full(size, self.num_envs, np.int32)  # ids past the end: no environment
            chunk[: len(ids) - first] = ids[first : first + size]
            some, starts = self._batched.draw(self.task_state, chunk)
            self._begin(chunk, some, starts, limits)

    def begin_at(self, starts: Any, limits: np.ndarray) -> None:
        """Begin new episodes everywhere at `starts`."""
        self._begin(np.arange(self.num_envs, dtype=np.int32), self.task_state, starts, limits)

    def step(
        self, actions: np.ndarray, waiting: np.ndarray, restart_ended: bool, limits: np.ndarray
    ) -> tuple[StepOutput, np.ndarray]:
        """One control step; see `Simulation.step`."""
        filtered, drive = self._batched.target(self.task_state, actions)
        state = self.physics.step(jax.tree.map(np.asarray, drive), frozen=waiting)
        self.physics_state = state
        task, out = self._batched.advance(self.task_state, state, filtered)
        # Those that wait take no step: their random streams stay where they are.
        self.task_state = select(waiting, self.task_state, task) if waiting.any() else task
        self.seen = out.seen
        ended = np.asarray(out.terminated | out.truncated) if restart_ended else waiting
        if ended.any():
            self.restart(ended, limits)
        return out, np.array(state.diverged)

    def get_state(self) -> dict[str, np.ndarray]:
        """Everything needed to continue bit for bit, as arrays."""
        physics = {f"physics_{name}": array for name, array in self.physics.get_state().items()}
        return pack((self.task_state, self.seen), "task") | physics

    def set_state(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Continue from what `get_state` gave.

        Raises:
            ConfigError: the arrays are from an environment of other settings.
            PhysicsError: the arrays are from another engine.
        """
        task = unpack(arrays, (self.task_state, self.seen), "task")
        prefix = "physics_"
        own = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
        # Physics first: it refuses what does not fit, and then nothing has changed.
        self.physics_state = self.physics.set_state(own)
        self.task_state, self.seen = task

    def _begin(self, ids: np.ndarray, some: Any, starts: Any, limits: np.ndarray) -> None:
        real = ids[ids < self.num_envs]
        where = (starts.qpos, starts.qvel, starts.fields)
        place = jax.tree.map(lambda x: np.asarray(x)[: len(real)], where)
        new = place_on_floor(self.physics, real, *place)
        there = jax.tree.map(lambda value: value.take(ids, axis=0, mode="clip"), new)
        self.task_state, self.seen = self._batched.begin(
            (self.task_state, self.seen),
            ids,
            some,
            starts,
            there,
            limits.take(ids, mode="clip"),
        )
        before = self.physics_state
        if before is not None and len(real) < self.num_envs:
            begun = np.isin(np.arange(self.num_envs), real)
            new = jax.tree.map(
                lambda x, y: np.where(begun.reshape(-1, *[1] * (x.ndim - 1)), x, y), new, before
            )
        self.physics_state = new


def reseeded(blank: Any, before: Any, mask: np.ndarray) -> Any:
    """Blank task states where `mask`, with the commands that were held before."""
    if before is None:
        return blank
    blank = dataclasses.replace(blank, command=before.command, command_held=before.command_held)
    return select(mask, blank, before)
