"""Configs from plain YAML mappings and back: frozen dataclasses that check themselves.

A config class checks its values in `__post_init__`, so that a wrong one never reaches a running
simulation. A class with keys that are no fields, such as names from a registry, has
`from_mapping(values, where)` and `to_mapping()`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from wildrobot_gym.errors import ConfigError, unknown_name

T = TypeVar("T")


def shown(value: Any) -> str:
    """A value as messages show it: at most 100 characters."""
    try:
        text = repr(value)
    except ValueError:  # Python prints no whole number of more than 4,300 digits
        text = "a whole number of thousands of digits"
    return text if len(text) <= 100 else f"{text[:80]}...{text[-15:]}"


Errors = type[Exception] | tuple[type[Exception], ...]


@contextlib.contextmanager
def naming(where: str, errors: Errors = ConfigError) -> Iterator[None]:
    """Errors of this block also name the file that they are about."""
    try:
        yield
    except errors as error:
        if where in str(error):
            raise
        raise type(error)(f"{where}: {error}") from error


def check(condition: bool, name: str, got: Any, allowed: str) -> None:
    """Raise ConfigError unless `condition` holds.

    The message has the name, the value and what is allowed.
    """
    if not condition:
        raise ConfigError(f"{name} is {shown(got)}; allowed: {allowed}.")


def check_choice(name: str, got: Any, allowed: tuple[str, ...]) -> None:
    """Raise ConfigError where `got` is none of `allowed`; the message names the nearest."""
    if got not in allowed:
        raise ConfigError(unknown_name(name, str(got), allowed))


def check_range(name: str, got: tuple[float, ...]) -> None:
    """Raise ConfigError unless `got` is a pair of a low and a high number."""
    check(len(got) == 2 and got[0] <= got[1], name, got, "[low, high] with low <= high")


def build(cls: type[T], values: Mapping[str, Any] | T | None, where: str = "") -> T:
    """Build a config from a nested mapping.

    Args:
        cls: A config dataclass.
        values: Settings by name; None: all defaults. An object of `cls` is returned as it is.
        where: Dotted path of `values` in its file, for the message.

    Returns:
        The config, complete and checked.

    Raises:
        ConfigError: a key is unknown, or a value has the wrong type or is out of range.
    """
    if isinstance(values, cls):
        return values
    if values is None:
        values = {}
    if not isinstance(values, Mapping):
        raise ConfigError(
            f"{where or 'configuration'} must be a mapping of settings, got {values!r}."
        )
    if from_mapping := getattr(cls, "from_mapping", None):
        return typing.cast(T, from_mapping(values, where))
    return cls(**convert_fields(cls, values, where))


def convert_fields(cls: type, values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Keyword arguments of the dataclass `cls` from plain `values`.

    Raises:
        ConfigError: a key is no field, or a value has the wrong type.
    """
    hints = typing.get_type_hints(cls)
    names = {f.name for f in dataclasses.fields(cls)}
    for key in values:
        if key not in names:
            raise ConfigError(unknown_name(f"key in {where}" if where else "key", str(key), names))
    return {
        key: convert(hints[key], value, f"{where}.{key}" if where else key)
        for key, value in values.items()
    }


def convert(hint: Any, value: Any, where: str) -> Any:
    """A plain value as the type `hint`.

    Raises:
        ConfigError: the value has another type; the message names `where`.
    """
    origin = typing.get_origin(hint)
    if dataclasses.is_dataclass(hint):
        return build(typing.cast(type, hint), value, where)
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        return convert(next(a for a in typing.get_args(hint) if a is not type(None)), value, where)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ConfigError(f"{where} must be a list, got {shown(value)}.")
        item = typing.get_args(hint)[0]
        return tuple(convert(item, v, where) for v in value)
    if origin is not None and origin is not typing.Literal and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise ConfigError(f"{where} must be a mapping, got {shown(value)}.")
        item = typing.get_args(hint)[1]
        return {str(k): convert(item, v, f"{where}.{k}") for k, v in value.items()}
    return number(value, where) if hint is float else _plain(hint, value, where)


def number(value: Any, where: str) -> float:
    """A finite float.

    Raises:
        ConfigError: the value is no number, or not finite.
    """
    if isinstance(value, str):  # YAML 1.1 reads 1e-3 as a string
        with contextlib.suppress(ValueError):
            value = float(value)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ConfigError(f"{where} must be a number, got {shown(value)}.")
    with contextlib.suppress(OverflowError):  # a whole number that no float holds
        if math.isfinite(converted := float(value)):
            return converted
    raise ConfigError(f"{where} must be finite, got {shown(value)}.")


def _plain(hint: Any, value: Any, where: str) -> Any:
    if hint is str and isinstance(value, Path):
        value = str(value.absolute())  # a path is never a shipped name
    if hint in (int, bool, str) and type(value) is not hint:
        raise ConfigError(f"{where} must be {hint.__name__}, got {shown(value)}.")
    return value


def to_dict(config: Any) -> dict[str, Any]:
    """A config as plain YAML or JSON types, the inverse of `build`."""
    plain: dict[str, Any] = _to_plain(config)
    return plain


def _to_plain(value: Any) -> Any:
    if hasattr(value, "to_mapping"):
        value = value.to_mapping()
    if dataclasses.is_dataclass(value):
        value = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: _to_plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_to_plain(item) for item in value]
    return value
