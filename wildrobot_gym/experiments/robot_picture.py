"""A picture to check a robot by: its pads, joint axes and mirror pairs."""

from __future__ import annotations

import colorsys
from pathlib import Path

import mujoco
import numpy as np

from wildrobot_gym.env.render import NO_GL, offscreen_gl
from wildrobot_gym.errors import PhysicsError
from wildrobot_gym.extras import require
from wildrobot_gym.files import atomic_write
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.robot.geometry import world_hull

_SIZE = 560  # pixels of each view
_VIEWS = ("front", "side")
_FADED = 0.35  # of a surface's opacity, so that what is inside can be seen
_ARROW = 0.24  # of the base's height: twice the length of a joint's axis as it is drawn
_AXES = ((0.9, 0.2, 0.2), (0.2, 0.7, 0.2), (0.2, 0.3, 0.9))  # x, y, z


def draw_robot(robot: RobotModel) -> np.ndarray:
    """Draw a robot at home from the front and from the right.

    A joint's axis is an arrow: a positive angle turns by the right hand around it. A joint and its
    mirror image have one color and number; gray joints are their own image. Pads are red, x, y and
    z of the feet, the base and the IMU red, green and blue.

    Returns:
        (height, width, 3) uint8.

    Raises:
        PhysicsError: there is no OpenGL; the message says what to install.
    """
    model = robot.spec("weld").compile()
    model.geom_rgba[:, 3] *= _FADED
    model.mat_rgba[:, 3] *= _FADED
    data = mujoco.MjData(model)
    data.qpos[:] = robot.home_qpos
    mujoco.mj_forward(model, data)
    try:
        with offscreen_gl(), mujoco.Renderer(model, _SIZE, _SIZE, max_geom=10_000) as renderer:
            pictures = []
            for camera in _VIEWS:
                renderer.update_scene(data, camera=_near(robot, data, camera))
                _mark(robot, model, data, renderer.scene)
                pictures.append(renderer.render().copy())
    except Exception as error:  # PyOpenGL's and MuJoCo's own, of many types
        raise PhysicsError(NO_GL.format(error=error)) from error
    return np.concatenate(pictures, axis=1)


def write_picture(robot: RobotModel, path: Path) -> None:
    """Write the picture as a PNG file.

    Raises:
        MissingPackageError: imageio is missing.
        PhysicsError: there is no OpenGL.
    """
    imageio = require("imageio.v2", "viz")
    picture = draw_robot(robot)
    with atomic_write(path) as stream:
        imageio.imwrite(stream, picture, format="png")


def _near(robot: RobotModel, data: mujoco.MjData, view: str) -> mujoco.MjvCamera:
    """A camera that has the whole robot in its picture."""
    bodies = data.xpos[1:]
    low, high = np.minimum(bodies.min(axis=0), 0.0), bodies.max(axis=0)
    camera = mujoco.MjvCamera()
    camera.type = mujoco.mjtCamera.mjCAMERA_FREE
    camera.lookat = 0.5 * (low + high)
    camera.distance = 1.6 * float(np.linalg.norm(high - low))
    camera.azimuth, camera.elevation = (180.0, -5.0) if view == "front" else (-90.0, -5.0)
    if view == "front":
        camera.azimuth += 20.0  # axes that point ahead can be seen, too
    return camera


def _mark(
    robot: RobotModel, model: mujoco.MjModel, data: mujoco.MjData, scene: mujoco.MjvScene
) -> None:
    length = _ARROW * float(robot.home_qpos[2])
    for joint, color, label in _joint_colors(robot):
        number = 1 + robot.joint_names.index(joint)
        start = data.xanchor[number]
        _arrow(scene, start, start + length * data.xaxis[number], color, 0.08 * length, label)
    for name in (*robot.foot_names, robot.imu_site):
        site = data.site(name)
        _frame(scene, site.xpos, site.xmat.reshape(3, 3), 0.8 * length)
    base = int(model.jnt_bodyid[0])
    _frame(scene, data.xpos[base], data.xmat[base].reshape(3, 3), length)
    for pad in robot.pad_names:
        points, radius = world_hull(model, data, model.geom(pad).id)
        for point in points[points[:, 2] < points[:, 2].min() + 1e-3]:
            size = np.full(3, max(radius, 0.03 * length))
            _add(scene, mujoco.mjtGeom.mjGEOM_SPHERE, size, point, (0.9, 0.1, 0.1), "")


def _joint_colors(robot: RobotModel) -> list[tuple[str, tuple[float, float, float], str]]:
    """Each joint with its color, and with the number of its pair."""
    found, pairs = [], 0
    colors: dict[str, tuple[tuple[float, float, float], str]] = {}
    for i, name in enumerate(robot.joint_names):
        partner = i if robot.mirror is None else int(robot.mirror.joint_ids[i])
        if partner == i:
            colors[name] = (0.45, 0.45, 0.45), name
        elif partner > i:
            pairs += 1
            color = colorsys.hsv_to_rgb((0.38 * pairs) % 1.0, 0.9, 0.8)
            colors[name] = colors[robot.joint_names[partner]] = color, str(pairs)
        found.append((name, *colors[name]))
    return found


def _frame(scene: mujoco.MjvScene, at: np.ndarray, turn: np.ndarray, length: float) -> None:
    for axis, color in enumerate(_AXES):
        _arrow(scene, at, at + length * turn[:, axis], color, 0.05 * length, "")


def _arrow(
    scene: mujoco.MjvScene,
    start: np.ndarray,
    end: np.ndarray,
    color: tuple[float, float, float],
    width: float,
    label: str,
) -> None:
    kind = mujoco.mjtGeom.mjGEOM_ARROW
    if geom := _add(scene, kind, np.zeros(3), np.zeros(3), color, ""):
        mujoco.mjv_connector(geom, kind, width, start, end)
    if label:  # at the tip, since joints of one hip can have one anchor
        tip = 0.5 * (start + end)  # MuJoCo draws an arrow half as long
        _add(scene, mujoco.mjtGeom.mjGEOM_SPHERE, np.full(3, 0.5 * width), tip, color, label)


def _add(
    scene: mujoco.MjvScene,
    kind: mujoco.mjtGeom,
    size: np.ndarray,
    at: np.ndarray,
    color: tuple[float, float, float],
    label: str,
) -> mujoco.MjvGeom | None:
    if scene.ngeom >= scene.maxgeom:
        return None
    geom = scene.geoms[scene.ngeom]
    rgba = np.array([*color, 1.0], np.float32)
    mujoco.mjv_initGeom(geom, kind, size, at, np.eye(3).ravel(), rgba)
    geom.label = label
    scene.ngeom += 1
    return geom
