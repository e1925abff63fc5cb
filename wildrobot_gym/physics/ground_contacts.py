"""Contacts with the ground: the floor of the robot's own model, a tilted one, or moving planes.

MuJoCo's height fields are no ground for a foot. Each triangle of the field is the top of a prism,
and a sole that is a millimeter deep near a triangle's border is pushed out sideways. MJX lets it
sink in there. On a grid of 5 cm, physics takes 2.4 times as long as on a floor.

So each part that can touch the floor has a plane of its own, which lies in the ground's triangle
under that part. The engines move the planes along. A contact is as with a floor, and as cheap.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import mujoco
import numpy as np
from jaxtyping import Float

from wildrobot_gym.errors import PhysicsError
from wildrobot_gym.physics.corner_contacts import corner_spec
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import AnyArray
from wildrobot_gym.terrain import Ground

STEPS_PER_MOVE = 2
"""Physics steps between two moves of the planes: a fast foot covers 5 mm in that time."""


@dataclass(frozen=True)
class World:
    """A robot's model with what it touches the ground with.

    Attributes:
        model: The compiled model. Bodies, joints, sites and sensors of the robot are as in its own.
        geoms: (plane,) the geom that each moving plane is under; empty without moving planes.
        ground: The ground that the planes follow.
    """

    model: mujoco.MjModel
    geoms: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    ground: Ground | None = None

    @property
    def moves(self) -> bool:
        """Whether there are planes to move."""
        return len(self.geoms) > 0

    def planes(
        self, geom_xpos: Float[AnyArray, "*b geom 3"]
    ) -> tuple[Float[AnyArray, "*b plane 3"], Float[AnyArray, "*b plane 4"]]:
        """Where the planes belong.

        Args:
            geom_xpos: Positions of all geoms, m.

        Returns:
            `mocap_pos`, m, and `mocap_quat`, wxyz, which MuJoCo normalizes.
        """
        xp: Any = geom_xpos.__array_namespace__()
        assert self.ground is not None
        xy = geom_xpos[..., self.geoms, :2]
        height, dx, dy = self.ground.facet(xy)
        # The shortest turn from z to the normal (-dx, -dy, 1).
        w = 1 + xp.sqrt(1 + dx * dx + dy * dy)
        quat = xp.stack([w, dy, -dx, xp.zeros_like(w)], axis=-1)
        return xp.concatenate([xy, height[..., None]], axis=-1), quat


def make_world(robot: RobotModel, points: bool) -> World:
    """The model that an engine simulates for a robot on its ground.

    Args:
        robot: The robot, with its ground.
        points: Whether box pads become contact points also where the ground is a plane.

    Raises:
        PhysicsError: the ground is not level, and the robot's model has no floor that is a plane,
            or more to stand on than that.
    """
    ground = robot.ground
    if ground is None:
        return World(corner_spec(robot).compile() if points else robot.simulated.model)
    spec = corner_spec(robot) if points or not ground.is_plane else robot.spec()
    floor = find_floor(robot, spec)
    if ground.is_plane:
        tilt_floor(floor, ground)
        return World(spec.compile())
    return _with_moving_planes(spec, floor, ground)


def find_floor(robot: RobotModel, spec: mujoco.MjSpec) -> mujoco.MjsGeom:
    """The level plane that a robot's model has as its floor.

    Raises:
        PhysicsError: there is none, or something else to stand on.
    """
    solid = [geom for geom in spec.worldbody.geoms if geom.contype or geom.conaffinity]
    if len(solid) == 1 and solid[0].type == mujoco.mjtGeom.mjGEOM_PLANE:
        return solid[0]
    found = ", ".join(f"{g.name or 'unnamed'} ({_shape(g)})" for g in solid) or "none"
    raise PhysicsError(
        f"terrain takes the place of a floor, but {robot.xml_path} has these geoms to stand on:"
        f" {found}. Allowed: one plane in the world body. For the model as it is, set terrain.kind"
        " to 'flat'."
    )


def tilt_floor(floor: mujoco.MjsGeom, ground: Ground) -> None:
    """Turn a level floor so that it rises along x."""
    floor.quat = [np.cos(ground.tilt / 2), 0.0, -np.sin(ground.tilt / 2), 0.0]


def _with_moving_planes(spec: mujoco.MjSpec, floor: mujoco.MjsGeom, ground: Ground) -> World:
    touching = [
        geom
        for geom in spec.geoms
        if geom.parent.name != "world"
        and (geom.contype & floor.conaffinity or geom.conaffinity & floor.contype)
    ]
    contact = {
        name: getattr(floor, name)
        for name in ("condim", "priority", "friction", "solmix", "solref", "solimp", "margin")
    }
    for number, geom in enumerate(touching):
        geom.name = geom.name or f"contact_{number}"
        body = spec.worldbody.add_body(name=f"ground_{number}", mocap=True)
        plane = body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_PLANE,
            name=f"ground_{number}",
            size=[0.0, 0.0, 1.0],
            contype=0,
            conaffinity=0,
            rgba=[0.0, 0.0, 0.0, 0.0],
            **contact,
        )
        # The contact's parameters follow from both geoms, as with the floor.
        spec.add_pair(name=f"ground_{number}", geomname1=plane.name, geomname2=geom.name)
    names = [geom.name for geom in touching]
    spec.delete(floor)
    model = spec.compile()
    return World(model, np.array([model.geom(name).id for name in names]), ground)


def _shape(geom: mujoco.MjsGeom) -> str:
    return mujoco.mjtGeom(geom.type).name.removeprefix("mjGEOM_").lower()
