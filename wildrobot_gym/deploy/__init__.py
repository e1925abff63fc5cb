"""Run an exported policy on a robot, with NumPy alone or with onnxruntime.

`wildrobot export` writes the folder. `python -m wildrobot_gym.deploy` has commands for a robot's
computer. Nothing here imports JAX, Stable-Baselines3, MuJoCo or Gymnasium.

Example:
    >>> from wildrobot_gym.deploy import ControlLoop, Controller
    >>> loop = ControlLoop(Controller.load("walk_export"), robot)
    >>> loop.run(lambda seconds: (0.4, 0.0, 0.0))
"""

from wildrobot_gym.deploy.clock import Clock
from wildrobot_gym.deploy.controller import Controller, Decision
from wildrobot_gym.deploy.description import PolicyDescription
from wildrobot_gym.deploy.golden import check_golden
from wildrobot_gym.deploy.log import Log, Replay, load_log, replay
from wildrobot_gym.deploy.loop import ControlLoop, LoopSettings
from wildrobot_gym.deploy.network import load_network
from wildrobot_gym.deploy.reading import load_description
from wildrobot_gym.deploy.robot_io import RobotIO, Sensors
from wildrobot_gym.deploy.safety import SafetyLimits
from wildrobot_gym.deploy.timing import timing
from wildrobot_gym.deploy.udp import UdpRobot, UdpServer

__all__ = [
    "Clock",
    "ControlLoop",
    "Controller",
    "Decision",
    "Log",
    "LoopSettings",
    "PolicyDescription",
    "Replay",
    "RobotIO",
    "SafetyLimits",
    "Sensors",
    "UdpRobot",
    "UdpServer",
    "check_golden",
    "load_description",
    "load_log",
    "load_network",
    "replay",
    "timing",
]
