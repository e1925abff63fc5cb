"""What the physics engines have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from wildrobot_gym.errors import PhysicsError
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel

LONGEST_CONTROL_S = 1.0


def assemble_state(
    robot: RobotModel, qpos: Any, qvel: Any, sensordata: Any, actuator_forces: Any, diverged: Any
) -> PhysicsState:
    """Name the columns of an engine's arrays, NumPy or JAX, with any leading axes."""
    fields = {name: sensordata[..., ids] for name, ids in robot.sensor_slices.items()}
    ground = None
    if robot.ground is not None:
        ground = robot.ground.under(qpos[..., :3], fields["pad_pos_w"], fields["foot_pos_w"])
    return PhysicsState(
        qpos=qpos,
        qvel=qvel,
        actuator_forces=actuator_forces,
        diverged=diverged,
        ground=ground,
        **fields,
    )


def restart_pose(robot: RobotModel) -> np.ndarray:
    """Where a simulation that diverged restarts: (nq,) the home pose, not inside the ground."""
    pose = robot.home_qpos.copy()
    if robot.ground is not None:
        pose[2] += robot.ground.heights.max()
    return pose


def substeps(robot: RobotModel, control_dt: float) -> int:
    """Physics steps in one control step.

    Raises:
        PhysicsError: `control_dt` is no whole multiple of the model's time step, or too long.
    """
    timestep = float(robot.model.opt.timestep)
    count = round(control_dt / timestep)
    if not 1 <= count <= LONGEST_CONTROL_S / timestep or abs(count * timestep - control_dt) > 1e-9:
        raise PhysicsError(
            f"control_dt is {control_dt:g} s. Allowed: whole multiples of the model's time step,"
            f" {timestep:g} s, up to {LONGEST_CONTROL_S:g} s."
        )
    return count
