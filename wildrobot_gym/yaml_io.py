"""YAML files of people: numbers as people write them, and no repeated keys."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from wildrobot_gym.errors import ConfigError


class _Loader(yaml.SafeLoader):
    """Safe loading with an error for repeated keys, and with 3e-4 as a number as in YAML 1.2."""

    def flatten_mapping(self, node: Any) -> None:
        # Keys that come by a merge (<<: *defaults) can be set again. Only the node's own are
        # compared.
        if not getattr(node, "is_flat", False):
            keys = [
                self.construct_object(key, deep=True)
                for key, _ in node.value
                if key.tag != "tag:yaml.org,2002:merge"
            ]
            for key in keys:
                if keys.count(key) > 1:
                    raise ConfigError(
                        f"Key {key!r} stands twice in one mapping"
                        f" (line {node.start_mark.line + 1})."
                    )
        node.is_flat = True
        super().flatten_mapping(node)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)[eE][-+]?[0-9]+$"),
    list("-+0123456789."),
)


def parse(text: str, where: str) -> Any:
    """The value of a YAML text.

    Args:
        text: The YAML.
        where: What an error calls it.

    Raises:
        ConfigError: It is not YAML, or a key is repeated.
    """
    try:
        return yaml.load(text, Loader=_Loader)  # a SafeLoader
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
    except (
        yaml.YAMLError,
        ValueError,
        KeyError,
        AttributeError,
        TypeError,
        RecursionError,
    ) as error:  # PyYAML does not catch those of `!!int x`
        raise ConfigError(f"{where} is not valid YAML: {error}") from error


def read(path: Path) -> Any:
    """The value of a YAML file.

    Raises:
        ConfigError: It cannot be read, is not YAML, or a key is repeated.
    """
    try:
        return parse(path.read_text(), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"Cannot read {path}: {error}") from error


def dump(value: Any) -> str:
    """Plain types as YAML, in the order given."""
    return yaml.safe_dump(value, sort_keys=False, default_flow_style=None, width=100)
