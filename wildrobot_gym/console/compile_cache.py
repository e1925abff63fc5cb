"""Keep what JAX compiles on the disk, so that the second start of a command compiles nothing.

Programs that call back to Python, those of the engine native-jax, are never kept.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "WILDROBOT_CACHE"
OFF = "off"
# JAX's own variable: who sets it has decided where the programs lie.
_FOLDER = "JAX_COMPILATION_CACHE_DIR"
# JAX keeps programs from one second of compile time on. Here a start has dozens of small ones.
_THRESHOLD = "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"


def use_compile_cache() -> str | None:
    """Let JAX keep compiled programs, in this process and in those that it starts.

    It imports no JAX. Call it before JAX compiles anything.

    Returns:
        A warning where the folder cannot be used; JAX then keeps nothing.
    """
    try:
        folder = cache_folder(os.environ)
        problem = "" if folder is None else _problem(folder)
    except (OSError, RuntimeError) as error:  # no such user, a name too long, no way to look
        folder, problem = Path(), f"The cache cannot be used: {error}."
    if folder is None:
        return None
    if problem:
        return f"{problem} Compiled programs are not kept. Set {VARIABLE} to a folder, or to {OFF}."
    settings = {_FOLDER: str(folder)}
    if _THRESHOLD not in os.environ:
        settings[_THRESHOLD] = "0"
    os.environ.update(settings)
    if (jax := sys.modules.get("jax")) is not None:  # which has read its variables already
        for name, value in settings.items():
            jax.config.update(name.lower(), value if name == _FOLDER else float(value))
    return None


def cache_folder(environ: Mapping[str, str]) -> Path | None:
    """Where compiled programs are kept.

    Args:
        environ: The environment's variables.

    Returns:
        A folder of `WILDROBOT_CACHE` or of the user's cache folder, one for each kind of CPU. None
        where `WILDROBOT_CACHE` is 'off', or JAX's own variable names a folder.
    """
    chosen = environ.get(VARIABLE, "")
    if _FOLDER in environ or chosen.lower() == OFF:
        return None
    root = Path(chosen).expanduser().absolute() if chosen else _user_cache(environ) / "wildrobot"
    return root / "jax" / _cpu()


def _user_cache(environ: Mapping[str, str]) -> Path:
    chosen = Path(environ.get("XDG_CACHE_HOME", ""))
    if chosen.is_absolute():  # its specification ignores others
        return chosen
    home = Path.home()
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache")


def _cpu() -> str:
    """A name for this kind of CPU.

    A program that was compiled for one kind can crash on another, and machines share home folders.
    JAX's own key of a program does not hold the kind.
    """
    known = [platform.machine(), platform.processor()]
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    for name in ("model name", "flags", "Features"):
        known += [line for line in lines if line.startswith(name)][:1]
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:12]


def _problem(folder: Path) -> str:
    """Why files cannot be written there; "" if they can. It makes no folder, as JAX does."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir():
        return f"The cache {folder} cannot be made: {there} is no folder."
    if not os.access(there, os.W_OK | os.X_OK):
        return f"The cache {folder} cannot be written."
    return ""
