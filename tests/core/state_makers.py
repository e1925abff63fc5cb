"""Physics states made by hand, for golden values."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel


def quat(roll: float = 0.0, pitch: float = 0.0, yaw: float = 0.0) -> np.ndarray:
    """Quaternion wxyz of a turn about x, then y, then z (radians), by the half-angle formulas."""
    cr, cp, cy = np.cos(np.array([roll, pitch, yaw]) / 2)
    sr, sp, sy = np.sin(np.array([roll, pitch, yaw]) / 2)
    return np.array(
        [
            cr * cp * cy + sr * sp * sy,
            sr * cp * cy - cr * sp * sy,
            cr * sp * cy + sr * cp * sy,
            cr * cp * sy - sr * sp * cy,
        ]
    )


def make_state(robot: RobotModel, **changes: Any) -> PhysicsState:
    """Home pose at rest, 8 N on each pad.

    `changes` replace fields or parts (base_quat, lin_vel, joints, ...).
    """
    qpos, qvel = robot.home_qpos.copy(), np.zeros(robot.model.nv)
    qpos[3:7] = changes.pop("base_quat", qpos[3:7])
    qpos[2] = changes.pop("height", qpos[2])
    qpos[7:] = changes.pop("joints", qpos[7:])
    qvel[:3] = changes.pop("lin_vel", qvel[:3])
    qvel[3:6] = changes.pop("ang_vel", qvel[3:6])
    qvel[6:] = changes.pop("joint_vel", qvel[6:])
    fields = {
        "qpos": qpos,
        "qvel": qvel,
        "pad_forces": np.full(4, 8.0),
        "pad_pos_w": np.zeros((4, 3)),
        "pad_vel_w": np.zeros((4, 3)),
        "foot_pos_w": np.zeros((2, 3)),
        "foot_quat_w": np.tile([1.0, 0, 0, 0], (2, 1)),
        "actuator_forces": np.zeros(robot.num_joints),
        "diverged": np.array(False),
    } | changes
    return PhysicsState(
        **{k: jnp.asarray(v, bool if k == "diverged" else jnp.float32) for k, v in fields.items()}
    )


def mirror_image(robot: RobotModel, **parts) -> dict:
    """Arguments of `make_state` for the mirror image, about the x-z plane, of the state that
    `parts` make.
    """
    ids, signs, pads = robot.joint_mirror_ids, robot.joint_mirror_signs, robot.pad_mirror_ids
    images = {
        "base_quat": lambda x: x * [1, -1, 1, -1],
        "lin_vel": lambda x: x * [1, -1, 1],
        "ang_vel": lambda x: x * [-1, 1, -1],
        "pad_forces": lambda x: x[pads],
        **dict.fromkeys(("pad_pos_w", "pad_vel_w"), lambda x: x[pads] * [1, -1, 1]),
        **dict.fromkeys(("joints", "joint_vel", "actuator_forces"), lambda x: signs * x[ids]),
    }
    return {name: images[name](part) for name, part in parts.items()}


def step_fields(robot: RobotModel, **changes: Any) -> dict[str, Any]:
    """Fields of `RewardInputs`: at rest, both feet loaded, 32 N of weight.

    `changes` replace them or parts of the state.
    """
    n = robot.num_joints
    fields = {
        "command": np.zeros(3),
        "mean_error": np.zeros(3),
        "action": np.zeros(n),
        "previous_action": np.zeros(n),
        "touchdown_air_time": np.zeros(2),
        "liftoff_double_support": np.inf,
        "foot_loaded": np.ones(2, bool),
        "weight": 32.0,
        "phase": 0.0,
    }
    fields |= {name: changes.pop(name) for name in fields if name in changes}
    arrays = {
        k: jnp.asarray(v, bool if k == "foot_loaded" else jnp.float32) for k, v in fields.items()
    }
    return {"state": make_state(robot, **changes), "force_limit": jnp.full(n, 4.0), **arrays}
