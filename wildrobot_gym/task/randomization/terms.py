"""Randomization terms: what is drawn once an episode, and what the drawn value does."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
from jaxtyping import Array

from wildrobot_gym.config import check, check_choice
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.own_terms import own_module
from wildrobot_gym.task.randomization.kinds import KINDS, shape

Draw = Callable[[Any, float, float, RobotModel], Array]


@dataclass(frozen=True)
class RandomTerm:
    """One quantity that each episode draws.

    Attributes:
        name: Its name in configs and infos.
        kind: Shape of the drawn value, one of `KINDS`.
        unit: Its unit, or 'factor'.
        meaning: What it does, in words.
        function: From the drawn value and the model to the model's changed fields; None where the
            servos' inputs or the sensors read the value.
        above: Lowest value that is allowed.
        below: Highest value that is allowed.
        draw: Draws it; None: uniform in the range.
        replaces: Model field, one number, that the value takes the place of. Other values change
            nothing at a factor of 1, or at 0 of another unit.
    """

    name: str
    kind: str
    unit: str
    meaning: str
    function: Callable[[Any, Any], Mapping[str, Any]] | None = None
    above: float = -math.inf
    below: float = math.inf
    draw: Draw | None = None
    replaces: str | None = None

    def check(self, got: tuple[float, ...]) -> None:
        """Raise ConfigError where `got` is no range of this term."""
        check(
            len(got) == 2 and self.above <= got[0] <= got[1] <= self.below,
            f"randomization.{self.name}",
            got,
            f"[low, high] with low <= high, {self.allowed}",
        )

    @property
    def allowed(self) -> str:
        """The bounds in words."""
        low, high = (None if math.isinf(x) else f"{x:g}" for x in (self.above, self.below))
        unit = "" if self.unit in ("factor", "coefficient", "probability") else f" {self.unit}"
        if low is None and high is None:
            return "any number" + (f" of{unit}" if unit else "")
        if low is None or high is None:
            return f"{low} or more{unit}" if high is None else f"{high} or less{unit}"
        return f"{low} to {high}{unit}"

    def sample(self, key: Any, bounds: tuple[float, float], robot: RobotModel) -> Array:
        """One environment's value."""
        if self.draw is not None:
            return self.draw(key, *bounds, robot)
        low, high = bounds
        return jax.random.uniform(key, shape(self.kind, robot), minval=low, maxval=high)


def random_term(
    kind: str = "scalar",
    unit: str = "factor",
    above: float = -math.inf,
    below: float = math.inf,
    replaces: str | None = None,
) -> Callable[[Callable[..., Any]], RandomTerm]:
    """A decorator that makes a term of a function of the drawn value and the model.

    Args:
        kind: Shape of the drawn value, one of `KINDS`.
        unit: Its unit, or 'factor'.
        above: Lowest value that is allowed.
        below: Highest value that is allowed.
        replaces: Model field, one number, that the value takes the place of.

    Raises:
        ConfigError: there is no such kind.

    Example:
        >>> @random_term("joint", above=0.1)
        ... def servo_kp(value, model):
        ...     '''Proportional gain of each servo.'''
        ...     return {"kp": model["kp"] * value}
    """
    check_choice("kind of a randomization term", kind, tuple(KINDS))

    def make(function: Callable[..., Any]) -> RandomTerm:
        meaning = _first(function)
        return RandomTerm(
            function.__name__, kind, unit, meaning, function, above, below, replaces=replaces
        )

    return make


def _first(function: Any) -> str:
    """The first paragraph of a docstring."""
    return " ".join((inspect.getdoc(function) or "").split("\n\n")[0].split())


def term_name(key: str) -> str:
    """Name of a term in the infos, from its key in a config."""
    return key.partition(":")[2] or key


def find_own_term(key: str, registry: Mapping[str, RandomTerm]) -> RandomTerm:
    """A user's own term. Its module is imported.

    A plain function of the drawn value and the model is a term with one number.

    Raises:
        ConfigError: the key has another form, the module cannot be imported, or it has no such
            term.
    """
    module, name = own_module(key, "randomization", registry)
    found = getattr(module, name, None)
    if isinstance(found, RandomTerm):
        return found
    if not callable(found):
        raise ConfigError(
            f"The randomization term {key!r}: {module.__name__} has no function {name!r}, found"
            f" {type(found).__name__}. Write one: def {name}(value, model) -> dict of model fields."
        )
    return random_term()(found)
