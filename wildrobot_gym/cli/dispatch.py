"""Find the command that a command line names, and import only that one."""

from __future__ import annotations

import ast
import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tyro

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


def summary(target: str) -> str:
    """The first paragraph of a function's docstring, read from its file without an import.

    Args:
        target: Where it is, "module:function".
    """
    module, _, name = target.partition(":")
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"There is no module {module}.")
    for node in ast.parse(Path(spec.origin).read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return (ast.get_docstring(node) or "").partition("\n\n")[0].replace("\n", " ")
    raise AttributeError(f"{module} has no function {name}.")


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
    name = arguments[0].replace("_", "-") if arguments else ""
    if name in commands:
        function: Any = load_command(
            commands[name]
        )  # tyro's stubs want functions that never return
        code: int = tyro.cli(
            function, prog=f"{prog} {name}", args=list(arguments[1:]), config=TYRO_CONFIG
        )
        return code
    if name and not name.startswith("-"):
        raise ConfigError(unknown_name("command", name, commands))
    listed: Any = {name: _listed(summary(target)) for name, target in commands.items()}
    return tyro.extras.subcommand_cli_from_dict(
        listed, prog=prog, args=list(arguments), config=TYRO_CONFIG
    )


def _listed(text: str) -> Callable[[], int]:
    def command() -> int:
        raise AssertionError("run_command has run every command that there is")

    command.__doc__ = text
    return command
