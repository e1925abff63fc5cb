"""Names of the physics engines, and which of them runs on this machine."""

from __future__ import annotations

import logging
from functools import cache

from wildrobot_gym.errors import PhysicsError, unknown_name

BACKENDS = ("native", "mjx", "native-jax")
_NO_WARP = (
    "The physics backend 'mjx-warp' is not supported: MJX on Warp computes no sensors at a given"
    " state, which new episodes need. Use 'mjx', the same physics in JAX."
)
AUTO = "auto"

_log = logging.getLogger(__name__)


def check_backend(name: str) -> None:
    """Raise PhysicsError where `name` is no engine and not 'auto'."""
    if name == "mjx-warp":
        raise PhysicsError(_NO_WARP)
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
        PhysicsError: there is no such engine.
    """
    check_backend(name)
    return _automatic() if name == AUTO else name


@cache  # the device of a process does not change, and the choice is logged once
def _automatic() -> str:
    platform = _platform()
    backend = "native" if platform == "cpu" else "mjx"
    _log.info("physics backend: %s, as JAX's default device is a %s", backend, platform.upper())
    return backend


def _platform() -> str:
    """The platform of JAX's default device: 'cpu', 'gpu', 'tpu'."""
    import jax  # not at the top: this takes a second, and only 'auto' needs it

    return jax.default_backend()
