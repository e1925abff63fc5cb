"""Mirror images about the x-z plane: the partner of each joint, pad and foot."""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np

from wildrobot_gym.errors import RobotError

MIRROR_TOLERANCE = 2e-3  # m; the measured right leg is 0.1 mm off the left one's image


def mirror_joint(
    model: mujoco.MjModel, data: mujoco.MjData, name: str, joints: list[str]
) -> dict[str, Any]:
    """Partner of joint `name` under the reflection y -> -y, and the sign of its angle.

    An anchor is a point: (x, y, z) -> (x, -y, z). An axis is a pseudovector: (ax, ay, az) -> (-ax,
    ay, -az).

    Raises:
        RobotError: the joint has no partner.
    """
    anchors = {j: data.xanchor[model.joint(j).id] for j in joints}
    axes = {j: data.xaxis[model.joint(j).id] for j in joints}
    anchor = anchors[name] * [1, -1, 1]
    axis = axes[name] * [-1, 1, -1]
    partner = min(
        joints, key=lambda j: np.linalg.norm(anchors[j] - anchor) + 0.1 * (1 - abs(axes[j] @ axis))
    )
    if (
        np.linalg.norm(anchors[partner] - anchor) > MIRROR_TOLERANCE
        or abs(axes[partner] @ axis) < 0.99
    ):
        raise RobotError(
            f"Joint {name!r} has no mirror image: the robot is not symmetric about its x-z plane."
        )
    return {"joint": partner, "sign": int(np.sign(axes[partner] @ axis))}


def mirror_site(data: mujoco.MjData, site: str, sites: list[str]) -> str:
    """Partner of `site` among `sites` under the reflection y -> -y.

    Raises:
        RobotError: the site has no partner.
    """

    def distance(other: str) -> float:
        return float(np.linalg.norm(data.site(other).xpos - data.site(site).xpos * [1, -1, 1]))

    partner = min(sites, key=distance)
    if distance(partner) > MIRROR_TOLERANCE:
        raise RobotError(
            f"{site!r} has no mirror image: the robot is not symmetric about its x-z plane."
        )
    return partner
