"""What every physics engine offers, and the one function that turns engine arrays into a :class:`PhysicsState`."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from wildrobot_gym.errors import PhysicsError
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel


class Physics(Protocol):
    """``num_envs`` simulations of one robot, stepped together at the control rate.

    All arrays have a leading env axis. Engines own their state; what they return is a copy.
    """

    robot: RobotModel
    num_envs: int
    num_diverged: int  # environments restarted because of a NaN or a blow-up, since construction

    def reset(self, ids: np.ndarray, qpos: np.ndarray, qvel: np.ndarray) -> PhysicsState:
        """Place environments ``ids`` (sorted) at ``qpos`` (n, nq), ``qvel`` (n, nv); state of ALL environments."""
        ...

    def step(self, ctrl: Any, frozen: np.ndarray | None = None) -> PhysicsState:
        """One control step with joint targets ``ctrl`` (num_envs, joint), rad; ``frozen`` (num_envs,) bool ones stay."""
        ...

    def get_state(self) -> dict[str, np.ndarray]:
        """Everything needed to continue bit for bit, as arrays."""
        ...

    def set_state(self, arrays: dict[str, np.ndarray]) -> PhysicsState:
        """Continue from what :meth:`get_state` gave."""
        ...


def assemble_state(
    robot: RobotModel, qpos: Any, qvel: Any, sensordata: Any, actuator_forces: Any, diverged: Any
) -> PhysicsState:
    """Name the columns of an engine's arrays; works on NumPy and on JAX arrays, with any leading axes."""
    fields = {name: sensordata[..., ids] for name, ids in robot.sensor_slices.items()}
    return PhysicsState(
        qpos=qpos, qvel=qvel, actuator_forces=actuator_forces, diverged=diverged, **fields
    )


def substeps(robot: RobotModel, control_dt: float) -> int:
    """Physics steps in one control step.

    Raises:
        PhysicsError: ``control_dt`` is no whole multiple of the model's time step.
    """
    timestep = float(robot.model.opt.timestep)
    count = round(control_dt / timestep)
    if count < 1 or abs(count * timestep - control_dt) > 1e-9:
        raise PhysicsError(
            f"control_dt {control_dt} s is no whole multiple of the model's time step {timestep} s."
        )
    return count
