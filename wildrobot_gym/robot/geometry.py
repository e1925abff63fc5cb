"""The shape of a contact pad: the points and the radius whose hull it is."""

from __future__ import annotations

import itertools

import mujoco
import numpy as np
from jaxtyping import Float

_GEOM = mujoco.mjtGeom
_CORNERS = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))
_RING = 16  # points of a circle: its polygon lies at most 2 % of the radius inside of it
_DIRECTIONS = 128  # in which the outermost points of a mesh are kept


def hull(model: mujoco.MjModel, geom: int) -> tuple[Float[np.ndarray, "point 3"], float]:
    """Points in the frame of a geom, and a radius: the geom is the hull of balls around the points.

    Exact for spheres, capsules and boxes; close for other shapes.
    """
    kind, size = model.geom_type[geom], model.geom_size[geom]
    if kind == _GEOM.mjGEOM_SPHERE:
        return np.zeros((1, 3)), float(size[0])
    if kind == _GEOM.mjGEOM_CAPSULE:
        return np.array([[0.0, 0.0, -size[1]], [0.0, 0.0, size[1]]]), float(size[0])
    if kind == _GEOM.mjGEOM_BOX:
        return _CORNERS * size, 0.0
    if kind == _GEOM.mjGEOM_CYLINDER:
        angle = 2 * np.pi * np.arange(_RING) / _RING
        ring = size[0] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        ends = [np.column_stack([ring, np.full(_RING, z)]) for z in (-size[1], size[1])]
        return np.concatenate(ends), 0.0
    if kind == _GEOM.mjGEOM_ELLIPSOID:
        return sphere_directions(_DIRECTIONS) * size, 0.0
    if kind == _GEOM.mjGEOM_MESH:
        mesh = model.geom_dataid[geom]
        first, count = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
        vertices = np.asarray(model.mesh_vert[first : first + count], float)
        outermost = (sphere_directions(_DIRECTIONS) @ vertices.T).argmax(axis=1)
        return vertices[np.unique(outermost)], 0.0
    return _CORNERS * model.geom_aabb[geom, 3:] + model.geom_aabb[geom, :3], 0.0


def sphere_directions(count: int) -> Float[np.ndarray, "count 3"]:
    """Unit vectors that are spread evenly, on a Fibonacci spiral."""
    i = np.arange(count) + 0.5
    z, angle = 1.0 - 2.0 * i / count, np.pi * (1.0 + np.sqrt(5.0)) * i
    flat = np.sqrt(1.0 - z**2)
    return np.column_stack([flat * np.cos(angle), flat * np.sin(angle), z])


def world_hull(
    model: mujoco.MjModel, data: mujoco.MjData, geom: int
) -> tuple[Float[np.ndarray, "point 3"], float]:
    """As `hull`, with the points in the world."""
    points, radius = hull(model, geom)
    return data.geom_xpos[geom] + points @ data.geom_xmat[geom].reshape(3, 3).T, radius


def lowest_point(model: mujoco.MjModel, data: mujoco.MjData, geoms: list[int]) -> float:
    """Height of the lowest point of some geoms, m."""
    hulls = [world_hull(model, data, geom) for geom in geoms]
    return min(float(points[:, 2].min()) - radius for points, radius in hulls)
