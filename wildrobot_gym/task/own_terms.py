"""Terms of the user's own, named in configs by module and function: `my_module:my_term`."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from types import ModuleType

from wildrobot_gym.errors import ConfigError, unknown_name


def own_term(key: str, what: str, taken: Iterable[str]) -> tuple[str, str]:
    """Module and name in the key of a user's own term. Nothing is imported.

    Args:
        key: Module and function, such as `my_module:my_term`.
        what: What it is a term of, such as 'reward'.
        taken: Names of the package's own terms.

    Raises:
        ConfigError: the key has another form, or the name is taken.
    """
    module_name, colon, name = key.partition(":")
    if not (colon and module_name and name.isidentifier()):
        raise ConfigError(
            unknown_name(f"{what} term", key, taken)
            + " A term of your own has the form my_module:my_term."
        )
    if name in taken:
        raise ConfigError(
            f"The {what} term {key!r} has the name of a built-in term. Rename it: infos could not"
            " tell it from the built-in term's name."
        )
    return module_name, name


def own_module(key: str, what: str, taken: Iterable[str]) -> tuple[ModuleType, str]:
    """The module in the key of a user's own term, imported, and the name in it.

    Args:
        key: Module and function, such as `my_module:my_term`.
        what: What it is a term of, such as 'reward'.
        taken: Names of the package's own terms.

    Raises:
        ConfigError: the key has another form, the name is taken, or the module cannot be imported.
    """
    module_name, name = own_term(key, what, taken)
    try:
        return importlib.import_module(module_name), name
    except ImportError as error:
        raise ConfigError(
            f"The {what} term {key!r} cannot be imported: {error}. Put the module's folder on"
            " PYTHONPATH."
        ) from error
