"""A robot's visible shapes as triangles, and where its bodies are in a pose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
from jaxtyping import Float, Int

from wildrobot_gym.extras import require
from wildrobot_gym.robot import RobotModel

SHOWN_GROUPS = (0, 1, 2)  # MuJoCo's own choice; 3 and above are for collisions
_GEOM = mujoco.mjtGeom


@dataclass(frozen=True)
class Shape:
    """What one body shows in one color.

    Attributes:
        body: The body's id in the model.
        color: Red, green, blue and opacity, 0 to 1.
        vertices: Corners in the body's frame, m.
        faces: Indices of each triangle's corners, counterclockwise from outside.
    """

    body: int
    color: tuple[float, float, float, float]
    vertices: Float[np.ndarray, "vertex 3"]
    faces: Int[np.ndarray, "face 3"]


def shapes_of(model: mujoco.MjModel) -> list[Shape]:
    """The visible shapes of a model, one for each body and color. Planes are left out.

    Raises:
        MissingPackageError: The extra `viz` is not installed.
    """
    parts: dict[tuple[int, tuple[float, ...]], list[tuple[np.ndarray, np.ndarray]]] = {}
    for geom in range(model.ngeom):
        material = model.geom_matid[geom]
        rgba = model.geom_rgba[geom] if material < 0 else model.mat_rgba[material]
        mesh = _mesh(model, geom)
        if mesh is None or rgba[3] == 0 or model.geom_group[geom] not in SHOWN_GROUPS:
            continue
        turn = np.zeros(9)
        mujoco.mju_quat2Mat(turn, model.geom_quat[geom])
        vertices = np.asarray(mesh[0]) @ turn.reshape(3, 3).T + model.geom_pos[geom]
        key = int(model.geom_bodyid[geom]), tuple(map(float, rgba))
        parts.setdefault(key, []).append((vertices, np.asarray(mesh[1])))
    return [_joined(body, color, meshes) for (body, color), meshes in parts.items()]


def _joined(body: int, color: Any, meshes: list[tuple[np.ndarray, np.ndarray]]) -> Shape:
    starts = np.cumsum([0, *(len(vertices) for vertices, _ in meshes[:-1])])
    vertices = np.concatenate([vertices for vertices, _ in meshes]).astype(np.float32)
    faces = [faces + start for (_, faces), start in zip(meshes, starts, strict=True)]
    return Shape(body, color, vertices, np.concatenate(faces).astype(np.int32))


def _mesh(model: mujoco.MjModel, geom: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Vertices and faces of a geom in its own frame; None for what has no surface here."""
    kind, size = model.geom_type[geom], model.geom_size[geom]
    if kind == _GEOM.mjGEOM_MESH:
        mesh = model.geom_dataid[geom]
        v, f = model.mesh_vertadr[mesh], model.mesh_faceadr[mesh]
        vertices = model.mesh_vert[v : v + model.mesh_vertnum[mesh]]
        return vertices, model.mesh_face[f : f + model.mesh_facenum[mesh]]
    creation = require("trimesh", "viz").creation
    if kind == _GEOM.mjGEOM_BOX:
        made = creation.box(2 * size)
    elif kind == _GEOM.mjGEOM_SPHERE:
        made = creation.icosphere(subdivisions=2, radius=size[0])
    elif kind == _GEOM.mjGEOM_ELLIPSOID:
        made = creation.icosphere(subdivisions=2)
        made.apply_scale(size)
    elif kind == _GEOM.mjGEOM_CYLINDER:
        made = creation.cylinder(radius=size[0], height=2 * size[1], sections=24)
    elif kind == _GEOM.mjGEOM_CAPSULE:
        made = creation.capsule(height=2 * size[1], radius=size[0], count=(16, 16))
        made.vertices -= made.bounds.mean(axis=0)  # its own origin is at one end in some versions
    else:
        return None
    return made.vertices, made.faces


class Poser:
    """Finds the bodies of a robot in a pose.

    Args:
        robot: The robot.
    """

    def __init__(self, robot: RobotModel) -> None:
        self._model, self._data = robot.model, mujoco.MjData(robot.model)

    def bodies(self, qpos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positions (body, 3), m, and orientations (body, 4), wxyz, in the world.

        Args:
            qpos: (nq,) pose.
        """
        self._data.qpos[:] = qpos
        mujoco.mj_kinematics(self._model, self._data)
        return self._data.xpos.copy(), self._data.xquat.copy()
