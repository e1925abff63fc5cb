"""Copies of environments, for planners and for other processes: what they were made with, and their
state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import numpy as np


def remembering(init: Callable[..., None]) -> Callable[..., None]:
    """An `__init__` whose arguments a `Copyable` can be made with again."""

    @wraps(init)
    def wrapped(self: Copyable, *args: Any, **kwargs: Any) -> None:
        self._made_with = args, kwargs
        init(self, *args, **kwargs)

    return wrapped


class Copyable:
    """What `copy.deepcopy` and `pickle` need of a vector environment.

    A copy continues bit for bit. The renderer is not copied.
    """

    _made_with: tuple[tuple[Any, ...], dict[str, Any]]
    spec: Any

    @property
    def has_begun(self) -> bool:
        """Whether there is a state."""
        raise NotImplementedError

    def get_state(self) -> dict[str, np.ndarray]:
        """The state."""
        raise NotImplementedError

    def set_state(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Continue from a state."""
        raise NotImplementedError

    def __reduce__(self) -> tuple[Any, ...]:
        state = self.get_state() if self.has_begun else None
        return _made_again, (type(self), *self._made_with, state), {"spec": self.spec}


def _made_again(
    cls: type[Copyable],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    state: Mapping[str, np.ndarray] | None,
) -> Copyable:
    env = cls(*args, **kwargs)
    if state is not None:
        env.set_state(state)
    return env
