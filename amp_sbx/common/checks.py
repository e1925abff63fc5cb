"""Checks of settings.

Each raises `ConfigError` with the value and what is allowed. Pass names in full: `amp.weight`.
"""

import difflib
import math
import sys
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from typing import Any

from amp_sbx.common.errors import ConfigError


def reject_unknown(
    section: str,
    given: Iterable[str],
    allowed: Iterable[str],
    error: type[ConfigError] = ConfigError,
) -> None:
    """Check that every key in `given` is one of `allowed`; raise `error` otherwise."""
    names = sorted(allowed)
    for key in given:
        if key not in names:
            raise error(
                f"{section}: unknown key {key!r}.{nearest(key, names)} Allowed: {', '.join(names)}."
            )


def check_number(
    name: str, value: Any, low: float, high: float = math.inf, open_low: bool = False
) -> None:
    """Check for a finite number from `low` to `high`. `open_low` excludes `low` itself."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not (
        number
        and -sys.float_info.max <= value <= sys.float_info.max
        and low <= value <= high
        and not (open_low and value == low)
    ):
        bounds = f"{'(' if open_low else '['}{low:g}, {high:g}{']' if math.isfinite(high) else ')'}"
        raise ConfigError(f"{name} is {value!r}; it must be a number in {bounds}.")


def check_integer(name: str, value: Any, low: int) -> None:
    """Check for a whole number, at least `low`."""
    if not isinstance(value, int) or isinstance(value, bool) or value < low:
        raise ConfigError(f"{name} is {value!r}; it must be a whole number, at least {low}.")


def check_band(name: str, value: Any, low: float, high: float, example: str) -> tuple[float, float]:
    """Check for a pair of ordered numbers within bounds, and return it as a tuple.

    YAML and JSON give lists. `example` shows a valid value in messages.
    """
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise ConfigError(f"{name} is {value!r}; give two numbers, low and high, e.g. {example}.")
    for number in value:
        check_number(name, number, low, high)
    if value[0] > value[1]:
        raise ConfigError(
            f"{name} is {list(value)!r}: low is above high; swap them, e.g. {example}."
        )
    return tuple(value)


def build_section(cls: type, section: str, value: Any, example: str) -> Any:
    """An instance of the dataclass `cls` from itself or from a mapping of its fields.

    `example` shows a valid value in messages.
    """
    if isinstance(value, cls):
        return value
    if not isinstance(value, Mapping):
        raise ConfigError(f"{section} is {value!r}; give a mapping, e.g. {example}.")
    names = [item.name for item in fields(cls)]
    reject_unknown(section, value, names)
    if missing := [
        f.name
        for f in fields(cls)
        if f.name not in value and f.default is MISSING and f.default_factory is MISSING
    ]:
        raise ConfigError(f"{section} is missing {', '.join(missing)}; e.g. {example}.")
    return cls(**value)


def check_choice(name: str, value: Any, allowed: Iterable[str]) -> None:
    """Check for one of `allowed`."""
    names = sorted(allowed)
    if value not in names:
        raise ConfigError(
            f"{name} is {value!r}.{nearest(value, names)} Allowed: {', '.join(names)}."
        )


def check_flag(name: str, value: Any) -> None:
    """Check for true or false."""
    if not isinstance(value, bool):
        raise ConfigError(f"{name} is {value!r}; it must be true or false.")


def nearest(got: Any, names: list[str]) -> str:
    """`" Did you mean 'x'?"` for the nearest name, or an empty text if none is near."""
    near = difflib.get_close_matches(str(got), names, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
