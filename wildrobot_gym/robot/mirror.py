"""Mirror images about the x-z plane: the partner of each joint, pad and foot."""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np

from wildrobot_gym.errors import RobotError

# rad, and rad more for each m that the robot itself may differ: a solved home is nearly symmetric.
_HOME_TOLERANCE, _TURN = 0.01, 3.0
_FLIP = np.array([1, -1, 1])


def mirror_joint(
    model: mujoco.MjModel, data: mujoco.MjData, name: str, joints: list[str], tolerance: float
) -> dict[str, Any]:
    """Partner of joint `name` under the reflection y -> -y, and the sign of its angle.

    An anchor is a point: (x, y, z) -> (x, -y, z). An axis is a pseudovector: (ax, ay, az) -> (-ax,
    ay, -az).

    Raises:
        RobotError: the joint has no partner.
    """
    anchors = {j: data.xanchor[model.joint(j).id] - _center(data) for j in joints}
    axes = {j: data.xaxis[model.joint(j).id] for j in joints}
    anchor = anchors[name] * _FLIP
    axis = axes[name] * [-1, 1, -1]
    partner = min(
        joints, key=lambda j: np.linalg.norm(anchors[j] - anchor) + 0.1 * (1 - abs(axes[j] @ axis))
    )
    apart = float(np.linalg.norm(anchors[partner] - anchor))
    if apart > tolerance or abs(axes[partner] @ axis) < 0.99:
        raise _asymmetric(f"Joint {name!r}", partner, apart, tolerance)
    return {"joint": partner, "sign": int(np.sign(axes[partner] @ axis))}


def check_home(
    home: np.ndarray, joints: list[str], name: str, mirror: dict[str, Any], tolerance: float
) -> None:
    """Raise RobotError where a joint's home angle is not the image of its partner's."""
    angle, image = (float(home[joints.index(joint)]) for joint in (name, mirror["joint"]))
    if abs(angle - mirror["sign"] * image) > _HOME_TOLERANCE + _TURN * tolerance:
        raise RobotError(
            f"The home pose is not symmetric: {name} is at {angle:.4f} rad and its image"
            f" {mirror['joint']} at {image:.4f}; allowed: {mirror['sign'] * image:.4f}. Change"
            " `home` in robot.yaml, or write `symmetry: none`."
        )


def mirror_site(data: mujoco.MjData, site: str, sites: list[str], tolerance: float) -> str:
    """Partner of `site` among `sites` under the reflection y -> -y.

    Raises:
        RobotError: the site has no partner.
    """

    def distance(other: str) -> float:
        center = _center(data)
        own, image = data.site(site).xpos - center, data.site(other).xpos - center
        return float(np.linalg.norm(image - own * _FLIP))

    partner = min(sites, key=distance)
    if distance(partner) > tolerance:
        raise _asymmetric(repr(site), partner, distance(partner), tolerance)
    return partner


def _center(data: mujoco.MjData) -> np.ndarray:
    """A point of the mirror plane: under the base."""
    return np.array([0.0, data.qpos[1], 0.0])


def _asymmetric(what: str, nearest: str, apart: float, tolerance: float) -> RobotError:
    return RobotError(
        f"{what} has no mirror image: the robot is not symmetric about its x-z plane (x ahead)."
        f" {nearest!r} is nearest to it, {1e3 * apart:.1f} mm from it; allowed:"
        f" {1e3 * tolerance:.1f} mm. Allow more with `symmetry: <m>` in robot.yaml, or write"
        " `symmetry: none` for a robot that is not symmetric."
    )
