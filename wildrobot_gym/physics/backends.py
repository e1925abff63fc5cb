"""Names of the physics engines, and which of them runs on this machine."""

from __future__ import annotations

import importlib.util
import logging
from functools import cache

from wildrobot_gym.errors import PhysicsError, unknown_name

BACKENDS = ("native", "mjx", "mjx-warp", "native-jax")
AUTO = "auto"

_log = logging.getLogger(__name__)


def check_backend(name: str) -> None:
    """Raise PhysicsError where `name` is no engine and not 'auto'.

    It looks at the name only: another machine can have what this one has not.
    """
    if name not in (AUTO, *BACKENDS):
        raise PhysicsError(unknown_name("physics backend", str(name), (AUTO, *BACKENDS)))


def resolve_backend(name: str = AUTO) -> str:
    """The engine that `name` stands for on this machine.

    Args:
        name: One of `BACKENDS`, which stands for itself, or 'auto'. 'auto' is 'mjx' where JAX's
            default device is an accelerator, and 'native' otherwise.

    Returns:
        One of `BACKENDS`.

    Raises:
        PhysicsError: there is no such engine, or this machine cannot run it.
    """
    check_backend(name)
    if name == AUTO:
        return _automatic()
    if name == "mjx-warp":
        _check_warp()
    return name


@cache  # the device of a process does not change, and the choice is logged once
def _automatic() -> str:
    platform = _platform()
    backend = "native" if platform == "cpu" else "mjx"
    _log.info("physics backend: %s, as JAX's default device is a %s", backend, platform.upper())
    return backend


def _platform() -> str:
    """The platform of JAX's default device: 'cpu', 'gpu', 'tpu'."""
    import jax  # not at the top: this takes a second, and only 'auto' and 'mjx-warp' need it

    return jax.default_backend()


def _check_warp() -> None:
    if importlib.util.find_spec("warp") is None:
        raise PhysicsError(
            "The physics backend 'mjx-warp' needs the package warp-lang, which is not installed."
            " Install it by `pip install 'mujoco-mjx[warp]'`, or use 'mjx' or 'native'."
        )
    if (platform := _platform()) not in ("gpu", "cuda"):
        raise PhysicsError(
            "The physics backend 'mjx-warp' needs a CUDA device, and JAX's default device is a"
            f" {platform.upper()}. On a machine with an NVIDIA GPU, install the extra `cuda`."
            " Elsewhere use 'native' or 'mjx'."
        )
