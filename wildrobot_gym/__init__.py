"""WildRobot: a small biped as a Gymnasium environment, and AMP training that teaches it to walk.

Importing this package registers `WildRobot-v0` and `WildRobotTrack-v0` with Gymnasium. It loads
nothing else: each name below imports what it needs when it is first used.

Example:
    ```python
    import gymnasium as gym
    import wildrobot_gym as wr
    from amp_sbx import AMPPPO

    env = gym.make_vec("WildRobot-v0", num_envs=1024)
    reference = wr.load_reference("walk", env)
    rollout = {"n_steps": 24, "batch_size": 6144}  # for many environments
    model = AMPPPO("MlpPolicy", env, amp={"weight": 0.4}, reference=reference, **rollout)
    model.clone_behavior(*wr.demonstrations(env, reference))
    model.learn(1_000_000, progress_bar=True)
    ```
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from wildrobot_gym.errors import (
    ActionError,
    ConfigError,
    MissingPackageError,
    MotionError,
    PhysicsError,
    RobotError,
    RunError,
    UnknownArgumentError,
    WildRobotError,
)
from wildrobot_gym.extras import extras_named

if TYPE_CHECKING:
    from wildrobot_gym.experiments.evaluate import evaluate
    from wildrobot_gym.experiments.export.export import export_policy
    from wildrobot_gym.training.policy import load_policy
    from wildrobot_gym.training.reference import demonstrations, load_reference
    from wildrobot_gym.training.train import train

__version__ = "0.1.0"

__all__ = [
    "ActionError",
    "ConfigError",
    "MissingPackageError",
    "MotionError",
    "PhysicsError",
    "RobotError",
    "RunError",
    "UnknownArgumentError",
    "WildRobotError",
    "demonstrations",
    "evaluate",
    "export_policy",
    "load_policy",
    "load_reference",
    "train",
]

_LAZY = {
    "demonstrations": "wildrobot_gym.training.reference",
    "evaluate": "wildrobot_gym.experiments.evaluate",
    "export_policy": "wildrobot_gym.experiments.export.export",
    "load_policy": "wildrobot_gym.training.policy",
    "load_reference": "wildrobot_gym.training.reference",
    "train": "wildrobot_gym.training.train",
}  # module of each name that is imported on first use

try:
    from wildrobot_gym.env.registration import register_envs
except ModuleNotFoundError as error:
    # On a robot's computer `wildrobot_gym.deploy` runs with NumPy alone.
    if error.name != "gymnasium":
        raise
else:
    register_envs()


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with extras_named():
        value = getattr(importlib.import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, *(name for name in globals() if name.startswith("__"))]
