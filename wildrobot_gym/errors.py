"""Every error this package raises on purpose, under one base class."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class WildRobotError(Exception):
    """Base class: catch this to catch all of them."""


class ConfigError(WildRobotError, ValueError):
    """A configuration value or key is wrong."""


class RobotError(WildRobotError, ValueError):
    """A robot's model or its robot_config.yaml is incomplete or inconsistent."""


class PhysicsError(WildRobotError, RuntimeError):
    """A physics engine cannot be built or was handed something it cannot step."""


class MotionError(WildRobotError, ValueError):
    """A motion clip or reference dataset is damaged or does not fit the robot."""


class ActionError(WildRobotError, ValueError):
    """An action has the wrong shape or is not finite."""


class RunError(WildRobotError, RuntimeError):
    """A training run's folder or files are not what the command needs."""


def unknown_name(what: str, got: str, allowed: Iterable[str]) -> str:
    """Message for a name that is not among ``allowed``: says what was got, the nearest, and all that is allowed."""
    names = sorted(allowed)
    near = difflib.get_close_matches(got, names, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"Unknown {what} {got!r}.{hint} Allowed: {', '.join(names)}."
