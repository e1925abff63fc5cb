"""Robots that do not fit the memory: an error that says how many would."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import jax

from wildrobot_gym.errors import PhysicsError

# As XLA writes it: "Out of memory while trying to allocate 24.00GiB."
_FULL = re.compile(r"RESOURCE_EXHAUSTED|out.of.memory", re.I)
_ASKED = re.compile(r"allocat\D*([\d.]+) ?(bytes|[KMGT]iB)")
_UNITS = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
P = ParamSpec("P")
R = TypeVar("R")


def within_memory(method: Callable[P, R]) -> Callable[P, R]:
    """A method of a batch whose errors about a full memory say how many robots would fit.

    Args:
        method: Of an object with `num_envs`.
    """

    @wraps(method)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except (MemoryError, jax.errors.JaxRuntimeError) as error:
            if not isinstance(error, MemoryError) and not _FULL.search(str(error)):
                raise
            num_envs: int = args[0].num_envs  # type: ignore[attr-defined]
            would = f"; about {fit:,} would" if (fit := _fitting(num_envs, error)) else ""
            raise PhysicsError(
                f"num_envs is {num_envs:,}, which does not fit the memory{would}."
                f" {str(error).strip().partition(chr(10))[0]}"
            ) from error

    return checked


def _fitting(num_envs: int, error: Exception) -> int:
    """By the device's own numbers, or else half."""
    stats, asked = jax.local_devices()[0].memory_stats() or {}, _ASKED.search(str(error))
    fit = num_envs
    if asked and stats.get("bytes_limit") and not isinstance(error, MemoryError):
        needed = stats["bytes_in_use"] + float(asked[1]) * _UNITS[asked[2]]
        fit = int(num_envs * stats["bytes_limit"] / needed)
    return fit if fit < num_envs else num_envs // 2  # others use the memory, too
