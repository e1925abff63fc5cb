"""Quaternions (w, x, y, z) and the heading frame. Functions take one item and broadcast over
leading axes.

The heading frame (suffix `_h`) is the world frame turned about z by the base's yaw. Gravity still
points to -z in it, but which way the robot faces does not matter. Most functions compute in JAX.
The NumPy part at the end serves clips and controllers outside a compiled function.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

if TYPE_CHECKING:
    AnyArray = Any  # type checkers cannot read jaxtyping's shapes; the tests check them
else:
    AnyArray = jax.Array | np.ndarray  # a rollout traces these functions, a clip has NumPy arrays


def quat_mul(a: Float[AnyArray, "*b 4"], b: Float[AnyArray, "*b 4"]) -> Float[AnyArray, "*b 4"]:
    """Hamilton product: the rotation `b` followed by `a`."""
    aw, ax, ay, az = jnp.moveaxis(a, -1, 0)
    bw, bx, by, bz = jnp.moveaxis(b, -1, 0)
    return jnp.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        axis=-1,
    )


def quat_conjugate(q: Float[AnyArray, "*b 4"]) -> Float[AnyArray, "*b 4"]:
    """Inverse of a unit quaternion."""
    return q * jnp.array([1.0, -1.0, -1.0, -1.0])


def rotate(q: Float[AnyArray, "*b 4"], v: Float[AnyArray, "*b 3"]) -> Float[AnyArray, "*b 3"]:
    """Vector `v` turned by `q`: from body to world where `q` is a body's orientation."""
    w, u = q[..., :1], q[..., 1:]
    t = 2.0 * jnp.cross(u, v)
    return v + w * t + jnp.cross(u, t)


def rotate_inverse(
    q: Float[AnyArray, "*b 4"], v: Float[AnyArray, "*b 3"]
) -> Float[AnyArray, "*b 3"]:
    """Vector `v` turned by the inverse of `q`: from world to body."""
    return rotate(quat_conjugate(q), v)


def rotation_vector(q: Float[AnyArray, "*b 4"]) -> Float[AnyArray, "*b 3"]:
    """Axis times angle of the rotation `q`, rad, at most pi.

    A small one gives twice its vector part.
    """
    q = jnp.where(q[..., :1] < 0, -q, q)
    length = jnp.linalg.norm(q[..., 1:], axis=-1, keepdims=True)
    small = length < 1e-6
    return q[..., 1:] * jnp.where(
        small, 2.0, 2.0 * jnp.arctan2(length, q[..., :1]) / jnp.where(small, 1.0, length)
    )


def yaw_of(q: Float[AnyArray, "*b 4"]) -> Float[AnyArray, "*b"]:
    """Heading angle about the world's z, rad."""
    w, x, y, z = jnp.moveaxis(q, -1, 0)
    return jnp.arctan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))


def yaw_quat(yaw: Float[AnyArray, "*b"]) -> Float[AnyArray, "*b 4"]:
    """Quaternion of a turn about the world's z by `yaw` rad."""
    zero = jnp.zeros_like(yaw)
    return jnp.stack([jnp.cos(yaw / 2), zero, zero, jnp.sin(yaw / 2)], axis=-1)


def axis_quat(angle: Float[AnyArray, ""], axis: int) -> Float[AnyArray, "4"]:
    """Quaternion of a turn by `angle` rad about axis 0, 1 or 2."""
    return jnp.zeros(4).at[0].set(jnp.cos(angle / 2)).at[1 + axis].set(jnp.sin(angle / 2))


def to_heading(q: Float[AnyArray, "*b 4"], v_w: Float[AnyArray, "*b 3"]) -> Float[AnyArray, "*b 3"]:
    """World vector `v_w` in the heading frame of a body with orientation `q`."""
    return rotate_inverse(yaw_quat(yaw_of(q)), v_w)


def gravity_direction(q: Float[AnyArray, "*b 4"]) -> Float[AnyArray, "*b 3"]:
    """The world's down in the body frame, a unit vector; (0, 0, -1) upright."""
    down = jnp.broadcast_to(jnp.array([0.0, 0.0, -1.0]), (*q.shape[:-1], 3))
    return rotate_inverse(q, down)


# --- NumPy ---


@dataclass(frozen=True)
class BaseInHeading:
    """The base in its heading frame, in double precision NumPy.

    Attributes:
        yaw: (n,) heading about the world's z axis, in rad.
        up: (n, 3) z axis of the base.
        rate: (n, 3) angular velocity, in rad/s.
        velocity: (n, 3) linear velocity, in m/s.
    """

    yaw: Float[np.ndarray, " n"]
    up: Float[np.ndarray, "n 3"]
    rate: Float[np.ndarray, "n 3"]
    velocity: Float[np.ndarray, "n 3"]


def numpy_yaw(quat: Float[np.ndarray, "n 4"]) -> Float[np.ndarray, " n"]:
    """Return `yaw_of` in the precision of the argument, without JAX."""
    w, x, y, z = quat.T
    return np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))


def numpy_tilt(quat: Float[np.ndarray, "n 4"]) -> Float[np.ndarray, " n"]:
    """Return the angle between a body's z and the world's z, in rad, without JAX."""
    _, x, y, _ = quat.T
    # Half of the angle has this sine: exact for small angles, where a cosine rounds to 1.
    return 2 * np.arcsin(np.sqrt(x * x + y * y).clip(max=1.0))


def base_in_heading(
    qpos: Float[np.ndarray, "n nq"], qvel: Float[np.ndarray, "n nv"]
) -> BaseInHeading:
    """Return the base of MuJoCo's `qpos` and `qvel` in its heading frame."""
    from scipy.spatial.transform import Rotation  # not at the top: environments never need it

    yaw = numpy_yaw(qpos[:, 3:7])
    to_frame = Rotation.from_euler("z", -yaw[:, None])
    tilt = to_frame * Rotation.from_quat(qpos[:, 3:7], scalar_first=True)
    return BaseInHeading(
        yaw, tilt.as_matrix()[:, :, 2], tilt.apply(qvel[:, 3:6]), to_frame.apply(qvel[:, :3])
    )


def feet_in_heading(
    yaw: Float[np.ndarray, " n"],
    base_pos_w: Float[np.ndarray, "n 3"],
    foot_pos_w: Float[np.ndarray, "n foot 3"],
) -> Float[np.ndarray, "n foot 2"]:
    """Return the feet's distance from the base, forward and to the left, in m."""
    x, y = np.moveaxis(foot_pos_w[..., :2] - base_pos_w[:, None, :2], -1, 0)
    cos, sin = np.cos(yaw)[:, None], np.sin(yaw)[:, None]
    return np.stack([cos * x + sin * y, -sin * x + cos * y], axis=-1)
