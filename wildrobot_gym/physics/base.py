"""What every physics engine offers, and the function that makes a `PhysicsState` from an engine's
arrays.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from wildrobot_gym.errors import PhysicsError
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel


class Physics(Protocol):
    """`num_envs` simulations of one robot, stepped together at the control rate.

    All arrays have a leading environment axis. An engine owns its state, and returns copies.

    Attributes:
        robot: The robot.
        num_envs: Number of simulations.
        num_diverged: Simulations that were restarted after a NaN or a blow-up, since construction.
    """

    robot: RobotModel
    num_envs: int
    num_diverged: int

    def reset(self, ids: np.ndarray, qpos: np.ndarray, qvel: np.ndarray) -> PhysicsState:
        """Place some environments.

        Args:
            ids: (n,) environments, sorted.
            qpos: (n, nq) their positions.
            qvel: (n, nv) their velocities.

        Returns:
            The state of all environments.
        """
        ...

    def step(self, ctrl: Any, frozen: np.ndarray | None = None) -> PhysicsState:
        """Take one control step.

        Args:
            ctrl: (num_envs, joint) joint targets, rad.
            frozen: (num_envs,) bool: environments that stay as they are.

        Returns:
            The state of all environments.
        """
        ...

    def get_state(self) -> dict[str, np.ndarray]:
        """Everything needed to continue bit for bit, as arrays."""
        ...

    def set_state(self, arrays: dict[str, np.ndarray]) -> PhysicsState:
        """Continue from what `get_state` gave."""
        ...


def assemble_state(
    robot: RobotModel, qpos: Any, qvel: Any, sensordata: Any, actuator_forces: Any, diverged: Any
) -> PhysicsState:
    """Name the columns of an engine's arrays, NumPy or JAX, with any leading axes."""
    fields = {name: sensordata[..., ids] for name, ids in robot.sensor_slices.items()}
    return PhysicsState(
        qpos=qpos, qvel=qvel, actuator_forces=actuator_forces, diverged=diverged, **fields
    )


def substeps(robot: RobotModel, control_dt: float) -> int:
    """Physics steps in one control step.

    Raises:
        PhysicsError: `control_dt` is no whole multiple of the model's time step.
    """
    timestep = float(robot.model.opt.timestep)
    count = round(control_dt / timestep)
    if count < 1 or abs(count * timestep - control_dt) > 1e-9:
        raise PhysicsError(
            f"control_dt {control_dt} s is no whole multiple of the model's time step {timestep} s."
        )
    return count
