"""`wildrobot`: train, evaluate and watch walking robots from the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from wildrobot_gym.cli.completion import VARIABLE, candidates
from wildrobot_gym.cli.dispatch import PROG, asks_for_list, load_command, run_command
from wildrobot_gym.cli.listing import print_commands
from wildrobot_gym.cli.motion.commands import COMMANDS as MOTION_COMMANDS
from wildrobot_gym.cli.robot.commands import COMMANDS as ROBOT_COMMANDS
from wildrobot_gym.cli.zoo import COMMANDS as ZOO_COMMANDS
from wildrobot_gym.console.compile_cache import use_compile_cache
from wildrobot_gym.console.error_handling import complain, exit_code_of

GROUPS = {
    "Train": {
        "train": "wildrobot_gym.cli.train:train",
        "study": "wildrobot_gym.cli.study:study",
        "distill": "wildrobot_gym.cli.distill:distill",
        "self-imitate": "wildrobot_gym.cli.self_imitate:self_imitate",
        "zoo": "wildrobot_gym.cli.zoo:zoo",
    },
    "Watch": {
        "view": "wildrobot_gym.cli.enjoy:view",
        "enjoy": "wildrobot_gym.cli.enjoy:enjoy",
        "record": "wildrobot_gym.cli.record:record",
        "plot": "wildrobot_gym.cli.enjoy:plot",
    },
    "Measure": {
        "eval": "wildrobot_gym.cli.evaluate:evaluate",
        "compare": "wildrobot_gym.cli.compare:compare",
        "report": "wildrobot_gym.cli.report:report",
        "bench": "wildrobot_gym.cli.bench:bench",
    },
    "Share and deploy": {
        "export": "wildrobot_gym.cli.export:export",
        "rehearse": "wildrobot_gym.cli.rehearse:rehearse",
        "push": "wildrobot_gym.cli.hub:push",
        "pull": "wildrobot_gym.cli.hub:pull",
    },
    "Motion and robots": {
        "motion": "wildrobot_gym.cli.motion.commands:motion",
        "robot": "wildrobot_gym.cli.robot.commands:robot",
    },
    "This machine": {
        "doctor": "wildrobot_gym.cli.doctor:doctor",
        "completion": "wildrobot_gym.cli.completion:completion",
    },
}  # where each command's function is, under the headings of the list
COMMANDS = {name: target for group in GROUPS.values() for name, target in group.items()}
# Commands that have commands, and take all that follows.
NESTED = {"motion": MOTION_COMMANDS, "robot": ROBOT_COMMANDS, "zoo": ZOO_COMMANDS}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: The command line after the program's name (default: the process's own).

    Returns:
        The exit code. 0: done. 1: done, but not everything passed. 2: bad input, with one message
        on standard error; `--debug` shows where it arose. 3: this machine cannot draw a picture.
        129, 130, 143: a signal stopped it.
    """
    own_process = arguments is None
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]

    if os.environ.pop(VARIABLE, None):
        print("\n".join(candidates(arguments, COMMANDS, NESTED, main)))
        return 0
    if warning := use_compile_cache():
        complain(PROG, warning)

    def run() -> int:
        if asks_for_list(arguments):
            print_commands(GROUPS, PROG, "Train, evaluate and watch walking robots.")
            return 0
        if arguments[0] in NESTED:
            code: int = load_command(COMMANDS[arguments[0]])(arguments[1:])
            return code
        return run_command(COMMANDS, PROG, arguments)

    words = arguments[: 2 if arguments[:1] and arguments[0] in NESTED else 1]
    help_command = " ".join([PROG, *words, "--help"])
    return exit_code_of(run, PROG, debug, help_command, own_process)


if __name__ == "__main__":
    sys.exit(main())
