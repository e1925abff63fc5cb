"""The policy as a controller: sensors and a command in, joint targets out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wildrobot_gym.deploy.commands import Approach, HeadingHold
from wildrobot_gym.deploy.description import PolicyDescription
from wildrobot_gym.deploy.network import Network, load_network
from wildrobot_gym.deploy.observation import Observer, yaw_of
from wildrobot_gym.deploy.reading import load_description
from wildrobot_gym.deploy.robot_io import Sensors


@dataclass(frozen=True, eq=False)
class Decision:
    """What the controller saw and chose in one control step.

    Attributes:
        observation: (obs,) as the environment gives it.
        action: (joint,) the network's, in -1 to 1.
        targets: (joint,) rad.
    """

    observation: np.ndarray
    action: np.ndarray
    targets: np.ndarray


class Controller:
    """An exported policy with its observation, its action filter and its way with commands.

    Args:
        description: The policy's description.
        network: Its network.

    Raises:
        ConfigError: The policy observes a channel that no sensor of a robot gives.

    Attributes:
        description: The policy's description.
        filtered: (joint,) the last filtered action, which the policy observes.

    Example:
        >>> controller = Controller.load("walk_export")
        >>> controller.step(robot.read(), np.array([0.4, 0.0, 0.0])).targets
    """

    def __init__(self, description: PolicyDescription, network: Network) -> None:
        self.description, self._network = description, network
        self._observe = Observer(description)
        self._approach = Approach(description.acceleration, description.control_dt)
        self._hold = HeadingHold(description.heading, description.control_dt)
        self._home, self._scale = description.of_joints("home"), description.of_joints("scale")
        self._low, self._high = description.of_joints("low"), description.of_joints("high")
        self.filtered = np.zeros(len(description.joints), np.float32)

    @classmethod
    def load(cls, folder: str | Path) -> Controller:
        """The policy in a folder that `wildrobot export` wrote.

        Raises:
            RunError: The folder holds no policy, or is damaged.
            ConfigError: The policy observes a channel that no sensor of a robot gives.
        """
        description = load_description(folder)
        return cls(description, load_network(Path(folder), description))

    def reset(self) -> None:
        """Forget past frames, the last action, the command and the heading, as at a start."""
        self.filtered = np.zeros_like(self.filtered)
        self._observe.reset()
        self._approach.reset()
        self._hold.reset()

    def check(self, sensors: Sensors) -> None:
        """Raise RunError unless the sensors have all that the policy observes."""
        self._observe.check(sensors)

    def step(self, sensors: Sensors, command: np.ndarray) -> Decision:
        """One control step.

        Args:
            sensors: The robot's.
            command: (3,) vx m/s, vy m/s, yaw rate rad/s.

        Raises:
            RunError: The sensors lack what the policy observes.
        """
        corrected = self._hold(self._approach(command), yaw_of(sensors.quat))
        observation = self._observe(sensors, corrected, self.filtered)
        action = self._network(observation[None])[0]
        part = np.float32(self.description.action_filter)
        self.filtered = part * np.clip(action, -1.0, 1.0) + (1 - part) * self.filtered
        targets = np.clip(self._home + self._scale * self.filtered, self._low, self._high)
        return Decision(observation, action, targets)
