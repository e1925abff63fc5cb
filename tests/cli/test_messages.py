"""Error messages name only options that a command has."""

import ast
import dataclasses
import importlib.util
import inspect
import re
from pathlib import Path
from typing import get_type_hints

import pytest

import wildrobot_gym
from wildrobot_gym.cli.dispatch import load_command
from wildrobot_gym.cli.main import COMMANDS, NESTED, main
from wildrobot_gym.cli.motion.commands import COMMANDS as MOTION_COMMANDS
from wildrobot_gym.console.error_handling import with_next_step
from wildrobot_gym.deploy import __main__ as deploy

OPTION = re.compile(r"(?<![\w-])--([a-z][a-z0-9-]*)")
PACKAGES = [
    Path(wildrobot_gym.__file__).parent,
    Path(wildrobot_gym.__file__).parents[1] / "amp_sbx",
]


def options_of(target: str) -> set[str]:
    """The options of a command: its parameters, and the fields of its settings."""
    function = load_command(target)
    found = set()
    hints = get_type_hints(function)
    for name in inspect.signature(function).parameters:
        fields = dataclasses.fields(hints[name]) if dataclasses.is_dataclass(hints[name]) else ()
        found |= {field.name for field in fields} or {name}
    return {name.replace("_", "-") for name in found}


def options_of_rl_zoo3() -> set[str]:
    """Options in the text of its scripts, which are slow to import."""
    spec = importlib.util.find_spec("rl_zoo3")
    assert spec is not None and spec.origin is not None
    scripts = [Path(spec.origin).parent / name for name in ("train.py", "plots/plot_train.py")]
    return {option for path in scripts for option in re.findall(r'"--([\w-]+)"', path.read_text())}


def raised_texts(path: Path) -> list[str]:
    """The constant parts of all strings in the `raise` statements of a file."""
    return [
        node.value
        for statement in ast.walk(ast.parse(path.read_text()))
        if isinstance(statement, ast.Raise)
        for node in ast.walk(statement)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def test_messages_name_only_options_that_exist():
    plain = [target for name, target in COMMANDS.items() if name not in NESTED]
    known = {"help", "debug"}.union(*map(options_of, [*plain, *MOTION_COMMANDS.values()]))
    known |= options_of_rl_zoo3()  # `wildrobot zoo` takes them
    known |= set(OPTION.findall(inspect.getsource(deploy.parser)))
    assert {"force", "commands", "resume", "grounded-steps"} <= known
    named = {
        (path.name, option)
        for package in PACKAGES
        for path in package.rglob("*.py")
        for text in raised_texts(path)
        for option in OPTION.findall(text)
    }
    assert len(named) > 5
    assert {(name, option) for name, option in named if option not in known} == set()


@pytest.mark.parametrize(
    ("message", "ending"),
    [
        ("n_envs is 0; allowed: 1 or more.", "1 or more. Type `wildrobot train --help` to see"),
        ("Error opening file 'x'", "file 'x'. Type `wildrobot train --help` to see"),
        ("It holds a run. Continue it with --resume.", "Continue it with --resume."),
        ("No package x. pip install 'x'", "pip install 'x'"),
        ("No OpenGL. Set MUJOCO_GL=egl.", "Set MUJOCO_GL=egl."),
        ("Unknown. Type wildrobot to see what each one does.", "what each one does."),
    ],
)
def test_a_message_ends_with_something_to_type(message, ending):
    found = with_next_step(message, "wildrobot train --help")
    assert ending in found and found.startswith(message)


@pytest.mark.parametrize(
    ("line", "typed"),
    [
        ("train no_such", "`wildrobot train --help`"),
        ("motion retarget no_such.bvh", "`wildrobot motion retarget --help`"),
        ("eval no_such", "`wildrobot eval --help`"),
        ("trian", "Type wildrobot to see"),
    ],
)
def test_an_error_of_a_command_says_what_to_type(line, typed, capsys):
    assert main(line.split()) == 2
    assert typed in capsys.readouterr().err
