"""The base as seen from its own heading frame, in plain NumPy: for the tracker's loop and for single clips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation


@dataclass(frozen=True)
class HeadingView:
    """yaw: rad. up: the base's z axis. rate: angular velocity, rad/s; velocity: of the base, m/s. All in the heading frame."""

    yaw: Float[np.ndarray, " n"]
    up: Float[np.ndarray, "n 3"]
    rate: Float[np.ndarray, "n 3"]
    velocity: Float[np.ndarray, "n 3"]


def yaw_of(quat: Float[np.ndarray, "n 4"]) -> Float[np.ndarray, " n"]:
    """Heading about the world's z, rad, of orientations wxyz."""
    w, x, y, z = quat.T
    return np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))


def seen_from_heading(
    qpos: Float[np.ndarray, "n nq"], qvel: Float[np.ndarray, "n nv"]
) -> HeadingView:
    """What `qpos` and `qvel` (MuJoCo's) say of the base."""
    yaw = yaw_of(qpos[:, 3:7])
    unturn = Rotation.from_euler("z", -yaw[:, None])
    tilt = unturn * Rotation.from_quat(qpos[:, 3:7], scalar_first=True)
    return HeadingView(
        yaw, tilt.as_matrix()[:, :, 2], tilt.apply(qvel[:, 3:6]), unturn.apply(qvel[:, :3])
    )


def feet_from_heading(
    yaw: Float[np.ndarray, " n"],
    base_pos_w: Float[np.ndarray, "n 3"],
    foot_pos_w: Float[np.ndarray, "n foot 3"],
) -> Float[np.ndarray, "n foot 2"]:
    """Where the feet are from the base, forward and to the left, m."""
    x, y = np.moveaxis(foot_pos_w[..., :2] - base_pos_w[:, None, :2], -1, 0)
    cos, sin = np.cos(yaw)[:, None], np.sin(yaw)[:, None]
    return np.stack([cos * x + sin * y, -sin * x + cos * y], axis=-1)
