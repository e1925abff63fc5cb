"""A simulated robot and its time, for the control loop of a real one."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from wildrobot_gym.deploy.clock import Clock
from wildrobot_gym.deploy.robot_io import Sensors
from wildrobot_gym.experiments.rehearse.disturb import Delay, SensorErrors, with_noise
from wildrobot_gym.experiments.rehearse.plain_robot import PlainRobot
from wildrobot_gym.experiments.rehearse.settings import Disturbances
from wildrobot_gym.robot.mujoco_warnings import logged_warnings


class SimulatedRobot:
    """A `RobotIO` whose measurements and targets may be late, noisy, wrong or lost.

    Args:
        plain: The robot, placed.
        disturbances: What goes wrong.
        seed: Random seed of noise and losses.
    """

    def __init__(
        self, plain: PlainRobot, disturbances: Disturbances | None = None, seed: int = 0
    ) -> None:
        self.plain = plain
        self._worse = disturbances or Disturbances()
        self._rng = np.random.default_rng(seed)
        switches = plain.sensors().foot_switches
        num_switches = 0 if switches is None else len(switches)
        self._errors = SensorErrors.drawn(self._worse, len(plain.targets), num_switches, self._rng)
        self._begin()

    def stand_up(self) -> None:
        """Stand on the floor again, in the home pose, as if nothing had happened."""
        self.plain.place()
        self._begin()

    def _begin(self) -> None:
        timestep = float(self.plain.model.opt.timestep)
        self._sensors: Delay[Sensors] = Delay(self._worse.sensor_delay, timestep)
        self._targets: Delay[np.ndarray] = Delay(self._worse.target_delay, timestep)
        self._wanted = self.plain.targets - self._errors.joint_zero
        self._newest = self._arriving()

    def read(self) -> Sensors:
        """The newest measurement that arrived."""
        return self._newest

    def write(self, targets: np.ndarray) -> None:
        """Send targets to the servos."""
        self._wanted = np.array(targets)

    def advance(self, steps: int) -> None:
        """Take physics steps, after which a measurement may arrive."""
        with logged_warnings("The rehearsal"):
            for i in range(steps):
                self.plain.targets = self._targets.through(self._wanted) + self._errors.joint_zero
                self.plain.step()
                if self._sensors.steps and i < steps - 1:  # else only the last one can be read
                    self._sensors.through(self.plain.sensors())
        arrived = self._arriving()
        if not self._rng.random() < self._worse.lost:
            self._newest = arrived

    def _arriving(self) -> Sensors:
        delayed = self._sensors.through(self.plain.sensors())
        return with_noise(self._errors.applied(delayed), self._worse, self._rng)


class SimulatedClock(Clock):
    """The simulation's time: waiting advances the simulation.

    Args:
        robot: The robot.
        on_step: Called after each wait.
        real_time: Wait on the computer's clock, too.
    """

    def __init__(
        self,
        robot: SimulatedRobot,
        on_step: Callable[[], None] | None = None,
        real_time: bool = False,
    ) -> None:
        super().__init__()
        self._robot, self._on_step, self._real_time = robot, on_step, real_time
        self._began = time.perf_counter() - self.now()

    def now(self) -> float:
        """Simulated time, s."""
        return float(self._robot.plain.data.time)

    def sleep_until(self, when: float) -> None:
        """Simulate until `when`."""
        steps = round((when - self.now()) / float(self._robot.plain.model.opt.timestep))
        if steps > 0:
            self._robot.advance(steps)
            if self._on_step is not None:
                self._on_step()
        if self._real_time:
            time.sleep(max(0.0, self._began + when - time.perf_counter()))
