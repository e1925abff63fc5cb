"""Physics as pure JAX functions of one simulation, for functional environments."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Protocol

import jax
import mujoco
import numpy as np
from jaxtyping import Array, Float

from wildrobot_gym.physics.drive import Drive
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel


class Engine(Protocol):
    """Simulates one robot at the control rate. Use it under `vmap`, `scan` and `jit`.

    Attributes:
        name: The backend's name.
        robot: The robot.
    """

    name: str
    robot: RobotModel

    def init(
        self,
        qpos: Float[Array, "nq"],
        qvel: Float[Array, "nv"],
        fields: Mapping[str, Array] | None = None,
    ) -> tuple[Any, PhysicsState]:
        """The engine's own state at a given state of the robot, and what a task may know of it.

        `fields` are the values of model fields that differ from the robot's own, as in a `Drive`.
        """
        ...

    def step(self, data: Any, drive: Drive) -> tuple[Any, PhysicsState]:
        """One control step.

        A simulation that diverged restarts at home, and its state says so.
        """
        ...

    def sharing_key(self) -> str:
        """What the compiled functions depend on, as text."""
        ...


def model_digest(model: mujoco.MjModel) -> str:
    """SHA-256 of a compiled model."""
    buffer = np.zeros(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, buffer)
    return hashlib.sha256(buffer.tobytes()).hexdigest()


def engine_key(name: str, robot: RobotModel, *parts: Any) -> str:
    """A text that is equal for engines whose compiled functions are equal.

    Args:
        name: The backend's name.
        robot: Its compiled model is part of the key.
        *parts: Further settings.
    """
    digest = model_digest(robot.simulated.model)
    if robot.ground is not None:
        parts += (robot.ground.digest,)
    return f"{name} {digest} {parts} {jax.config.read('jax_enable_x64')}"
