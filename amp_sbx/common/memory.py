"""Environments that do not fit the memory: an error that says how many would."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import jax

from amp_sbx.common.errors import AMPError, OutOfMemoryError

# gRPC says RESOURCE_EXHAUSTED, too, of messages that are "larger than max".
_EXHAUSTED = re.compile(r"RESOURCE_EXHAUSTED(?!.*larger than max)|out.of.memory", re.I | re.S)
_ASKED = re.compile(r"allocat\D*([\d.]+) ?(bytes|[KMGT]iB)")
_UNITS = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether an error says that the memory of the host or of a device is full."""
    if isinstance(error, jax.errors.JaxRuntimeError):
        return _EXHAUSTED.search(str(error)) is not None
    return isinstance(error, MemoryError)


def num_fitting(num_envs: int, needed: float | None = None) -> int:
    """About how many environments fit the device's memory.

    Args:
        num_envs: a number of environments.
        needed: bytes that these need on a device, if known.

    Returns:
        The number by the device's memory limit, as if all bytes were the environments'. Half of
        `num_envs` where nothing is known.
    """
    limit = (jax.local_devices()[0].memory_stats() or {}).get("bytes_limit")
    if not needed or not limit:
        return max(num_envs // 2, 1)
    return max(int(num_envs * limit / needed), 1)


@contextmanager
def within_memory(num_envs: int, needed: int | None = None) -> Iterator[None]:
    """Turn errors about a full memory into one that says what would fit.

    Args:
        num_envs: environments that were asked for.
        needed: bytes that the program needs on a device, if known.

    Raises:
        OutOfMemoryError: the memory is full.
    """
    try:
        yield
    except (MemoryError, jax.errors.JaxRuntimeError) as error:
        if isinstance(error, AMPError) or not is_out_of_memory(error):
            raise
        fit = num_envs
        if isinstance(error, jax.errors.JaxRuntimeError):
            fit = num_fitting(num_envs, needed or _needed(str(error)))
        if fit >= num_envs:  # others use the memory, too
            fit = num_fitting(num_envs)
        would = f"; about {fit:,} would" if fit < num_envs else ""
        raise OutOfMemoryError(
            f"{num_envs:,} environments do not fit the memory{would}. Take fewer, or shorter "
            f"rollouts (n_steps). {str(error).strip().partition(chr(10))[0]}"
        ) from error


def _needed(message: str) -> float | None:
    """Bytes in use and asked for, when an allocation on the device failed."""
    in_use = (jax.local_devices()[0].memory_stats() or {}).get("bytes_in_use")
    asked = _ASKED.search(message)
    return None if in_use is None or asked is None else in_use + float(asked[1]) * _UNITS[asked[2]]
