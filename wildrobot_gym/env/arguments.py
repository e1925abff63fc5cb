"""Checks of what users pass to an environment."""

from __future__ import annotations

import dataclasses
import inspect
import os
from typing import Any

import numpy as np

from wildrobot_gym.config import shown
from wildrobot_gym.errors import ActionError, ConfigError, PhysicsError, unknown_argument

_jax_was_inherited = False  # this process is a fork of one in which JAX runs


def _note_a_fork() -> None:
    global _jax_was_inherited
    from jax._src import xla_bridge  # the public API cannot tell without starting JAX

    _jax_was_inherited = xla_bridge.backends_are_initialized()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_note_a_fork)


def check_process() -> None:
    """Raise PhysicsError in a fork of a process in which JAX runs: it would hang here."""
    if _jax_was_inherited:
        raise PhysicsError(
            "This process was forked from one in which JAX runs, and JAX would hang in it. Start it"
            " by 'spawn' or 'forkserver' (gym.make_vec(..., vectorization_mode='async',"
            " vector_kwargs={'context': 'spawn'}), under if __name__ == '__main__':), or step many"
            " robots in one process: gym.make_vec('WildRobot-v0', num_envs=...)."
        )


def known_settings(env: Any, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings as they are.

    Raises:
        UnknownArgumentError: One is neither an argument of the environment class `env` nor a field
            of its config.
    """
    fields = {field.name for field in dataclasses.fields(env.config_class)}
    for name in settings:
        if name not in fields:
            named = {
                parameter.name
                for parameter in inspect.signature(env).parameters.values()
                if parameter.kind is not parameter.VAR_KEYWORD
            }
            raise unknown_argument(env.__name__, name, fields | named)
    return settings


def check_counts(num_envs: Any, num_threads: Any, max_episode_steps: Any) -> None:
    """Raise ConfigError unless all three are whole numbers in their ranges."""
    _check_count("num_envs", num_envs, 1, "robots")
    _check_count("num_threads", num_threads, 0, "threads; 0 takes every CPU")
    if max_episode_steps is not None:
        _check_count("max_episode_steps", max_episode_steps, 1, "control steps, or None")


def _check_count(name: str, value: Any, low: int, what: str) -> None:
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < low:
        raise ConfigError(f"{name} is {value!r}; allowed: a whole number, {low} or more {what}.")


def checked_actions(actions: Any, shape: tuple[int, int]) -> np.ndarray:
    """Actions as float32.

    Args:
        actions: From the policy.
        shape: (num_envs, joint) that is allowed.

    Raises:
        ActionError: another shape, or a NaN or infinity.
    """
    checked: np.ndarray = np.asarray(actions, dtype=np.float32)
    if checked.shape != shape:
        raise ActionError(
            f"actions have shape {checked.shape}; this environment takes {shape} (num_envs, joint)."
        )
    if not np.isfinite(checked).all():
        row = int(np.flatnonzero(~np.isfinite(checked).all(axis=1))[0])
        raise ActionError(
            f"actions must be finite; environment {row} was given {checked[row]}. A policy that"
            " outputs NaN has"
            " usually diverged: look at its losses."
        )
    return checked


def velocity_commands(num_envs: int, commands: Any, vx: Any, vy: Any, yaw_rate: Any) -> np.ndarray:
    """Commands (num_envs, 3) from the two forms that `set_commands` takes.

    Raises:
        ConfigError: both forms or none are given, a shape does not fit, or a number is not finite.
    """
    parts = {"vx": vx, "vy": vy, "yaw_rate": yaw_rate}
    if (commands is None) == all(part is None for part in parts.values()):
        raise ConfigError(
            f"set_commands takes an array (num_envs, 3), or one or more of {', '.join(parts)}; it"
            " got"
            f" {'none of them' if commands is None else 'both'}."
        )
    if commands is not None:
        whole: np.ndarray = np.asarray(commands, np.float32)
        if whole.shape != (num_envs, 3) or not np.isfinite(whole).all():
            raise ConfigError(
                f"commands must be finite and of shape ({num_envs}, 3), got shape {whole.shape}."
            )
        return whole
    columns = []
    for name, part in parts.items():
        column = np.asarray(0.0 if part is None else part, np.float32)
        if column.shape not in ((), (num_envs,)) or not np.isfinite(column).all():
            raise ConfigError(
                f"{name} must be finite, and one number or of shape ({num_envs},); got shape"
                f" {column.shape}."
            )
        columns.append(np.broadcast_to(column, (num_envs,)))
    return np.stack(columns, axis=1)


def random_keys(seed: Any, num_envs: int, has_begun: bool) -> tuple[np.ndarray, np.ndarray]:
    """Keys of random streams, (num_envs, 2) uint32, and which environments get theirs, bool.

    Args:
        seed: A number for all environments, one for each, or None.
        num_envs: Number of environments.
        has_begun: Whether they have streams, which continue where a seed of several is None.

    Raises:
        ConfigError: `seed` is something else.
    """
    if seed is None or _is_seed(seed):
        words = np.random.SeedSequence(seed).generate_state(2 * num_envs)
        return words.astype(np.uint32).reshape(-1, 2), np.ones(num_envs, bool)
    each = list(seed) if isinstance(seed, list | tuple | np.ndarray) else []
    if len(each) != num_envs or not all(one is None or _is_seed(one) for one in each):
        raise ConfigError(
            f"seed is {shown(seed)}; allowed: a whole number of 0 or more, a list of {num_envs} of"
            " them (or None), one for each environment, or None."
        )
    keys = [np.random.SeedSequence(one).generate_state(2) for one in each]
    seeded = np.array([one is not None or not has_begun for one in each])
    return np.array(keys, np.uint32), seeded


def _is_seed(value: Any) -> bool:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return whole and bool(value >= 0)
