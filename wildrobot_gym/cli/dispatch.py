"""Find the command that a command line names, and import only that one."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tyro

from wildrobot_gym.cli.listing import print_commands
from wildrobot_gym.console.error_handling import TYRO_CONFIG
from wildrobot_gym.errors import ConfigError, unknown_name

PROG = "wildrobot"


def load_command(target: str) -> Callable[..., Any]:
    """Import a command's function.

    Args:
        target: Where it is, "module:function".
    """
    module, _, name = target.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function


def asks_for_list(arguments: Sequence[str]) -> bool:
    """Whether a command line names no command, or asks for help before it names one."""
    return not arguments or arguments[0] in ("-h", "--help")


def run_command(commands: Mapping[str, str], prog: str, arguments: Sequence[str]) -> int:
    """Run the command that `arguments` name.

    The list of commands and mistyped names import no command, so they answer at once.

    Args:
        commands: By name, where each command's function is, "module:function". Its parameters are
            the options.
        prog: Name of the program, for help and messages.
        arguments: The command's name and its options.

    Returns:
        The exit code.

    Raises:
        ConfigError: There is no such command. The message names the nearest one.
    """
    if asks_for_list(arguments):
        print_commands({"Commands": commands}, prog)
        return 0
    name = arguments[0].replace("_", "-")
    if name not in commands:
        wrong = f"{prog} takes a command first, not {name!r}."
        if not name.startswith("-"):
            wrong = unknown_name("command", name, commands)
        raise ConfigError(f"{wrong} Type {prog} to see what each one does.")
    options = [_spelled(word) for word in arguments[1:]]
    function: Any = load_command(commands[name])  # tyro's stubs want functions that never return
    code: int = tyro.cli(function, prog=f"{prog} {name}", args=options, config=TYRO_CONFIG)
    return code


def _spelled(word: str) -> str:
    """An option in the spelling that the help shows; the British one is taken, too."""
    option, equals, value = word.partition("=")
    return f"--license{equals}{value}" if option == "--licence" else word
