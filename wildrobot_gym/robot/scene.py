"""What stands around a robot: the floor, cameras and light; and what collides."""

from __future__ import annotations

from collections.abc import Iterable

import mujoco
import numpy as np

FLOOR = "floor"  # name of the floor's geom
_FRAME = (1280, 960)  # pixels; the largest picture
# Position, and the picture's x and y axes, of a robot whose base is 0.46 m up.
_CAMERAS = {
    "track": ((0.85, -1.1, 0.18), (0.79, 0.61, 0.0, -0.09, 0.115, 0.99)),
    "side": ((0.0, -1.4, -0.02), (1.0, 0.0, 0.0, 0.0, 0.0, 1.0)),
    "front": ((1.4, 0.0, -0.02), (0.0, 1.0, 0.0, 0.0, 0.0, 1.0)),
}
_CAMERA_HEIGHT = 0.46


def add_scene(spec: mujoco.MjSpec, base: mujoco.MjsBody, height: float) -> None:
    """Add the floor with light and sky, and the cameras, that the model lacks.

    Args:
        spec: The model to change.
        base: The body that cameras follow.
        height: Of the base, m; cameras are as much further away as the robot is larger.
    """
    plane = mujoco.mjtGeom.mjGEOM_PLANE
    floors = [geom for geom in spec.worldbody.geoms if geom.type == plane]
    if not any(geom.name == FLOOR for geom in floors):
        if floors:
            floors[0].name = FLOOR
        else:
            _add_floor(spec)
            _add_light_and_sky(spec)
    known = {camera.name for camera in spec.cameras}
    for name, (position, axes) in _CAMERAS.items():
        if name not in known:
            base.add_camera(
                name=name,
                mode=mujoco.mjtCamLight.mjCAMLIGHT_TRACKCOM,
                pos=np.array(position) * height / _CAMERA_HEIGHT,
                quat=_quat(axes),
                fovy=42.0,
            )
    view = spec.visual.global_
    view.offwidth, view.offheight = (
        max(view.offwidth, _FRAME[0]),
        max(view.offheight, _FRAME[1]),
    )


def _add_floor(spec: mujoco.MjSpec) -> None:
    texture = spec.add_texture(
        name="floor",
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
        rgb1=[0.80, 0.83, 0.86],
        rgb2=[0.88, 0.90, 0.92],
        width=512,
        height=512,
    )
    material = spec.add_material(name="floor", texuniform=True, texrepeat=[4, 4])
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = texture.name
    spec.worldbody.add_geom(
        name=FLOOR,
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=[0.0, 0.0, 0.05],
        material="floor",
        contype=1,
        conaffinity=1,
    )


def _add_light_and_sky(spec: mujoco.MjSpec) -> None:
    if not spec.lights:
        spec.worldbody.add_light(
            name="sun",
            mode=mujoco.mjtCamLight.mjCAMLIGHT_TRACKCOM,
            pos=[-0.8, -0.6, 2.6],
            dir=[0.3, 0.22, -1.0],
            type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
            diffuse=[0.55, 0.55, 0.55],
            castshadow=True,
        )
    spec.add_texture(
        name="sky",
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=[0.72, 0.82, 0.92],
        rgb2=[0.95, 0.97, 1.0],
        width=256,
        height=1536,
    )
    view = spec.visual
    view.headlight.ambient, view.headlight.diffuse = [0.35] * 3, [0.45] * 3
    view.map.znear, view.map.zfar = 0.02, 40.0
    view.map.shadowclip, view.map.shadowscale = 1.2, 0.6
    spec.stat.center, spec.stat.extent = [0.0, 0.0, 0.35], 1.0


def collide_only(spec: mujoco.MjSpec, pads: Iterable[str]) -> None:
    """Let only pads meet the floor, and nothing else meet anything."""
    names = set(pads)
    for geom in spec.geoms:
        if geom.name == FLOOR:
            geom.contype, geom.conaffinity = 1, 0
        else:
            geom.contype, geom.conaffinity = 0, int(geom.name in names)
    for pair in list(spec.pairs):
        spec.delete(pair)


def _quat(axes: tuple[float, ...]) -> np.ndarray:
    """Orientation of a camera from the x and y axes of its picture, as MJCF's `xyaxes`."""
    x = np.array(axes[:3]) / np.linalg.norm(axes[:3])
    y = np.array(axes[3:]) - x * (x @ np.array(axes[3:]))
    y /= np.linalg.norm(y)
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, np.column_stack([x, y, np.cross(x, y)]).ravel())
    return quat
