"""Checks of settings: each raises `ConfigError` that says what was got and what is allowed. Names are given in full."""

import difflib
import math
from collections.abc import Iterable
from typing import Any

from amp_sbx.errors import ConfigError


def reject_unknown(section: str, given: Iterable[str], allowed: Iterable[str]) -> None:
    """Every key in `given` must be one of `allowed`."""
    names = sorted(allowed)
    for key in given:
        if key not in names:
            raise ConfigError(f"{section}: unknown key {key!r}.{_nearest(key, names)} Allowed: {', '.join(names)}.")


def check_number(name: str, value: Any, low: float, high: float = math.inf, open_low: bool = False) -> None:
    """A finite number from `low` to `high`; `open_low` leaves out `low` itself."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not (number and math.isfinite(value) and low <= value <= high and not (open_low and value == low)):
        bounds = f"{'(' if open_low else '['}{low:g}, {high:g}{']' if math.isfinite(high) else ')'}"
        raise ConfigError(f"{name} is {value!r}; it must be a number in {bounds}.")


def check_integer(name: str, value: Any, low: int) -> None:
    """A whole number, at least `low`."""
    if not isinstance(value, int) or isinstance(value, bool) or value < low:
        raise ConfigError(f"{name} is {value!r}; it must be a whole number, at least {low}.")


def check_choice(name: str, value: Any, allowed: Iterable[str]) -> None:
    """One of `allowed`."""
    names = sorted(allowed)
    if value not in names:
        raise ConfigError(f"{name} is {value!r}.{_nearest(value, names)} Allowed: {', '.join(names)}.")


def _nearest(got: Any, names: list[str]) -> str:
    near = difflib.get_close_matches(str(got), names, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
