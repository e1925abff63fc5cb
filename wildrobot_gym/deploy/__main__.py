"""`python -m wildrobot_gym.deploy`: check, run and replay an exported policy."""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from wildrobot_gym.deploy.controller import Controller
from wildrobot_gym.deploy.golden import check_golden
from wildrobot_gym.deploy.log import replay
from wildrobot_gym.deploy.loop import ControlLoop, LoopSettings
from wildrobot_gym.deploy.robot_io import RobotIO
from wildrobot_gym.deploy.timing import MEASURED, timing
from wildrobot_gym.deploy.udp import UdpRobot, parse_address
from wildrobot_gym.errors import ConfigError, WildRobotError

PROG = "python -m wildrobot_gym.deploy"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog=PROG, description="Run an exported policy on a robot.")
    commands = top.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="compare this computer's results with the export's")
    run = commands.add_parser("run", help="soft start, walk, damped stop")
    again = commands.add_parser("replay", help="compare the actions of a log with the policy's")
    for sub in (check, run, again):
        sub.add_argument("folder", type=Path, help="folder that `wildrobot export` wrote")
    again.add_argument("log", type=Path, help="log of a run, .npz")
    where = run.add_mutually_exclusive_group(required=True)
    where.add_argument("--udp", metavar="HOST:PORT", help="address of the robot's server")
    where.add_argument(
        "--robot", metavar="MODULE:FUNCTION", help="function that returns your RobotIO"
    )
    for name, unit in (("vx", "m/s"), ("vy", "m/s"), ("yaw-rate", "rad/s")):
        run.add_argument(f"--{name}", type=float, default=0.0, help=f"{unit} (default: 0)")
    run.add_argument("--seconds", type=float, default=10.0, help="time under the policy, s")
    run.add_argument("--log", type=Path, help="write every step to this .npz file")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0: done. 1: the run ended early, or a replay differs. 2: bad input.
    """
    given = parser().parse_args(arguments)
    try:
        return {"check": _check, "run": _run, "replay": _replay}[given.command](given)
    except WildRobotError as error:
        print(f"{PROG}: {error}", file=sys.stderr)
        return 2


def _check(given: argparse.Namespace) -> int:
    for name, error in check_golden(given.folder).items():
        print(f"{name}: at most {error:.1e} off")
    return 0


def _run(given: argparse.Namespace) -> int:
    controller = Controller.load(given.folder)
    command = np.array([given.vx, given.vy, given.yaw_rate])
    if not np.isfinite(command).all() or not 0 < given.seconds < np.inf:
        raise ConfigError("Velocities and seconds must be finite numbers, the seconds above 0.")
    robot = _robot(given, controller)
    loop = ControlLoop(controller, robot, LoopSettings(seconds=given.seconds))

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt  # the loop answers with the damped stop

    signal.signal(signal.SIGTERM, interrupt)
    hangup = getattr(signal, "SIGHUP", None)  # Windows has none, and nohup ignores it
    if hangup is not None and signal.getsignal(hangup) != signal.SIG_IGN:
        signal.signal(hangup, interrupt)
    try:
        reason = loop.run(lambda _: command)
    finally:
        if given.log is not None:
            loop.log.save(given.log)
    print(f"The run ended: {reason}.")
    for name, found in timing(loop.log.arrays()).items():
        numbers = ", ".join(f"{key} {value:.2f}" for key, value in found.items())
        print(f"{MEASURED[name]}, ms: {numbers}")
    return 0 if reason == "done" else 1


def _robot(given: argparse.Namespace, controller: Controller) -> RobotIO:
    if given.udp is not None:
        address = parse_address(given.udp)
        try:
            return UdpRobot(address, len(controller.description.joints))
        except OSError as error:
            raise ConfigError(f"--udp is {given.udp!r}: {error}.") from error
    module, _, function = given.robot.partition(":")
    try:
        robot: RobotIO = getattr(importlib.import_module(module), function)()
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(
            f"--robot is {given.robot!r}: {error}. Allowed: module:function, importable from here."
        ) from error
    return robot


def _replay(given: argparse.Namespace) -> int:
    result = replay(Controller.load(given.folder), given.log)
    print(f"{result.num_steps} steps, actions at most {result.max_error:.1e} off")
    return 0 if result.max_error <= 1e-5 else 1


if __name__ == "__main__":
    sys.exit(main())
