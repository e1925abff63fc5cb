"""The control loop: soft start, the policy at its own rate, and a damped stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from wildrobot_gym.deploy.clock import Clock
from wildrobot_gym.deploy.controller import Controller, Decision
from wildrobot_gym.deploy.log import Log
from wildrobot_gym.deploy.robot_io import RobotIO, Sensors
from wildrobot_gym.deploy.safety import Safety, SafetyLimits
from wildrobot_gym.errors import RunError

Command = Callable[[float], np.ndarray]
"""From seconds under the policy to (3,) vx m/s, vy m/s, yaw rate rad/s."""
Choice = Callable[[Sensors], tuple[np.ndarray, Decision | None]]
"""From sensors to targets, and to what the policy chose where it did."""


@dataclass(frozen=True, kw_only=True)
class LoopSettings:
    """How a run begins, continues and ends.

    Attributes:
        seconds: How long the policy runs, s.
        start_speed: Fastest joint on the way to the home pose, rad/s.
        settle_seconds: How long the robot stands at home before the policy runs, s.
        stop_seconds: How long the damped stop lasts, s.
        wait_seconds: How long to wait for the first sensors, s.
        limits: Limits of a healthy robot.
    """

    seconds: float = 10.0
    start_speed: float = 0.5
    settle_seconds: float = 1.0
    stop_seconds: float = 2.0
    wait_seconds: float = 5.0
    limits: SafetyLimits = field(default_factory=SafetyLimits)


class ControlLoop:
    """Runs a policy on a robot.

    1. Soft start: targets move from the measured pose to the home pose.
    2. Settle: the robot stands at home.
    3. Policy: it walks at the command.
    4. Stop: each target follows its joint, so that a servo only damps it. The robot sinks.

    A problem in any phase leads to the stop at once. Neither a signal nor an error of the robot
    cuts the stop short.

    Args:
        controller: The policy.
        robot: The robot.
        settings: How the run begins, continues and ends.
        clock: Time.

    Attributes:
        log: What was done.

    Example:
        >>> loop = ControlLoop(Controller.load("walk_export"), robot)
        >>> reason = loop.run(lambda t: np.array([0.4, 0.0, 0.0]))
        >>> loop.log.save("run.npz")
    """

    def __init__(
        self,
        controller: Controller,
        robot: RobotIO,
        settings: LoopSettings | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._controller, self._robot = controller, robot
        self._settings, self._clock = settings or LoopSettings(), clock or Clock()
        self._safety = Safety(controller.description, self._settings.limits)
        self._period = controller.description.control_dt
        self._home = controller.description.of_joints("home")
        self._targets = self._home
        self._command = np.zeros(3)
        self._due = 0.0
        self._missed = 0
        self.log = Log(controller)

    def run(self, command: Command) -> str:
        """One run from standing still to the stop.

        Args:
            command: From seconds under the policy to the commanded velocity.

        Returns:
            Why it ended: "done", "interrupted", or the problem.

        Raises:
            RunError: The robot sends no usable sensors, or lacks one that the policy observes.
            KeyboardInterrupt: A signal came during the stop, which was finished first.
        """
        sensors = self._first_sensors()
        self._controller.check(sensors)
        self._due, self._missed = self._clock.now(), 0
        self._targets = np.array(sensors.joint_pos, np.float64)
        try:
            reason = self._soft_start(sensors) or self._policy(command) or "done"
        except KeyboardInterrupt:
            reason = "interrupted"
        except BaseException:
            self._stop()
            raise
        self.log.reason = reason
        problem = self._stop()
        if problem is not None and not (
            reason == "interrupted" and isinstance(problem, KeyboardInterrupt)
        ):
            raise problem
        return reason

    def _first_sensors(self) -> Sensors:
        last = self._clock.now() + self._settings.wait_seconds
        while True:
            sensors, now = self._robot.read(), self._clock.now()
            problem = self._safety.unusable(sensors, now)
            if sensors is not None and problem is None:
                return sensors
            if now > last:
                raise RunError(f"The robot cannot start: {problem}.")
            self._clock.sleep_until(now + self._period)

    def _soft_start(self, sensors: Sensors) -> str | None:
        start = np.array(sensors.joint_pos, np.float64)
        # The smooth step's fastest moment is 1.5 times its mean.
        seconds = 1.5 * float(np.abs(self._home - start).max()) / self._settings.start_speed
        steps = max(1, round(seconds / self._period))
        for i in range(1, steps + 1):
            part = i / steps
            smooth = part * part * (3.0 - 2.0 * part)
            goal = start + smooth * (self._home - start)
            if problem := self._step("soft start", partial(_to, goal)):
                return problem
        for _ in range(round(self._settings.settle_seconds / self._period)):
            if problem := self._step("settle", partial(_to, self._home)):
                return problem
        return None

    def _policy(self, command: Command) -> str | None:
        self._controller.reset()
        for i in range(round(self._settings.seconds / self._period)):
            self._command = np.asarray(command(i * self._period), np.float32)
            if problem := self._step("policy", self._decide):
                return problem
        return None

    def _decide(self, sensors: Sensors) -> tuple[np.ndarray, Decision]:
        decision = self._controller.step(sensors, self._command)
        return decision.targets, decision

    def _step(self, phase: str, choose: Choice) -> str | None:
        """One control step; returns the problem that forbids it."""
        late, sensors = self._wait(), self._robot.read()
        begun = self._clock.now()
        problem = self._safety.problem(sensors, begun, self._missed)
        if sensors is None or problem:
            return problem
        wanted, decision = choose(sensors)
        if not np.isfinite(wanted).all():
            return "targets are not finite"
        targets = self._safety.limited(wanted, self._targets)
        self._send(phase, sensors, decision, targets, begun, late)
        return None

    def _stop(self) -> BaseException | None:
        """Finish the damped stop whatever happens. Returns what happened first."""
        happened: list[BaseException] = []
        left = round(self._settings.stop_seconds / self._period)
        while left > 0:
            try:
                self._damp(happened)
            except KeyboardInterrupt as interrupt:  # a signal costs the stop no step
                happened.append(interrupt)
                continue
            except BaseException as error:
                happened.append(error)
            left -= 1
        # An error says more than an impatient user.
        errors = [one for one in happened if not isinstance(one, KeyboardInterrupt)]
        return next(iter(errors or happened), None)

    def _damp(self, happened: list[BaseException]) -> None:
        late, begun = self._wait(), self._clock.now()
        # Where the joints are unknown, the last targets hold.
        sensors, targets = None, self._targets
        try:
            sensors = self._robot.read()
            if sensors is not None and self._safety.unusable(sensors, begun) is None:
                targets = np.array(sensors.joint_pos, np.float64)
        except Exception as error:
            happened.append(error)
        self._send("stop", sensors, None, targets, begun, late)

    def _wait(self) -> float:
        """Wait for the step's time. Returns by how much it is late, s."""
        self._clock.sleep_until(self._due)
        late = self._clock.now() - self._due
        if late >= self._period:
            self._missed += 1
            self._due += late  # steps that were missed are not made up for in a burst
        else:
            self._missed = 0
        self._due += self._period
        return late

    def _send(
        self,
        phase: str,
        sensors: Sensors | None,
        decision: Decision | None,
        targets: np.ndarray,
        begun: float,
        late: float,
    ) -> None:
        self._robot.write(targets)
        self._targets = targets
        self.log.add(
            phase,
            sensors,
            decision,
            now=begun,
            late=late,
            latency=self._clock.now() - begun,
            age=np.nan if sensors is None else begun - sensors.time,
            command=self._command,
            targets=targets,
        )


def _to(goal: np.ndarray, _: Sensors) -> tuple[np.ndarray, None]:
    """Targets that do not depend on the sensors."""
    return goal, None
