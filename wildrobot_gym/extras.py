"""Optional packages: imported where they are needed, and named with their extra where missing."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from wildrobot_gym.errors import MissingPackageError

EXTRA_OF = {
    "daqp": "motion",
    "distributed": "cluster",
    "imageio": "viz",
    "matplotlib": "viz",
    "mink": "motion",
    "moviepy": "viz",
    "optax": "train",
    "optuna": "zoo",
    "rl_zoo3": "zoo",
    "sbx": "train",
    "stable_baselines3": "train",
    "tensorboard": "train",
    "tensorflow_probability": "train",
    "torch": "train",
    "trimesh": "viz",
    "viser": "viz",
}  # the extra of each package that this package's modules import at their top


def require(module: str, extra: str) -> Any:
    """Import an optional package.

    Args:
        module: The module to import, such as "matplotlib.pyplot".
        extra: The extra of this package that installs it.

    Returns:
        The module.

    Raises:
        MissingPackageError: It cannot be imported. The message says what to install.

    Example:
        >>> onnxruntime = require("onnxruntime", "deploy")
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise missing(module, extra, error) from error


@contextmanager
def extras_named() -> Iterator[None]:
    """Turn a failed import of an optional package inside the block into MissingPackageError."""
    try:
        yield
    except MissingPackageError:
        raise
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRA_OF:
            raise
        raise missing(package, EXTRA_OF[package], error) from error


def missing(module: str, extra: str, error: ImportError) -> MissingPackageError:
    """The error about a package that cannot be imported.

    Args:
        module: What was imported.
        extra: The extra that installs it.
        error: What Python raised.
    """
    package = module.partition(".")[0]
    absent = isinstance(error, ModuleNotFoundError) and error.name == package
    what = "is not installed" if absent else f"cannot be imported ({error})"
    return MissingPackageError(
        f"This needs the package {package}, which {what}. Install the extra `{extra}`:"
        f" pip install 'wildrobot[{extra}]', or in a clone: pip install -e '.[{extra}]'.",
        name=package,
    )
