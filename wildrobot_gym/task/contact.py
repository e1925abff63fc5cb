"""Foot contact as a number in 0 ... 1 for each pad, by four definitions (the seeds' v0.5.0, v0.6.2 and softening options).

Each takes one frame and returns one value a pad, in the robot's pad order. Which one is used is the feature config's
choice, and it is the same for clips and for simulation.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from wildrobot_gym.config import FeatureConfig
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.rotations import AnyArray

LOADED_FRACTION = 0.10  # of the robot's weight: a foot that carries more is loaded
SLIP_SPEED = 0.10  # m/s: a loaded foot that is faster slides


def force_contacts(
    pad_forces: Float[AnyArray, "*b pad"], scale: float
) -> Float[AnyArray, "*b pad"]:
    """tanh(F / scale) of the normal forces in N (seed v0.5.0)."""
    return jnp.tanh(pad_forces / scale)


def proxy_contacts(
    pad_height: Float[AnyArray, "*b pad"],
    pad_speed: Float[AnyArray, "*b pad"],
    height: float,
    speed: float,
) -> Float[AnyArray, "*b pad"]:
    """Smooth contact from kinematics alone: 1 for a resting pad on the ground, falling with its height and its speed."""
    return jnp.exp(-jnp.square(jnp.maximum(pad_height, 0.0) / height)) * jnp.exp(
        -jnp.square(pad_speed / speed)
    )


def estimated_contacts(
    thigh_angle: Float[AnyArray, "*b foot"],
    knee_angle: Float[AnyArray, "*b foot"],
    config: FeatureConfig,
) -> Float[AnyArray, "*b foot"]:
    """Contact of a foot guessed from its leg's joints (seed v0.6.2): a thigh not swung forward is in stance.

    confidence = clip(1 - |knee| / knee_scale, min_confidence, 1) where thigh_angle (positive forward) is under the
    threshold, else 0. Kept for comparison: it called 84 % of upstream's frames double stance.
    """
    confidence = jnp.clip(
        1.0 - jnp.abs(knee_angle) / config.contact_knee_scale, config.contact_min_confidence, 1.0
    )
    return jnp.where(thigh_angle < config.contact_threshold_angle, confidence, 0.0)


def pad_speed(state: PhysicsState) -> Float[AnyArray, "*b pad"]:
    """Tangential speed of each pad over flat ground, m/s."""
    return jnp.linalg.norm(state.pad_vel_w[..., :2], axis=-1)


def foot_forces(
    pad_forces: Float[AnyArray, "*b pad"], pad_ids_of_foot: np.ndarray
) -> Float[AnyArray, "*b foot"]:
    """Normal force of each foot, N."""
    return pad_forces[..., pad_ids_of_foot].sum(axis=-1)


def foot_loads(
    pad_forces: Float[np.ndarray, "*b pad"],
    pad_speed: Float[np.ndarray, "*b pad"],
    pad_ids_of_foot: np.ndarray,
) -> tuple[Float[np.ndarray, "*b foot"], Float[np.ndarray, "*b foot"]]:
    """Normal force of each foot, N, and its tangential speed, m/s: its pads' speeds weighted by the load each carries."""
    forces = pad_forces[..., pad_ids_of_foot]
    total = forces.sum(axis=-1)
    return total, (forces * pad_speed[..., pad_ids_of_foot]).sum(axis=-1) / np.maximum(total, 1e-6)


def lowest_corner(
    pad_pos_w: Float[np.ndarray, "*b pad 3"],
    foot_quat_w: Float[np.ndarray, "*b foot 4"],
    pad_half_size: Float[np.ndarray, "pad 2"],
    pad_ids_of_foot: np.ndarray,
) -> Float[np.ndarray, "*b foot"]:
    """Height of each sole's lowest corner over its pads.

    A pad's sole is a rectangle in the foot's x-y plane: its lowest corner lies |R_zx| hx + |R_zy| hy under its centre.
    """
    w, x, y, z = np.moveaxis(foot_quat_w, -1, 0)
    z_of_x, z_of_y = np.abs(2 * (x * z - w * y)), np.abs(2 * (y * z + w * x))
    heights = []
    for foot, pads in enumerate(pad_ids_of_foot):
        drop = (
            z_of_x[..., foot, None] * pad_half_size[pads, 0]
            + z_of_y[..., foot, None] * pad_half_size[pads, 1]
        )
        heights.append((pad_pos_w[..., pads, 2] - drop).min(axis=-1))
    return np.stack(heights, axis=-1)
