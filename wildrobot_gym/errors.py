"""The errors that this package raises on purpose, under one base class."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any

LONGEST = 600  # characters of a message


class WildRobotError(Exception):
    """Base class of all errors of this package. Its message is never long."""

    def __init__(self, message: object = "", **more: Any) -> None:
        super().__init__(shortened(str(message)), **more)


class ConfigError(WildRobotError, ValueError):
    """A configuration value or key is wrong."""


class UnknownArgumentError(ConfigError, TypeError):
    """A function was called with a keyword argument that it does not take.

    Also Python's own error for that, which other libraries catch to try again without it.
    """


class RobotError(WildRobotError, ValueError):
    """A robot's model or its robot.yaml is incomplete or inconsistent."""


class PhysicsError(WildRobotError, RuntimeError):
    """A physics engine cannot be built, or cannot step what it got."""


class MotionError(WildRobotError, ValueError):
    """A motion clip or reference dataset is damaged or does not fit the robot."""


class ActionError(WildRobotError, ValueError):
    """An action has the wrong shape or is not finite."""


class RunError(WildRobotError, RuntimeError):
    """A run directory or its files are not what a command needs."""


class MissingPackageError(WildRobotError, ModuleNotFoundError):
    """An optional package is missing. The message names the extra that installs it."""


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


def unknown_name(what: str, got: str, allowed: Iterable[str]) -> str:
    """Message for a name that is not among `allowed`.

    The name, the nearest allowed one, and all allowed ones.
    """
    names = sorted(allowed)
    near = difflib.get_close_matches(got, names, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"Unknown {what} {got!r}.{hint} Allowed: {', '.join(names)}."


def unknown_argument(what: str, got: str, allowed: Iterable[str]) -> UnknownArgumentError:
    """The error about a keyword argument that `what` does not take, in Python's words and ours."""
    names = unknown_name("keyword argument", got, allowed).partition(".")[2]
    return UnknownArgumentError(f"{what} got an unexpected keyword argument {got!r}.{names}")
