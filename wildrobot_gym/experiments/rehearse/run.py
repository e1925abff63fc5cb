"""Rehearse an exported policy: the control loop of a robot, with MuJoCo as the robot."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wildrobot_gym.deploy.controller import Controller
from wildrobot_gym.deploy.log import POLICY, Log
from wildrobot_gym.deploy.loop import ControlLoop, LoopSettings
from wildrobot_gym.deploy.observation import to_heading
from wildrobot_gym.env.render import open_window
from wildrobot_gym.experiments.rehearse.keys import KeyCommands
from wildrobot_gym.experiments.rehearse.plain_robot import ModelMap, PlainRobot
from wildrobot_gym.experiments.rehearse.settings import Disturbances, RehearseSettings
from wildrobot_gym.experiments.rehearse.simulated import SimulatedClock, SimulatedRobot
from wildrobot_gym.robot import RobotModel


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """A finished rehearsal.

    Attributes:
        reason: "done", "interrupted", or the problem that stopped it.
        forward_velocity: Mean over the steps under the policy, m/s; None where there were none.
        log: Every control step.
    """

    reason: str
    forward_velocity: float | None
    log: Log


class Stage:
    """An exported policy and the robot that rehearses it.

    Args:
        folder: The folder that `wildrobot export` wrote.
        settings: Which robot, and what it is asked for.
        disturbances: Delays and noise.

    Attributes:
        controller: The policy.
        trained_on: The robot that it was trained on.
        xml: The MJCF file.
        plain: The robot in plain MuJoCo.

    Raises:
        RunError: The folder holds no policy.
        RobotError: The MJCF does not fit the policy.
    """

    def __init__(
        self, folder: str | Path, settings: RehearseSettings, disturbances: Disturbances
    ) -> None:
        self.settings, self.disturbances = settings, disturbances
        self.controller = Controller.load(folder)
        description = self.controller.description
        self.trained_on = RobotModel.load(settings.robot or description.robot)
        self.xml = settings.xml or self.trained_on.xml_path
        names = ModelMap(settings.renamed(), settings.base)
        spec = None if settings.xml else self.trained_on.spec("weld")
        self.plain = PlainRobot(self.xml, description, names, spec)

    def differences(self) -> list[str]:
        """How this robot is another than the one that the policy was trained on, in sentences."""
        found = []
        if self.trained_on.digest != self.controller.description.robot_digest:
            found.append(
                f"The robot {self.trained_on.name!r} has changed since the policy was exported."
            )
        if not self.plain.servo.all():
            names = np.array(self.controller.description.joint_names)[~self.plain.servo]
            found.append(
                f"{self.xml.name} has no position servo for {', '.join(names)}; the gains in"
                " policy.json drive them."
            )
        return found

    def simulated(self) -> SimulatedRobot:
        """The robot in its home pose on the floor."""
        self.plain.place()
        return SimulatedRobot(self.plain, self.disturbances, self.settings.seed)

    def run(self, window: bool = False) -> Rehearsal:
        """Soft start, walk and damped stop.

        Args:
            window: Show the robot in a window, in real time; its keys change the command.

        Raises:
            PhysicsError: There is no screen for the window, or on a Mac no mjpython.
        """
        s, robot = self.settings, self.simulated()
        keys = KeyCommands(self.controller.description, np.array([s.command, s.vy, s.yaw_rate]))
        with _window(self.plain, keys.on_key) if window else _nothing() as show:
            clock = SimulatedClock(robot, show, real_time=window)
            loop = ControlLoop(self.controller, robot, LoopSettings(seconds=s.seconds), clock)
            reason = loop.run(lambda _: keys.command)
        return Rehearsal(reason, _forward_velocity(loop.log), loop.log)


def _forward_velocity(log: Log) -> float | None:
    arrays = log.arrays()
    if not arrays:
        return None
    rows = np.flatnonzero(arrays["phase"] == POLICY)
    speeds = [to_heading(arrays["quat"][i], arrays["lin_vel"][i])[0] for i in rows]
    return float(np.mean(speeds)) if speeds else None


@contextlib.contextmanager
def _nothing() -> Iterator[None]:
    yield None


@contextlib.contextmanager
def _window(plain: PlainRobot, on_key: Callable[[int], None]) -> Iterator[Callable[[], None]]:
    """MuJoCo's window; gives a function that draws, and ends the run where it was closed."""
    viewer, close = open_window(plain.model, plain.data, on_key)
    shown = True

    def show() -> None:
        nonlocal shown
        if viewer.is_running():
            viewer.sync()
        elif shown:
            shown = False
            raise KeyboardInterrupt  # the loop answers with the damped stop, unseen

    try:
        yield show
    finally:
        close()
