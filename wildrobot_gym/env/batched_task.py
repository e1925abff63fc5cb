"""A task's functions for a batch of environments, each compiled once."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

import jax

from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.task.protocol import StepOutput, Task

_MOST_SHARED = 8  # compiled tasks that are kept for further environments of the same settings
_shared: OrderedDict[Any, Any] = OrderedDict()
T = TypeVar("T")


def shared(key: Any, make: Callable[[], T]) -> T:
    """What `make` gives, kept for environments of the same settings.

    Tracing and compiling take seconds, and a training run has a second environment for evaluation.

    Args:
        key: What the compiled functions depend on; None: nothing is shared.
        make: Makes the functions.
    """
    if key is None:
        return make()
    found: T = _shared.pop(key, None) or make()
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
        def draw(state: Any, ids: jax.Array) -> Any:
            """New random streams and starts of some environments."""
            some = jax.tree.map(lambda x: x.at[ids].get(mode="clip"), state)
            keys = jax.vmap(jax.random.split)(some.key)
            starts = jax.vmap(task.draw_start)(keys[:, 1])
            return dataclasses.replace(some, key=keys[:, 0]), starts

        def begin(
            all_of: Any, ids: jax.Array, some: Any, starts: Any, physics: Any, limits: Any
        ) -> Any:
            new = jax.vmap(task.begin)(some, starts, physics, limits)
            return jax.tree.map(lambda x, y: x.at[ids].set(y, mode="drop"), all_of, new)

        self._advance = jax.jit(jax.vmap(task.advance))
        self._target = jax.jit(jax.vmap(task.target))
        self._blank = jax.jit(jax.vmap(task.blank))
        self._draw, self._begin = jax.jit(draw), jax.jit(begin)

    def blank(self, keys: Any) -> Any:
        """Task states for first episodes."""
        return self._blank(keys)

    def draw(self, state: Any, ids: Any) -> tuple[Any, Any]:
        """Task states of some environments with new random streams, and where they begin.

        Args:
            state: Task states of all environments.
            ids: (chunk,) environments. Ids past the end are those of no environment.
        """
        some, starts = self._draw(state, ids)
        return some, starts

    def begin(
        self, all_of: Any, ids: Any, some: Any, starts: Any, physics: PhysicsState, limits: Any
    ) -> Any:
        """New episodes of some environments.

        Args:
            all_of: Task states of all environments, and what they show.
            ids: (chunk,) environments that begin.
            some: Their task states before.
            starts: Where their episodes begin.
            physics: Physics at `starts`.
            limits: (chunk,) control steps of the new episodes.

        Returns:
            `all_of` with the new episodes.
        """
        return self._begin(all_of, ids, some, starts, physics, limits)

    def target(self, state: Any, actions: Any) -> tuple[Any, Any]:
        """Filtered actions, and what acts on the robots."""
        filtered, drive = self._target(state, actions)
        return filtered, drive

    def advance(self, state: Any, physics: PhysicsState, filtered: Any) -> tuple[Any, StepOutput]:
        """Task states and outputs after a control step."""
        next_state, output = self._advance(state, physics, filtered)
        return next_state, output
