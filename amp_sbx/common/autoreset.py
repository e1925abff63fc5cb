"""Puts vector environments into an autoreset mode that Stable-Baselines3 can live with."""

from typing import Any

import numpy as np
from gymnasium.vector import (
    AutoresetMode,
    SyncVectorEnv,
    VectorEnv,
    VectorObservationWrapper,
    VectorWrapper,
)
from gymnasium.wrappers.vector import NormalizeObservation

from amp_sbx.common.errors import VecEnvError

_SAME_STEP = (AutoresetMode.SAME_STEP, AutoresetMode.SAME_STEP.value)
_DISABLED = (AutoresetMode.DISABLED, AutoresetMode.DISABLED.value)
_ATTRIBUTES = ("autoreset_mode", "_autoreset_mode")
"""Where Gymnasium's environments and wrappers keep the mode, besides `metadata`."""


def autoreset_mode(vector_env: VectorEnv) -> AutoresetMode | str | None:
    """The mode that `metadata["autoreset_mode"]` declares, or None."""
    return (vector_env.metadata or {}).get("autoreset_mode")


def settle_autoreset(vector_env: VectorEnv) -> AutoresetMode:
    """Switch a vector environment to a mode in which no step is lost, below any vector wrappers.

    That is SAME_STEP, or DISABLED below Gymnasium's observation wrappers, which refuse SAME_STEP.
    To be switched, it must offer `set_autoreset_mode(mode)` or be a `SyncVectorEnv`. Reset it
    before the next step.

    Returns:
        The mode. With DISABLED, finished environments wait for `restart_finished`.

    Raises:
        VecEnvError: the environment, or a wrapper on it, cannot be switched.
    """
    mode = autoreset_mode(vector_env)
    if mode in _SAME_STEP:
        return AutoresetMode.SAME_STEP
    inner, wrappers = vector_env, []
    while isinstance(inner, VectorWrapper) and not hasattr(inner, "set_autoreset_mode"):
        wrappers.append(inner)
        inner = inner.env
    wanted = AutoresetMode.SAME_STEP
    for wrapper in wrappers:
        if isinstance(wrapper, NormalizeObservation):
            raise VecEnvError(
                "Gymnasium's NormalizeObservation cannot restart single environments. Use SB3's "
                "VecNormalize on the adapter: VecNormalize(GymnasiumVecEnv(env))."
            )
        if isinstance(wrapper, VectorObservationWrapper) and not _keeps_mode(wrapper):
            wanted = AutoresetMode.DISABLED
    if mode in _DISABLED and (wanted == AutoresetMode.DISABLED or not _can_switch(inner)):
        return AutoresetMode.DISABLED
    if not _can_switch(inner):
        _refuse(vector_env, mode, f"{type(inner).__name__} cannot be switched")
    if hasattr(inner, "set_autoreset_mode"):
        inner.set_autoreset_mode(wanted)
    elif isinstance(inner, SyncVectorEnv):
        inner.autoreset_mode = wanted
        inner.metadata["autoreset_mode"] = wanted
    for wrapper in wrappers:
        for name in _ATTRIBUTES:
            if name in vars(wrapper):
                setattr(wrapper, name, wanted)
    if autoreset_mode(vector_env) not in (wanted, wanted.value):
        _refuse(vector_env, autoreset_mode(vector_env), "it could not be switched")
    return wanted


def restart_finished(
    vector_env: VectorEnv, observations: Any, dones: np.ndarray
) -> tuple[Any, dict[str, Any]]:
    """Restart the finished environments of a vector environment in mode DISABLED.

    Args:
        vector_env: the vector environment.
        observations: what `step` returned; its rows of finished environments are replaced.
        dones: (num_envs,) bool, the finished environments, at least one.

    Returns:
        The observations, with the first ones of the new episodes, and the infos of the reset.
    """
    first, infos = vector_env.reset(options={"reset_mask": dones.copy()})
    if isinstance(observations, dict):
        for name, rows in observations.items():
            rows[dones] = np.asarray(first[name])[dones]
    else:
        observations[dones] = np.asarray(first)[dones]
    return observations, infos


def _can_switch(inner: VectorEnv) -> bool:
    return hasattr(inner, "set_autoreset_mode") or isinstance(inner, SyncVectorEnv)


def _keeps_mode(wrapper: VectorWrapper) -> bool:
    return any(name in vars(wrapper) for name in _ATTRIBUTES)


def _refuse(vector_env: VectorEnv, mode: object, why: str) -> None:
    raise VecEnvError(
        f"{type(vector_env).__name__} autoresets in mode {mode}; SB3 needs SAME_STEP or DISABLED, "
        f"and {why}. An environment with a vector class of its own takes the mode itself: "
        "gymnasium.make_vec(id, num_envs=n, autoreset_mode='SAME_STEP'). Others: make_vec(..., "
        "vector_kwargs={'autoreset_mode': gymnasium.vector.AutoresetMode.SAME_STEP})."
    )
