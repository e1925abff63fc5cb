"""Changes to single settings of a run, by dotted key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wildrobot_gym import yaml_io
from wildrobot_gym.errors import ConfigError

Overrides = Mapping[str, Any] | Sequence[str]
"""Values by dotted key, `{"amp.weight": 0.2}`, or texts with a YAML value, `["amp.weight=0.2"]`."""


def override(values: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key of a run's mapping in place; missing sections are created.

    Args:
        values: The run's settings in flat form.
        key: Such as "env_kwargs.rewards.alive".
        value: The new value.

    Raises:
        ConfigError: A part of the key is a value, not a section.
    """
    *parents, last = key.split(".")
    section = values
    for parent in parents:
        inner = section.get(parent)
        if inner is not None and not isinstance(inner, Mapping):
            raise ConfigError(
                f"{key} cannot be set: {parent!r} is not a section, its value is {inner!r}."
            )
        section[parent] = dict(inner or {})
        section = section[parent]
    section[last] = value


def override_all(values: dict[str, Any], overrides: Overrides) -> None:
    """Apply `override` to each of the overrides.

    Args:
        values: The run's settings in flat form; changed in place.
        overrides: A mapping, or texts `key=value`.

    Raises:
        ConfigError: A text is not of that form, or a key cannot be set.
    """
    if isinstance(overrides, Mapping):
        for key, value in overrides.items():
            override(values, key, value)
        return
    for item in overrides:
        key, equals, text = item.partition("=")
        if not equals or not key:
            raise ConfigError(
                f"The override {item!r} is not key=value. Write for example amp.weight=0.2."
            )
        override(values, key.strip(), yaml_io.parse(text, f"The value of {key}"))


def dotted(settings: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested settings as one level: `{"amp": {"weight": 0.4}}` gives `{"amp.weight": 0.4}`."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            flat |= dotted(value, f"{above}{key}.")
        else:
            flat[f"{above}{key}"] = value
    return flat
