"""Feet and their contact pads: from names in `robot.yaml` to geoms, sites and sensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from wildrobot_gym.errors import RobotError, unknown_name
from wildrobot_gym.robot.file import FootSettings, RobotFile
from wildrobot_gym.robot.geometry import world_hull

MOST_PADS = 8
_MARGIN = 4e-3  # m; a touch site reaches beyond its pad, unless another pad is near
_DEPTH = 0.01  # m, under the sole and over the pad
_OBJECT, _SENSOR = mujoco.mjtObj, mujoco.mjtSensor


@dataclass(frozen=True)
class Foot:
    """One foot of the compiled model.

    Attributes:
        name: Its name.
        body: Its body.
        geoms: Its pads.
        pads: The name of each pad.
    """

    name: str
    body: int
    geoms: tuple[int, ...]
    pads: tuple[str, ...]


def find_feet(model: mujoco.MjModel, file: RobotFile) -> list[Foot]:
    """The feet that the file names.

    Raises:
        RobotError: a foot is no body, has no geom or too many, or a name is used twice.
    """
    if not file.feet:
        raise RobotError(
            f"{file.path}: feet is missing. Name the bodies that stand on the floor, such as"
            " `feet: {left_foot: {body: left_ankle}, right_foot: {body: right_ankle}}`; the model"
            f" has the bodies {', '.join(_bodies(model))}."
        )
    feet = [_find(model, file, name, foot) for name, foot in file.feet.items()]
    names = [foot.name for foot in feet] + [pad for foot in feet for pad in foot.pads]
    geoms = [geom for foot in feet for geom in foot.geoms]
    if twice := sorted({model.geom(g).name or str(g) for g in geoms if geoms.count(g) > 1}):
        raise RobotError(f"{file.path}: geom {', '.join(twice)} is a pad twice; allowed: once.")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise RobotError(f"{file.path}: feet and pads have {', '.join(twice)} twice.")
    return feet


def _bodies(model: mujoco.MjModel) -> list[str]:
    return [model.body(i).name for i in range(1, model.nbody) if model.body(i).name]


def _find(model: mujoco.MjModel, file: RobotFile, name: str, foot: FootSettings) -> Foot:
    where = f"{file.path}: feet.{name}"
    wanted = foot.body or name
    geoms = {model.geom(i).name: i for i in range(model.ngeom) if model.geom(i).name}
    if wanted in _bodies(model):
        body = model.body(wanted).id
        chosen = [_pad(model, where, body, pad) for pad in foot.pads] or _touching(model, body)
    elif wanted in geoms and not foot.pads:  # a foot that is a geom
        body, chosen = int(model.geom_bodyid[geoms[wanted]]), [geoms[wanted]]
    else:
        raise RobotError(f"{where}: {unknown_name('body', wanted, _bodies(model))}")
    if not 1 <= len(chosen) <= MOST_PADS:
        raise RobotError(
            f"{where}: body {wanted!r} has {len(chosen)} geoms that can be pads; allowed: 1 to"
            f" {MOST_PADS}. Name them: `{name}: {{body: {wanted}, pads: [geom, ...]}}`."
        )
    pads = []
    for i, geom in enumerate(chosen):
        own = model.geom(geom).name
        if not own or own == name:
            own = f"{name}_pad" if len(chosen) == 1 else f"{name}_pad{i}"
        pads.append(own)
    return Foot(name, body, tuple(chosen), tuple(pads))


def _pad(model: mujoco.MjModel, where: str, body: int, pad: str | int) -> int:
    first, count = int(model.body_geomadr[body]), int(model.body_geomnum[body])
    names = [model.geom(first + k).name for k in range(count)]
    if isinstance(pad, int):
        if not 0 <= pad < count:
            raise RobotError(
                f"{where}.pads: {model.body(body).name!r} has {count} geoms, and {pad} is none of"
                f" them; allowed: 0 to {count - 1}."
            )
        return first + pad
    if pad not in names:
        named = [name for name in names if name]
        raise RobotError(
            f"{where}.pads: {unknown_name(f'geom of body {model.body(body).name}', pad, named)}"
            f" Geoms without a name go by number, 0 to {count - 1}."
        )
    return first + names.index(pad)


def _touching(model: mujoco.MjModel, body: int) -> list[int]:
    """Geoms of a body that can collide; all where none can."""
    first, count = int(model.body_geomadr[body]), int(model.body_geomnum[body])
    geoms = list(range(first, first + count))
    collide = [g for g in geoms if model.geom_contype[g] or model.geom_conaffinity[g]]
    return collide or geoms


def add_pads(
    spec: mujoco.MjSpec, model: mujoco.MjModel, data: mujoco.MjData, feet: Sequence[Foot]
) -> None:
    """Name the pads, and give each pad and foot the site and the sensors that it lacks.

    The frame of a foot is that of the world in the home pose: x ahead, y left, z up. Its origin is
    at the sole under the leg's last joint.

    Args:
        spec: The model to change.
        model: The same, compiled.
        data: Its home pose.
        feet: The feet.
    """
    sites = {site.name for site in spec.sites}
    geoms = {geom.id: geom for geom in spec.geoms}
    bodies = {body.id: body for body in spec.bodies}
    for foot in feet:
        boxes = [_box(model, data, geom) for geom in foot.geoms]
        for i, (geom, pad) in enumerate(zip(foot.geoms, foot.pads, strict=True)):
            geoms[geom].name = pad
            if pad in sites:
                continue
            low, high = boxes[i]
            sole = np.array([*(0.5 * (low + high))[:2], low[2]])
            margin = _margin(boxes, i)
            half = np.array([*(0.5 * (high - low)[:2] + margin), high[2] - low[2] + _DEPTH])
            _add_site(bodies[foot.body], data, foot.body, pad, sole, half)
        if foot.name not in sites:
            joint = _last_joint(model, foot.body)
            above = data.xanchor[joint] if joint else data.xpos[foot.body]
            sole = np.array([*above[:2], min(low[2] for low, _ in boxes)])
            _add_site(bodies[foot.body], data, foot.body, foot.name, sole, np.full(3, 4e-3))
    _add_sensors(spec, [pad for foot in feet for pad in foot.pads], [foot.name for foot in feet])


def _box(model: mujoco.MjModel, data: mujoco.MjData, geom: int) -> tuple[np.ndarray, np.ndarray]:
    points, radius = world_hull(model, data, geom)
    return points.min(axis=0) - radius, points.max(axis=0) + radius


def _margin(boxes: list[tuple[np.ndarray, np.ndarray]], i: int) -> float:
    """How far a touch site reaches beyond its pad: not into another pad of the foot."""
    margin = _MARGIN
    for k, (low, high) in enumerate(boxes):
        if k != i:
            gap = np.maximum(low - boxes[i][1], boxes[i][0] - high)[:2].max()
            margin = min(margin, max(0.5 * float(gap), 0.0))
    return margin


def _last_joint(model: mujoco.MjModel, body: int) -> int:
    while body and model.body_jntnum[body] == 0:
        body = int(model.body_parentid[body])
    return int(model.body_jntadr[body] + model.body_jntnum[body] - 1) if body else 0


def _add_site(
    body: mujoco.MjsBody,
    data: mujoco.MjData,
    number: int,
    name: str,
    position: np.ndarray,
    half: np.ndarray,
) -> None:
    """A box that is aligned with the world in the home pose."""
    turn = data.xmat[number].reshape(3, 3)
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, turn.T.copy().ravel())
    body.add_site(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_BOX,
        pos=turn.T @ (position - data.xpos[number]),
        quat=quat,
        size=half,
        group=4,
    )


def _add_sensors(spec: mujoco.MjSpec, pads: list[str], feet: list[str]) -> None:
    known = {sensor.name for sensor in spec.sensors}
    kinds = (
        (pads, "force", _SENSOR.mjSENS_TOUCH),
        (pads, "pos", _SENSOR.mjSENS_FRAMEPOS),
        (pads, "vel", _SENSOR.mjSENS_FRAMELINVEL),
        (feet, "pos", _SENSOR.mjSENS_FRAMEPOS),
        (feet, "quat", _SENSOR.mjSENS_FRAMEQUAT),
    )
    for names, suffix, kind in kinds:
        for name in names:
            if f"{name}_{suffix}" not in known:
                spec.add_sensor(
                    name=f"{name}_{suffix}",
                    type=kind,
                    objtype=_OBJECT.mjOBJ_SITE,
                    objname=name,
                )
