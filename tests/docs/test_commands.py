"""Every shell command in the documentation exists: the real parsers read it, and nothing runs."""

from __future__ import annotations

import argparse
import functools
import re
import shlex
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from doc_blocks import ROOT, blocks, inline_code

from wildrobot_gym.cli import dispatch
from wildrobot_gym.cli.main import NESTED, main

OTHERS = {
    "python",
    "pip",
    "tensorboard",
    "cd",
    "export",
    "git",
    "uv",
    "uvx",
    "wandb",
}  # not ours: only that they are on this list
TOOLS = {"python", "ruff", "mypy"}  # of the development environment, as .venv/bin/TOOL
LOOP = re.compile(r"^for (\w+) in (.+?); do (.+); done$")


def commands() -> Iterator[tuple[str, str]]:
    """Each command with the place where it is printed. A loop gives its first value's command."""
    for block in blocks("", "sh", "bash", "shell", "console"):
        for line in block.code.replace("\\\n", " ").splitlines():
            if loop := LOOP.match(line):
                name, values, body = loop.groups()
                line = body.replace(f"${name}", values.split()[0])
            if line.strip():
                yield str(block), line


COMMANDS = list(commands())
MAKE_TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[Callable[..., Any]]:
    """Commands that the parser chose. They are replaced by functions that do nothing."""
    called: list[Callable[..., Any]] = []
    load = dispatch.load_command

    def load_stub(target: str) -> Callable[..., Any]:
        command = load(target)

        @functools.wraps(command)
        def nothing(*args: Any, **kwargs: Any) -> int:
            called.append(command)
            return 0

        return nothing

    monkeypatch.setattr(dispatch, "load_command", load_stub)
    return called


def check(words: list[str], parsed: list[Callable[..., Any]]) -> None:
    program, *arguments = words
    if words[:2] == ["wildrobot", "zoo"]:
        read_by_rl_zoo3(*arguments[1:])
    elif program == "wildrobot":
        assert main(arguments) == 0
        assert len(parsed) == 1
    elif program == "make":
        targets = {word for word in arguments if "=" not in word}
        assert targets and targets <= MAKE_TARGETS
    elif program.startswith(".venv/bin/"):
        assert program.removeprefix(".venv/bin/") in TOOLS
    else:
        assert program in OTHERS
        for script in arguments:
            assert not script.endswith(".py") or (ROOT / script).is_file()


def read_by_rl_zoo3(command: str, *options: str) -> None:
    """Let the parser of rl_zoo3's own script read a command's options; it stops there."""
    from wildrobot_gym.experiments.zoo import run

    parse = argparse.ArgumentParser.parse_args

    class Parsed(Exception):
        pass

    def parse_and_stop(*args: Any, **kwargs: Any) -> None:
        parse(*args, **kwargs)
        raise Parsed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", parse_and_stop)
        with pytest.raises(Parsed):
            run.plot(options) if command == "plot" else run.run_script(command, options)


def test_documentation_has_commands() -> None:
    assert len(COMMANDS) > 50


@pytest.mark.parametrize(("place", "command"), COMMANDS)
def test_command_is_accepted(
    place: str, command: str, parsed: list[Callable[..., Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    check(shlex.split(command, comments=True), parsed)


def test_commands_in_prose_exist(parsed: list[Callable[..., Any]]) -> None:
    """In prose a command may lack its arguments, so only its name and options are compared."""
    unknown = []
    for page, code in inline_code():
        words = code.split()
        if words[:1] == ["make"] and len(words) > 1:
            known = words[1] in MAKE_TARGETS
        elif words[:1] == ["wildrobot"] and len(words) > 1:
            name = words[1:3] if words[1] in NESTED and len(words) > 2 else words[1:2]
            known = _has_options(name, [word for word in words if word.startswith("--")])
        else:
            continue
        if not known:
            unknown.append(f"{page.name}: {code}")
    assert unknown == []


@functools.cache
def _help(name: tuple[str, ...]) -> str | None:
    """A command's help, or None if there is no such command."""
    import contextlib
    import io

    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        try:
            code = main([*name, "--help"])
        except SystemExit as stop:
            code = stop.code
    return None if code else text.getvalue()


def _has_options(name: list[str], options: list[str]) -> bool:
    text = _help(tuple(name))
    return text is not None and all(option in text for option in options if option != "--help")
