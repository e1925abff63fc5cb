"""The model that pictures are drawn from: the robot's own, with the ground that it stands on."""

from __future__ import annotations

import itertools

import mujoco
import numpy as np

from wildrobot_gym.physics.ground_contacts import find_floor, tilt_floor
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.terrain import Ground

FINEST = 200  # squares of a drawn field along each side: without a GPU, more are slow
PIXELS = 1024  # of the picture on a field, along each side
SQUARE = 0.25  # m
TINT = np.array([0.93, 0.96, 1.0])
SIDES = np.array(list(itertools.product((-0.5, 0.5), repeat=2)))
BELOW = 0.002  # m from the lowest ground to the floor that is drawn past the fields' edge


class Scene:
    """A robot on its ground.

    Args:
        robot: The robot.

    Raises:
        PhysicsError: the robot's model has no floor that the ground could replace.

    Attributes:
        model: The model to draw.
    """

    def __init__(self, robot: RobotModel) -> None:
        self.model = robot.model
        self._ground, self._fields = robot.ground, np.zeros(0, int)
        if robot.ground is None:
            return
        spec = robot.spec("weld")
        floor = find_floor(robot, spec)
        if robot.ground.is_plane:
            tilt_floor(floor, robot.ground)
        else:
            _add_fields(spec, floor, robot.ground)
        self.model = spec.compile()
        if not robot.ground.is_plane:
            _paint(self.model, robot.ground)
        is_field = self.model.geom_type == mujoco.mjtGeom.mjGEOM_HFIELD
        self._fields = np.flatnonzero(is_field & (self.model.geom_bodyid == 0))

    def follow(self, xy: np.ndarray) -> None:
        """Lay the drawn ground around a place; the ground itself is endless.

        Args:
            xy: (2,) m.
        """
        if not len(self._fields):
            return
        assert self._ground is not None
        size = self._ground.size
        self.model.geom_pos[self._fields, :2] = size * (np.round(xy / size) + SIDES)


def _add_fields(spec: mujoco.MjSpec, floor: mujoco.MjsGeom, ground: Ground) -> None:
    """Four height fields that touch, each one repetition of the ground."""
    stride = -(-len(ground.heights) // FINEST)
    count = len(ground.heights) // stride
    points = np.linspace(0, ground.size, count + 1)
    places = np.stack(np.meshgrid(points, points), axis=-1)  # rows are along y
    places[places == ground.size] = 0.0  # where rounding could choose either side
    heights = ground.height(places)
    low, high = float(heights.min()), float(heights.max())
    half = ground.size / 2
    spec.add_hfield(
        name="terrain",
        nrow=count + 1,
        ncol=count + 1,
        size=[half, half, high - low, 0.01],
        userdata=((heights - low) / (high - low)).ravel(),
    )
    _add_material(spec)
    for number, (x, y) in enumerate(half * 2 * SIDES):
        spec.worldbody.add_geom(
            type=mujoco.mjtGeom.mjGEOM_HFIELD,
            name=f"terrain_{number}",
            hfieldname="terrain",
            pos=[x, y, low],  # MuJoCo would ignore a later move of a geom at 0
            contype=0,
            conaffinity=0,
            material="terrain",
        )
    floor.pos = [*floor.pos[:2], low - BELOW]


def _add_material(spec: mujoco.MjSpec) -> None:
    """A material with a picture that `_paint` fills."""
    spec.add_texture(
        name="terrain",
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_FLAT,
        width=PIXELS,
        height=PIXELS,
        nchannel=3,
    )
    material = spec.add_material(name="terrain")
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "terrain"


def _paint(model: mujoco.MjModel, ground: Ground) -> None:
    """Squares that are brighter the higher the ground is: bumps of a centimeter cast no shadow."""
    centers = (np.arange(PIXELS) + 0.5) * ground.size / PIXELS
    places = np.stack(np.meshgrid(centers, centers), axis=-1)
    level = ground.height(places)
    level = (level - level.min()) / np.ptp(level)
    odd = (places // SQUARE).sum(axis=-1) % 2
    color = 255 * ((0.5 + 0.35 * level) * (1 - 0.08 * odd))[..., None] * TINT
    first = int(model.texture("terrain").adr[0])
    model.tex_data[first : first + color.size] = color.astype(np.uint8).ravel()
