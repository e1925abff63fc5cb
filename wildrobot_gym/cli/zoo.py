"""`wildrobot zoo`: rl_zoo3's own scripts."""

from __future__ import annotations

from collections.abc import Sequence

from wildrobot_gym.cli import dispatch
from wildrobot_gym.cli.listing import print_commands
from wildrobot_gym.errors import ConfigError, unknown_name

_NAMES = ("train", "enjoy", "record", "optimize", "plot")
COMMANDS = {name: f"wildrobot_gym.cli.zoo:{name}" for name in _NAMES}


def zoo(arguments: Sequence[str]) -> int:
    """Train, tune and watch policies with rl_zoo3, in its folders.

    Each command takes the options of rl_zoo3's script; `wildrobot zoo train --help` lists them.
    """
    if dispatch.asks_for_list(arguments):
        print_commands({"Commands": COMMANDS}, f"{dispatch.PROG} zoo")
        return 0
    if arguments[0] not in COMMANDS:
        wrong = unknown_name("command", arguments[0], COMMANDS)
        raise ConfigError(f"{wrong} Type {dispatch.PROG} zoo to see what each one does.")
    code: int = dispatch.load_command(COMMANDS[arguments[0]])(arguments[1:])
    return code


def train(arguments: Sequence[str]) -> int:
    """Train a policy; without --algo and --env, AMPPPO on WildRobot-v0."""
    return _run("train", arguments)


def enjoy(arguments: Sequence[str]) -> int:
    """Show a trained policy in a window; --no-render only measures it."""
    return _run("enjoy", arguments)


def record(arguments: Sequence[str]) -> int:
    """Film a trained policy with `rl_zoo3.record_video`."""
    return _run("record", arguments)


def optimize(arguments: Sequence[str]) -> int:
    """Search for hyperparameters with Optuna."""
    return _run("optimize", arguments)


def plot(arguments: Sequence[str]) -> int:
    """Draw the training curves of runs into a picture.

    Its path is --out (default: plots/zoo.png).
    """
    from wildrobot_gym.experiments.zoo.run import plot as draw

    print(f"Picture: {draw(arguments)}")
    return 0


def _run(command: str, arguments: Sequence[str]) -> int:
    from wildrobot_gym.experiments.zoo.run import run_script

    run_script(command, arguments)
    return 0
