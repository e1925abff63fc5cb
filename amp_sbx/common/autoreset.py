"""Switches vector environments to the autoreset mode that Stable-Baselines3 needs."""

from gymnasium.vector import (
    AutoresetMode,
    SyncVectorEnv,
    VectorEnv,
    VectorObservationWrapper,
    VectorWrapper,
)

from amp_sbx.common.errors import VecEnvError

_SAME_STEP = (AutoresetMode.SAME_STEP, AutoresetMode.SAME_STEP.value)
_ATTRIBUTES = ("autoreset_mode", "_autoreset_mode")
"""Where Gymnasium's environments and wrappers keep the mode, besides `metadata`."""


def autoreset_mode(vector_env: VectorEnv) -> AutoresetMode | str | None:
    """The mode that `metadata["autoreset_mode"]` declares, or None."""
    return (vector_env.metadata or {}).get("autoreset_mode")


def use_same_step_autoreset(vector_env: VectorEnv) -> None:
    """Switch a vector environment to `AutoresetMode.SAME_STEP`, below any vector wrappers.

    It must offer `set_autoreset_mode(mode)` or be a `SyncVectorEnv`. Reset it before the next step.

    Raises:
        VecEnvError: the environment, or a wrapper on it, cannot be switched.
    """
    mode = autoreset_mode(vector_env)
    if mode in _SAME_STEP:
        return
    inner, wrappers = vector_env, []
    while isinstance(inner, VectorWrapper) and not hasattr(inner, "set_autoreset_mode"):
        wrappers.append(inner)
        inner = inner.env
    for wrapper in wrappers:
        if isinstance(wrapper, VectorObservationWrapper) and not _keeps_mode(wrapper):
            _refuse(vector_env, mode, f"{type(wrapper).__name__} does not support it")
    if hasattr(inner, "set_autoreset_mode"):
        inner.set_autoreset_mode(AutoresetMode.SAME_STEP)
    elif isinstance(inner, SyncVectorEnv):
        inner.autoreset_mode = AutoresetMode.SAME_STEP
        inner.metadata["autoreset_mode"] = AutoresetMode.SAME_STEP
    else:
        _refuse(vector_env, mode, f"{type(inner).__name__} cannot be switched to it")
    for wrapper in wrappers:
        for name in _ATTRIBUTES:
            if name in vars(wrapper):
                setattr(wrapper, name, AutoresetMode.SAME_STEP)
    if autoreset_mode(vector_env) not in _SAME_STEP:
        _refuse(vector_env, autoreset_mode(vector_env), "it could not be switched to it")


def _keeps_mode(wrapper: VectorWrapper) -> bool:
    return any(name in vars(wrapper) for name in _ATTRIBUTES)


def _refuse(vector_env: VectorEnv, mode: object, why: str) -> None:
    raise VecEnvError(
        f"{type(vector_env).__name__} autoresets in mode {mode}; SB3 needs "
        f"AutoresetMode.SAME_STEP, and {why}. Make it with gymnasium.make_vec(..., "
        "vector_kwargs={'autoreset_mode': gymnasium.vector.AutoresetMode.SAME_STEP}) or with the "
        "environment's own argument."
    )
