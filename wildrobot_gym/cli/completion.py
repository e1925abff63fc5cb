"""`wildrobot completion`, and what can follow the words of a command line."""

from __future__ import annotations

import contextlib
import inspect
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import tyro

from wildrobot_gym.cli.dispatch import load_command
from wildrobot_gym.paths import CONFIGS, MOTIONS, POLICIES, ROBOTS, STUDIES

VARIABLE = "_WILDROBOT_COMPLETE"
"""Where it is set, `wildrobot` prints what can follow its arguments, and runs no command."""

# Each shell hands over the words up to the cursor, and completes a file where nothing fits.
SCRIPTS = {
    "bash": """\
_wildrobot() {
    local IFS=$'\\n'
    COMPREPLY=($(_WILDROBOT_COMPLETE=1 "$1" "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _wildrobot wildrobot""",
    "zsh": """\
#compdef wildrobot
_wildrobot() {
    local found=("${(@f)$(_WILDROBOT_COMPLETE=1 $words[1] "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    [[ -n $found ]] && compadd -a found || _files
}
compdef _wildrobot wildrobot""",
    "fish": """\
function _wildrobot
    set -l words (commandline -opc) (commandline -ct)
    _WILDROBOT_COMPLETE=1 wildrobot $words[2..-1] 2>/dev/null
end
complete -c wildrobot -a '(_wildrobot)'""",
}


def completion(shell: Annotated[Literal["bash", "zsh", "fish"], tyro.conf.Positional], /) -> int:
    """Print the lines that let a shell complete `wildrobot`.

    Add them to the file that your shell reads at its start, such as ~/.bashrc:
    eval "$(wildrobot completion bash)"

    Args:
        shell: The shell.
    """
    print(SCRIPTS[shell])
    return 0


def candidates(
    words: Sequence[str],
    commands: Mapping[str, str],
    nested: Mapping[str, Mapping[str, str]],
    main: Callable[[Sequence[str]], int],
) -> list[str]:
    """What can stand in place of the last word: a command, an option, or a shipped name.

    Args:
        words: The words behind the program's name. The last one may be unfinished or empty.
        commands: All commands, and where their functions are.
        nested: The commands of those commands that have commands themselves.
        main: Runs a command line; it is asked for a command's help.
    """
    *done, last = words or [""]
    line: list[str] = []
    while done and done[0] in commands:
        line.append(done.pop(0))
        target, commands = commands[line[-1]], nested.get(line[-1], {})
    if commands or not line:
        return _starting(last, commands) if not done else []
    if last.startswith("-"):
        return _starting(last, re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", _help(main, line)))
    parameter = next(iter(inspect.signature(load_command(target)).parameters), "")
    before = r"\[-h\]"  # in the help's first line, where there are no other options
    if done and done[-1].startswith("--"):
        parameter, before = done[-1][2:], re.escape(done[-1])
    choices = re.search(rf"{before} (?:{{None}}\|)?{{([\w,-]+)}}(?!\|)", _help(main, line))
    return _starting(last, choices[1].split(",") if choices else _shipped(parameter))


def _starting(last: str, names: Iterable[str]) -> list[str]:
    return sorted({name for name in names if name.startswith(last)})


def _help(main: Callable[[Sequence[str]], int], line: Sequence[str]) -> str:
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):
        main([*line, "--help"])
    return text.getvalue()


def _shipped(parameter: str) -> list[str]:
    """Names of shipped files that a parameter takes."""
    files: dict[str, Iterator[Path]] = {
        "config": CONFIGS.glob("*.yaml"),
        "dataset": MOTIONS.glob("*.npz"),
        "file": STUDIES.glob("*.yaml"),
        "policies": POLICIES.glob("*"),
        "policy": POLICIES.glob("*"),
        "reference": MOTIONS.glob("*.npz"),
        "robot": ROBOTS.glob("*"),
    }
    return [path.stem for path in files.get(parameter, ())]
