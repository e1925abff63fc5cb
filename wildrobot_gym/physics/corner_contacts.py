"""The robot's model with contact points in place of pads that are boxes or meshes.

For MJX, and for ground that is not level.

MuJoCo lets every corner of a box that is in the floor bear load. MJX drops those that are a
millimeter or more above the deepest one, so that a tilted sole rocks on one corner. A tiny sphere
in each corner of a sole touches a plane as MuJoCo's corner does. MJX computes it faster, too.
"""

from __future__ import annotations

import itertools

import mujoco
import numpy as np

from wildrobot_gym.robot import RobotModel
from wildrobot_gym.robot.geometry import hull, world_hull

RADIUS = 1e-6  # m; MuJoCo needs more than zero
_MESH_POINTS = 8  # at most, of a sole that is a mesh
_SOLE = 2e-3  # m; points of a mesh this near to its lowest one are its sole
_SIGNS = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))


def corner_model(robot: RobotModel) -> mujoco.MjModel:
    """The robot's model with contact points for each pad that is a box or a mesh.

    The points are the corners that are lowest in the home pose, or the outermost of a mesh's sole.
    Bodies, joints, sites and sensors stay as they are.

    Args:
        robot: The robot.
    """
    return corner_spec(robot).compile()


def corner_spec(robot: RobotModel) -> mujoco.MjSpec:
    """The specification that `corner_model` compiles."""
    spec = robot.spec()
    data = mujoco.MjData(robot.model)
    mujoco.mj_resetDataKeyframe(robot.model, data, robot.model.keyframe("home").id)
    mujoco.mj_kinematics(robot.model, data)
    for name in robot.pad_names:
        pad = spec.geom(name)
        if pad.type == mujoco.mjtGeom.mjGEOM_BOX:
            up = data.geom(name).xmat.reshape(3, 3)[2]  # the world's z in the frame of the pad
            lowest = np.argsort(_SIGNS * pad.size @ up, stable=True)[:4]
            _replace(spec, pad, (_SIGNS[np.sort(lowest)]) * (pad.size - RADIUS), robot.model)
        elif pad.type == mujoco.mjtGeom.mjGEOM_MESH:
            _replace(spec, pad, _sole_points(robot.model, data, name), robot.model)
    return spec


def _sole_points(model: mujoco.MjModel, data: mujoco.MjData, pad: str) -> np.ndarray:
    """The outermost points of a mesh's sole, in the frame of the pad."""
    geom = model.geom(pad).id
    points, _ = hull(model, geom)
    placed, _ = world_hull(model, data, geom)
    sole = placed[:, 2] < placed[:, 2].min() + _SOLE
    angle = 2 * np.pi * (np.arange(_MESH_POINTS) + 0.5) / _MESH_POINTS
    outward = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    outermost = (placed[sole][:, :2] @ outward.T).argmax(axis=0)
    return points[sole][np.unique(outermost)]


def _replace(
    spec: mujoco.MjSpec, pad: mujoco.MjsGeom, corners: np.ndarray, model: mujoco.MjModel
) -> None:
    """Spheres at `corners`, in the frame of the pad, in place of the pad."""
    # From the compiled model: there the pad's pose is the same however the file writes it.
    compiled = model.geom(pad.name)
    rotation = np.zeros(9)
    mujoco.mju_quat2Mat(rotation, compiled.quat)
    contact = {
        name: getattr(pad, name)
        for name in (
            *("contype", "conaffinity", "condim", "priority", "friction", "solmix"),
            *("solref", "solimp", "margin", "gap", "group", "rgba"),
        )
    }
    for position in compiled.pos + corners @ rotation.reshape(3, 3).T:
        pad.parent.add_geom(
            type=mujoco.mjtGeom.mjGEOM_SPHERE,
            size=[RADIUS, 0.0, 0.0],
            pos=position,
            density=0.0,
            mass=0.0,
            **contact,
        )
    if pad.density == 0.0 and not pad.mass > 0.0:
        spec.delete(pad)
    else:  # it is part of its body's mass
        pad.contype = pad.conaffinity = 0
