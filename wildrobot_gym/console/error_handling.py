"""What every command line of the project does about errors: one message and an exit code, never a half-told traceback."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Annotated, Any

import tyro

from wildrobot_gym.console.exit_codes import BAD_INPUT

TYRO_CONFIG = (tyro.conf.FlagCreatePairsOff,)
Text = Annotated[str, tyro.conf.Positional]
Texts = Annotated[tuple[str, ...], tyro.conf.Positional]


def guarded(call: Callable[[], int], prog: str, debug: bool = False) -> int:
    """``call``'s exit code, or that of what stopped it; errors that are meant to be read are told after ``prog``."""
    try:
        return call()
    except KeyboardInterrupt:
        complain(prog, "Interrupted.")
        return 128 + signal.SIGINT
    except BrokenPipeError:  # the reader of our output went away, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except Exception as error:
        if not _is_expected(error):
            raise
        if debug:
            traceback.print_exc()
        complain(prog, str(error))
        return BAD_INPUT


def run_script(function: Callable[..., int], prog: str, arguments: list[str] | None = None) -> int:
    """A script of one function: its parameters are the flags, its result the exit code."""
    command: Any = function  # tyro's stubs want functions that never return
    return guarded(lambda: tyro.cli(command, prog=prog, args=arguments, config=TYRO_CONFIG), prog)


def complain(prog: str, message: str) -> None:
    """On standard error."""
    print(f"{prog}: {message}", file=sys.stderr)


def _is_expected(error: Exception) -> bool:
    """Whether an error is one of the packages' own, raised to be read; amp_sbx is not imported just to ask."""
    from wildrobot_gym.errors import WildRobotError

    amp_errors = sys.modules.get("amp_sbx.common.errors")
    return isinstance(error, WildRobotError) or (
        amp_errors is not None and isinstance(error, amp_errors.AMPError)
    )
