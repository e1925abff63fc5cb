"""What every command line does about errors: one message and an exit code, never a traceback."""

from __future__ import annotations

import os
import re
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import nullcontext
from typing import Annotated, Any

import tyro

from wildrobot_gym.console.compile_cache import use_compile_cache
from wildrobot_gym.console.exit_codes import BAD_INPUT
from wildrobot_gym.console.signals import answered_signals
from wildrobot_gym.extras import extras_named

TYRO_CONFIG = (tyro.conf.FlagCreatePairsOff,)
Text = Annotated[str, tyro.conf.Positional]
Texts = Annotated[tuple[str, ...], tyro.conf.Positional]


# What can be typed: code in backticks, an option, an assignment, an installation.
_TYPED = re.compile(r"`[^`]+`|(?<![\w-])--[a-z]|\b\w+=\w|\bpip install\b|\bType \w")


def exit_code_of(
    call: Callable[[], int],
    prog: str,
    debug: bool = False,
    help_command: str | None = None,
    own_process: bool = False,
) -> int:
    """Call a function and turn what it raises into an exit code.

    Errors that are meant for people become one message on standard error. Others are raised as they
    are.

    Args:
        call: Returns an exit code.
        prog: Name of the program; the message starts with it.
        debug: Print the traceback, too.
        help_command: What a message ends with that names nothing to type.
        own_process: The process exists for this call, so that a signal may end it.
    """
    try:
        with answered_signals() if own_process else nullcontext(), extras_named():
            return call()
    except KeyboardInterrupt as interrupt:
        complain(prog, "Interrupted.")
        return 128 + int(getattr(interrupt, "signum", signal.SIGINT))
    except BrokenPipeError:  # the reader of our output is gone, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except Exception as error:
        if not _is_expected(error):
            raise
        if debug:
            traceback.print_exc()
        complain(prog, with_next_step(str(error), help_command or f"{prog} --help"))
        return BAD_INPUT


def run_script(function: Callable[..., int], prog: str, arguments: list[str] | None = None) -> int:
    """Run a script that is one function.

    Args:
        function: Its parameters are the options, its result the exit code.
        prog: Name of the script.
        arguments: The command line after the script's name (default: the process's own).
    """
    if warning := use_compile_cache():
        complain(prog, warning)
    command: Any = function  # tyro's stubs want functions that never return
    return exit_code_of(
        lambda: tyro.cli(command, prog=prog, args=arguments, config=TYRO_CONFIG),
        prog,
        own_process=arguments is None,
    )


def with_next_step(message: str, help_command: str) -> str:
    """The message, which ends with a command to type where it names nothing else to type."""
    if _TYPED.search(message):
        return message
    stop = "" if message.rstrip().endswith((".", "!", "?")) else "."
    return f"{message.rstrip()}{stop} Type `{help_command}` to see what is possible."


def complain(prog: str, message: str) -> None:
    """Print a message on standard error."""
    print(f"{prog}: {message}", file=sys.stderr)


def _is_expected(error: Exception) -> bool:
    """Whether an error is one of the packages' own; amp_sbx is not imported just to find out."""
    from wildrobot_gym.errors import WildRobotError

    amp_errors = sys.modules.get("amp_sbx.common.errors")
    return isinstance(error, WildRobotError) or (
        amp_errors is not None and isinstance(error, amp_errors.AMPError)
    )
