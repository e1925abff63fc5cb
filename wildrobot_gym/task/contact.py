"""Foot contact as a number from 0 to 1 for each pad, by three definitions (the seeds' v0.5.0,
v0.6.2 and softening options).

Each takes one frame and returns one value for each pad, in the robot's pad order. The feature
config chooses one of them, the same for clips and for simulation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from wildrobot_gym.errors import RobotError
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import AnyArray
from wildrobot_gym.task.sections import FeatureConfig

SCALE_FRACTION = 0.3  # of the weight, at which a contact of kind 'force' is tanh(1)
LOADED_FRACTION = 0.10  # of the weight; a foot that carries more is loaded
SLIP_SPEED = 0.10  # m/s: a loaded foot that is faster slides
MIN_UNLOADED_S = 0.040  # before a touchdown; shorter gaps are flicker of contact


def force_contacts(
    pad_forces: Float[AnyArray, "*b pad"], scale: float
) -> Float[AnyArray, "*b pad"]:
    """Contact from normal forces in N: tanh(force / scale) (seed v0.5.0)."""
    return jnp.tanh(pad_forces / scale)


def proxy_contacts(
    pad_height: Float[AnyArray, "*b pad"],
    pad_speed: Float[AnyArray, "*b pad"],
    height: float,
    speed: float,
) -> Float[AnyArray, "*b pad"]:
    """Contact from kinematics.

    1 for a pad at rest on the ground, less with its height (m) and speed (m/s).
    """
    return jnp.exp(-jnp.square(jnp.maximum(pad_height, 0.0) / height)) * jnp.exp(
        -jnp.square(pad_speed / speed)
    )


def estimated_contacts(
    thigh_angle: Float[AnyArray, "*b foot"],
    knee_angle: Float[AnyArray, "*b foot"],
    config: FeatureConfig,
) -> Float[AnyArray, "*b foot"]:
    """Contact of a foot from its leg's joints (seed v0.6.2): a thigh that is not swung forward is
    in stance.

    Kept for comparison: it called 84 % of upstream's frames double stance.

    Args:
        thigh_angle: rad, positive forward.
        knee_angle: rad.
        config: Has the threshold and the scales.

    Returns:
        clip(1 - |knee| / knee_scale, min_confidence, 1) in stance, else 0.
    """
    confidence = jnp.clip(
        1.0 - jnp.abs(knee_angle) / config.contact_knee_scale, config.contact_min_confidence, 1.0
    )
    return jnp.where(thigh_angle < config.contact_threshold_angle, confidence, 0.0)


def contact_reader(
    robot: RobotModel, config: FeatureConfig
) -> Callable[[PhysicsState], Float[AnyArray, "*b pad"]]:
    """The function from a physics state to the contacts that `config` defines.

    Raises:
        RobotError: 'estimated' contacts of a robot whose legs lack a hip or knee pitch joint, or
            contacts 'none'.
    """
    if config.contacts == "force":
        scale = contact_scale(robot, config)
        return lambda state: force_contacts(state.pad_forces, scale)
    if config.contacts == "proxy":
        height, speed = config.proxy_height, config.proxy_speed
        return lambda s: proxy_contacts(s.pad_height, s.pad_speed, height, speed)
    if config.contacts == "none":
        raise RobotError("Contacts of kind 'none' have no values.")
    thigh_ids, thigh_signs, knee_ids = _leg_angles(robot)
    foot_of_pad = robot.foot_of_pad

    def estimated(state: PhysicsState) -> Float[AnyArray, "*b pad"]:
        thigh = state.joint_pos[..., thigh_ids] * thigh_signs
        knee = state.joint_pos[..., knee_ids]
        return estimated_contacts(thigh, knee, config)[..., foot_of_pad]

    return estimated


def contact_scale(robot: RobotModel, config: FeatureConfig) -> float:
    """Force at which a contact of kind 'force' is tanh(1), N."""
    given = config.contact_scale
    return float(round(SCALE_FRACTION * robot.weight)) if given is None else given


def _leg_angles(robot: RobotModel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Thigh and knee joint of each leg, and the sign that makes a thigh angle positive forward.

    A leg's thigh is its first joint about y. A turn about -y swings it forward. The knee is the
    next joint about y.
    """
    thighs, signs, knees = [], [], []
    for leg in robot.legs:
        if len(leg.pitch) < 2:
            raise RobotError(
                "contacts 'estimated' needs a hip and a knee that turn about y in the leg of"
                f" {leg.foot!r}; it has {', '.join(leg.joints)}."
            )
        thighs.append(robot.joint_names.index(leg.pitch[0]))
        signs.append(-leg.signs[leg.pitch[0]])
        knees.append(robot.joint_names.index(leg.pitch[1]))
    return np.array(thighs), np.array(signs), np.array(knees)


def touchdowns(
    loaded: Bool[np.ndarray, "time *b foot"], dt: float
) -> Bool[np.ndarray, "time *b foot"]:
    """Where feet land: they bear load again after at least 40 ms without.

    Args:
        loaded: Which feet bear load.
        dt: Time from frame to frame, s.
    """
    needed = max(1, math.ceil(MIN_UNLOADED_S / dt - 1e-9))
    unloaded_steps = np.zeros(loaded.shape[1:], int)
    landed = np.zeros_like(loaded)
    for t in range(len(loaded)):
        landed[t] = loaded[t] & (unloaded_steps >= needed)
        unloaded_steps = np.where(loaded[t], 0, unloaded_steps + 1)
    return landed


def foot_forces(
    pad_forces: Float[AnyArray, "*b pad"], pad_ids_of_foot: np.ndarray
) -> Float[AnyArray, "*b foot"]:
    """Normal force of each foot, N."""
    return _of_feet(pad_forces, pad_ids_of_foot).sum(axis=-1)


def _of_feet(
    values: Float[AnyArray, "*b pad"], pad_ids_of_foot: np.ndarray
) -> Float[AnyArray, "*b foot pads"]:
    """Values of the pads of each foot; 0 for the pads that a foot has fewer than another."""
    if pad_ids_of_foot.max() >= values.shape[-1]:
        xp: Any = values.__array_namespace__()
        values = xp.concatenate([values, xp.zeros_like(values[..., :1])], axis=-1)
    return values[..., pad_ids_of_foot]


def foot_loads(
    pad_forces: Float[AnyArray, "*b pad"],
    pad_speed: Float[AnyArray, "*b pad"],
    pad_ids_of_foot: np.ndarray,
) -> tuple[Float[AnyArray, "*b foot"], Float[AnyArray, "*b foot"]]:
    """Load and slip of each foot.

    Returns:
        Normal force, N, and tangential speed, m/s: the mean of the pads' speeds, weighted by their
        loads.
    """
    forces = _of_feet(pad_forces, pad_ids_of_foot)
    total = forces.sum(axis=-1)
    slip = (forces * _of_feet(pad_speed, pad_ids_of_foot)).sum(axis=-1)
    return total, slip / total.clip(1e-6)


def lowest_corner(
    robot: RobotModel,
    pad_pos_w: Float[AnyArray, "*b pad 3"],
    foot_quat_w: Float[AnyArray, "*b foot 4"],
) -> Float[AnyArray, "*b foot"]:
    """Height of the lowest point of each foot's pads in the world, m.

    A pad is the hull of balls around points that are fixed in the foot. Its lowest point is a
    radius under the lowest of them.

    Args:
        robot: Has the points.
        pad_pos_w: Site of each pad, m.
        foot_quat_w: Orientation of each foot.
    """
    xp: Any = foot_quat_w.__array_namespace__()  # NumPy or JAX
    w, x, y, z = (foot_quat_w[..., i] for i in range(4))
    up = xp.stack([2 * (x * z - w * y), 2 * (y * z + w * x)], axis=-1)
    # The world's z in the foot; the third part only where a pad has height.
    flat = not robot.pad_points[..., 2].any()
    heights = []
    for foot, ids in enumerate(robot.pad_ids_of_foot):
        pads = ids[ids < len(robot.pad_names)]
        points = robot.pad_points[pads]
        rise = (
            up[..., foot, 0, None, None] * points[..., 0]
            + up[..., foot, 1, None, None] * points[..., 1]
        )
        if not flat:
            level = 1 - 2 * (x * x + y * y)
            rise = rise + level[..., foot, None, None] * points[..., 2]
        low = rise.min(axis=-1) - robot.pad_radius[pads]
        heights.append((pad_pos_w[..., pads, 2] + low).min(axis=-1))
    return xp.stack(heights, axis=-1)


def sole_heights(robot: RobotModel, state: PhysicsState) -> Float[AnyArray, "*b foot"]:
    """Height of the lowest point of each foot's pads over the ground under that point, m."""
    if robot.ground is None:
        return lowest_corner(robot, state.pad_pos_w, state.foot_quat_w)
    xp: Any = state.pad_pos_w.__array_namespace__()
    points = sole_points(robot, state)
    of_pads = (points[..., 2] - robot.ground.height(points[..., :2])).min(axis=-1)
    feet = [
        of_pads[..., ids[ids < len(robot.pad_names)]].min(axis=-1) for ids in robot.pad_ids_of_foot
    ]
    return xp.stack(feet, axis=-1)


def sole_points(robot: RobotModel, state: PhysicsState) -> Float[AnyArray, "*b pad point 3"]:
    """Where the points of the pads are in the world, each lowered by its ball's radius, m."""
    xp: Any = state.pad_pos_w.__array_namespace__()
    w, x, y, z = (state.foot_quat_w[..., robot.foot_of_pad, i, None, None] for i in range(4))
    axes = [
        [1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)],
        [2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)],
        [2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)],
    ]
    points = xp.asarray(robot.pad_points, dtype=state.pad_pos_w.dtype)
    offset = sum(
        points[..., i : i + 1] * xp.concatenate(axis, axis=-1) for i, axis in enumerate(axes)
    )
    down = np.zeros((len(robot.pad_names), 1, 3), np.float32)
    down[..., 0, 2] = robot.pad_radius
    return state.pad_pos_w[..., None, :] + offset - xp.asarray(down)
