"""Errors of the package. All derive from `AMPError`."""

import re
from typing import Any

LONGEST = 600  # characters of a message


class AMPError(Exception):
    """Base class of all errors raised on purpose by `amp_sbx`. Its message is never long."""

    def __init__(self, message: object = "", **more: Any) -> None:
        super().__init__(shortened(str(message)), **more)


def shortened(message: str, longest: int = LONGEST) -> str:
    """A message of at most so many characters: what it quotes may have any length.

    Long words lose their middle, then the message does.
    """
    if len(message) <= longest:
        return message
    words = re.split(r"(\s+)", message)
    message = "".join(w if len(w) <= 160 else f"{w[:80]}...{w[-40:]}" for w in words)
    if len(message) <= longest:
        return message
    end = longest // 3
    return f"{message[: longest - end - 5]} ... {message[-end:]}"


class ConfigError(AMPError, ValueError):
    """A setting is unknown or out of its range."""


class UnknownArgumentError(ConfigError, TypeError):
    """A keyword argument is unknown: Python's own error for that, too."""


class MissingPackageError(AMPError, ModuleNotFoundError):
    """An optional package is missing. The message names the extra that installs it."""


class FeatureError(AMPError, ValueError):
    """AMP observations or a reference are missing, have a wrong shape or layout, or hold NaN."""


class VecEnvError(AMPError, ValueError):
    """A vector environment cannot be adapted, or does not support what was asked."""


class NonFiniteError(AMPError, FloatingPointError):
    """An update has NaN or infinity. The model is as before that update."""


class OutOfMemoryError(AMPError, MemoryError):
    """The environments, or the update, do not fit the memory of the host or of a device."""


class CheckpointError(AMPError, RuntimeError):
    """A checkpoint cannot be written or read, or does not fit its environment."""


class LostProcessError(AMPError, RuntimeError):
    """Another process of a training ended or cannot be reached."""
