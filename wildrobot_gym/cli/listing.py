"""The list of commands, with one line each and without an import of any."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Mapping
from pathlib import Path

WIDTH = 80
"""Longest line of a list, in characters."""


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


def print_commands(
    groups: Mapping[str, Mapping[str, str]], prog: str, about: str | None = None
) -> None:
    """Print commands under headings.

    Args:
        groups: For each heading the commands, and where each one's function is, "module:function".
        prog: Name of the program.
        about: What the program does.
    """
    if about:
        print(f"{about}\n")
    print(f"usage: {prog} COMMAND [OPTIONS]")
    width = max(len(name) for group in groups.values() for name in group)
    for heading, commands in groups.items():
        if commands:
            print(f"\n{heading}:")
        for name, target in commands.items():
            print(f"  {name:{width}}  {summary(target)}")
    print(f"\n{prog} COMMAND --help shows the options of a command.")
