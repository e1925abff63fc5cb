"""A task's functions for a batch of environments, each compiled once."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from typing import Any

import jax

from wildrobot_gym.physics.state import PhysicsState, select
from wildrobot_gym.task.protocol import StepOutput, Task

_MOST_SHARED = 8  # compiled tasks that are kept for further environments of the same settings
_shared: OrderedDict[str, BatchedTask] = OrderedDict()


def batched(task: Task) -> BatchedTask:
    """The batched functions of `task`, shared with earlier environments of the same settings.

    Tracing and compiling take seconds, and a training run has a second environment for evaluation.
    """
    key = task.sharing_key()
    if key is None:
        return BatchedTask(task)
    found = _shared.pop(key, None) or BatchedTask(task)
    _shared[key] = found
    while len(_shared) > _MOST_SHARED:
        _shared.popitem(last=False)
    return found


class BatchedTask:
    """The functions of `task`, batched over a leading environment axis and compiled on first use.

    Args:
        task: Written for one environment.
    """

    def __init__(self, task: Task) -> None:
        def advance(state: Any, physics: PhysicsState, action: jax.Array) -> Any:
            next_state, output = jax.vmap(task.advance)(state, physics, action)
            keys = jax.vmap(lambda key: jax.random.split(key, 3))(next_state.key)
            # A start is drawn for every environment at every step: this costs less than a choice of
            # environments.
            starts = jax.vmap(task.draw_start)(keys[:, 1])
            return dataclasses.replace(next_state, key=keys[:, 0]), output, starts

        def begin(
            mask: jax.Array, old: Any, start: Any, physics: PhysicsState, limit: Any, last: Any
        ) -> Any:
            new, *seen = jax.vmap(task.begin)(old, start, physics, limit)
            return select(mask, (new, tuple(seen)), (old, last))

        self._advance, self._begin = jax.jit(advance), jax.jit(begin)
        self._target = jax.jit(jax.vmap(task.target))
        self._draw_start = jax.jit(jax.vmap(task.draw_start))
        self._blank = jax.jit(jax.vmap(task.blank))

    def blank(self, keys: jax.Array) -> Any:
        """Task states for first episodes."""
        return self._blank(keys)

    def draw_starts(self, keys: jax.Array) -> Any:
        """Where new episodes begin."""
        return self._draw_start(keys)

    def begin(
        self,
        mask: Any,
        old: Any,
        starts: Any,
        physics: PhysicsState,
        limits: Any,
        last: tuple[Any, Any],
    ) -> tuple[Any, tuple[Any, Any]]:
        """New episodes where `mask`; the task states, and observations with AMP windows, of all
        environments.

        Args:
            mask: (env,) environments that begin.
            old: Task states before.
            starts: Where the episodes begin.
            physics: Physics at `starts`.
            limits: (env,) control steps of the new episodes.
            last: Observations and AMP windows of the others.
        """
        task_state, seen = self._begin(mask, old, starts, physics, limits, last)
        return task_state, seen

    def target(self, state: Any, actions: Any) -> tuple[Any, Any]:
        """Filtered actions, and joint targets in rad."""
        filtered, targets = self._target(state, actions)
        return filtered, targets

    def advance(
        self, state: Any, physics: PhysicsState, filtered: Any
    ) -> tuple[Any, StepOutput, Any]:
        """Task states and outputs after a control step, and starts for the environments that will
        need one.
        """
        next_state, output, starts = self._advance(state, physics, filtered)
        return next_state, output, starts
