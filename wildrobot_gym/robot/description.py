"""The robot's description: names, order, limits, pads and mirror pairs as plain types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import mujoco
import numpy as np

from wildrobot_gym.robot.geometry import hull
from wildrobot_gym.robot.home import HOME, leg_joints
from wildrobot_gym.robot.mirror import check_home, mirror_joint, mirror_site
from wildrobot_gym.robot.structure import body_of

_BOX_POINTS = 1e-6  # m; a sole whose corners are this near a level rectangle is one


def describe(
    model: mujoco.MjModel,
    model_file: str,
    pads_of_foot: Mapping[str, Sequence[str]],
    symmetry: float | None,
) -> dict[str, Any]:
    """Describe a compiled model as plain types (m, kg, rad, N*m).

    Args:
        model: The compiled model.
        model_file: Name of its file.
        pads_of_foot: Names of each foot's pads.
        symmetry: m that left and right may differ; None: the robot is not symmetric.

    Raises:
        RobotError: a joint or pad has no mirror image.
    """
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    joints = [model.joint(i).name for i in range(1, model.njnt)]
    pads = [pad for pads in pads_of_foot.values() for pad in pads]
    foot_of_pad = {pad: foot for foot, pads in pads_of_foot.items() for pad in pads}
    feet = list(pads_of_foot)
    home = model.keyframe(HOME)

    def mirrored_joint(name: str) -> dict[str, Any] | None:
        if symmetry is None:
            return None
        found = mirror_joint(model, data, name, joints, symmetry)
        check_home(home.qpos[7:], joints, name, found, symmetry)
        return found

    def mirrored(site: str, sites: list[str]) -> str | None:
        return None if symmetry is None else mirror_site(data, site, sites, symmetry)

    return {
        "name": model.names[: model.names.find(b"\0")].decode(),
        "model": model_file,
        "mass": round(float(model.body_mass.sum()), 4),
        "leg_length": round(_leg_length(model, data, feet), 4),
        "home_height": round(float(home.qpos[2]), 4),
        "dimensions": {
            "num_joints": len(joints),
            "action": len(joints),
            "observation": 3 * len(joints) + 12,
            "amp_features": 2 * len(joints) + 7 + len(pads),
        },
        "joints": [
            {
                "name": name,
                "qpos_id": int(model.joint(name).qposadr[0]),
                "qvel_id": int(model.joint(name).dofadr[0]),
                "actuator_id": i,
                "range": [round(float(v), 4) for v in model.joint(name).range],
                "home": round(float(home.qpos[7 + i]), 4),
                "force_limit": round(float(model.actuator_forcerange[i, 1]), 4),
                "mirror": mirrored_joint(name),
            }
            for i, name in enumerate(joints)
        ],
        "pads": [
            {
                "name": pad,
                "foot": foot_of_pad[pad],
                **_shape(model, data, pad, foot_of_pad[pad]),
                "mirror": mirrored(pad, pads),
            }
            for pad in pads
        ],
        "feet": [
            {
                "name": foot,
                "leg": [model.joint(j).name for j in leg_joints(model, body_of(model, foot))],
                "mirror": mirrored(foot, feet),
            }
            for foot in feet
        ],
    }


def _shape(model: mujoco.MjModel, data: mujoco.MjData, pad: str, foot: str) -> dict[str, Any]:
    """Half length and half width of a pad, and its points where it is no level box.

    In the frame of the foot, from the pad's site, m.
    """
    points, radius = hull(model, model.geom(pad).id)
    geom, turn = data.geom(pad), data.site(foot).xmat.reshape(3, 3)
    world = geom.xpos + points @ geom.xmat.reshape(3, 3).T
    local = (world - data.site(pad).xpos) @ turn
    half = 0.5 * np.ptp(local[:, :2], axis=0) + radius
    shape: dict[str, Any] = {"half_size": [round(float(v), 4) for v in half]}
    rectangle = half * np.sign(local[:, :2])
    level = model.geom(pad).type == mujoco.mjtGeom.mjGEOM_BOX and np.allclose(
        local[:, :2], rectangle, atol=_BOX_POINTS
    )
    if not level:
        shape["radius"] = round(radius, 5)
        shape["points"] = [[round(float(v), 5) + 0.0 for v in point] for point in local]
    return shape


def _leg_length(model: mujoco.MjModel, data: mujoco.MjData, feet: list[str]) -> float:
    """From the hip of the first foot's leg to its sole on a straight leg, m.

    Straight is the sum of thigh, shin and foot: the distances between the joints that turn about y,
    in the side view, and the last one's height over the sole.
    """
    chains = [leg_joints(model, body_of(model, foot)) for foot in feet]
    leg = [j for j in chains[0] if len(feet) < 2 or not all(j in chain for chain in chains)]
    pitch = [j for j in leg if abs(data.xaxis[j, 1]) > 0.9]
    chain = pitch if len(pitch) > 1 else leg
    anchors = data.xanchor[chain]
    parts = np.linalg.norm(np.diff(anchors[:, [0, 2]], axis=0), axis=1)
    return float(parts.sum() + anchors[-1, 2] - data.site(feet[0]).xpos[2])
