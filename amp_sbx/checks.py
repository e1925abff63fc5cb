"""Checks of settings, with messages that say what was got and what is allowed."""

import difflib
import math
from collections.abc import Iterable
from typing import Any

from amp_sbx.errors import ConfigError


def reject_unknown(section: str, given: Iterable[str], allowed: list[str]) -> None:
    for key in given:
        if key not in allowed:
            near = difflib.get_close_matches(str(key), allowed, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ConfigError(f"{section}: unknown key {key!r}.{hint} Allowed: {', '.join(sorted(allowed))}.")


def check_number(name: str, value: Any, low: float, high: float = math.inf, open_low: bool = False) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not (number and math.isfinite(value) and low <= value <= high and not (open_low and value == low)):
        bounds = f"{'(' if open_low else '['}{low:g}, {high:g}{']' if math.isfinite(high) else ')'}"
        raise ConfigError(f"{name} is {value!r}; it must be a number in {bounds}.")


def check_integer(name: str, value: Any, low: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < low:
        raise ConfigError(f"{name} is {value!r}; it must be a whole number, at least {low}.")


def check_choice(name: str, value: Any, allowed: Iterable[str]) -> None:
    names = sorted(allowed)
    if value not in names:
        near = difflib.get_close_matches(str(value), names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"{name} is {value!r}.{hint} Allowed: {', '.join(names)}.")
