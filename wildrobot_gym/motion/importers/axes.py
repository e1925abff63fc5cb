"""Finding a file's units, its up axis, and the direction its skeleton faces, from the human's
shape.

Files do not say these things, or say them wrongly. Human legs are 0.3 to 1.2 m long, and the torso
is above the feet most of the time. The left hip is on the left, and toes point ahead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.import_options import AXES, ImportOptions

LEG_RANGE = (0.3, 1.2)  # m; hip to ankle along the bones, from a toddler to a very tall adult.
_USUAL_LEG = 0.85  # m, adults
UNITS = {
    "meters": 1.0,
    "centimeters": 0.01,
    "millimeters": 0.001,
    "inches": 0.0254,
    "inches / 0.45 (CMU)": 0.0254 / 0.45,
}
_CLEAR = np.cos(np.radians(35.0))  # a direction further than this from every axis is ambiguous

Points = Mapping[str, Float[np.ndarray, "*time 3"]]  # by key body


@dataclass(frozen=True)
class Axes:
    """How a file becomes z-up meters.

    Attributes:
        scale: Meters in one unit.
        world: Rotation of the motion's world to z up.
        rest: Rotation of the standing rest pose to z up and facing +x.
        notes: What was found, one sentence each.
    """

    scale: float
    world: Rotation
    rest: Rotation
    notes: tuple[str, ...]


def find_axes(rest: Points, motion: Points, options: ImportOptions, where: str) -> Axes:
    """Find the axes of a file from its standing rest pose and its frames.

    Raises:
        MotionError: No unit is plausible, the rest pose does not stand, no up axis is clear, or
            left and right are swapped.
    """
    leg = _leg_length(rest)
    unit, scale = _find_unit(leg, options.scale, where)
    rest_up, rest_turn = _find_rest(rest, options.facing, where)
    up, sure = _nearest_axis(_body_up(motion).mean(axis=0))
    if options.up is None and sure < _CLEAR:
        raise MotionError(
            f"{where}: no axis is up in its mean pose (the nearest, {up}, is"
            f" {np.degrees(np.arccos(sure)):.0f} deg off the"
            " way from feet to torso). Take a part in which the human stands or walks, or pass up."
        )
    notes = (
        f"units: {unit}, legs are {leg * scale:.3f} m long",
        f"up: {options.up or up} in the motion"
        f" ({'as given' if options.up else 'from its mean pose'}), {rest_up} in the rest pose",
        f"facing: the rest pose faces {_name(rest_turn.inv().apply([1.0, 0.0, 0.0]))}"
        f" ({'as given' if options.facing else 'from hips, shoulders and toes'})",
    )
    return Axes(scale, _upright(options.up or up), rest_turn, notes)


def _find_unit(leg: float, given: float | None, where: str) -> tuple[str, float]:
    if given is not None:
        unit, scale = f"{given:g} m as given", given
    else:
        unit, scale = min(
            UNITS.items(), key=lambda item: abs(np.log(max(leg, 1e-9) * item[1] / _USUAL_LEG))
        )
    if not LEG_RANGE[0] <= leg * scale <= LEG_RANGE[1]:
        raise MotionError(
            f"{where}: legs are {leg:g} units long, {leg * scale:g} m in {unit}; allowed:"
            f" {LEG_RANGE[0]} to {LEG_RANGE[1]} m."
            " Pass scale, the meters in one unit; or the table of joint names is wrong."
        )
    return unit, scale


def _find_rest(rest: Points, facing: str | None, where: str) -> tuple[str, Rotation]:
    """Return the rest pose's up axis, and the rotation that makes it stand on z and face +x."""
    spine, legs = (
        _unit(rest["torso"] - rest["pelvis"]),
        _unit(_middle(rest, "hip") - _middle(rest, "ankle")),
    )
    up, sure = _nearest_axis(_body_up(rest))
    if spine @ legs < _CLEAR or sure < _CLEAR:
        raise MotionError(
            f"{where}: the skeleton does not stand upright with all rotations at zero (spine"
            f" {spine.round(2)}, legs"
            f" {legs.round(2)}). Give a table whose `stand` makes it, or the table of joint names"
            " is wrong."
        )
    left, sure = _nearest_axis(_left(rest))
    ahead = np.cross(_vector(left), _vector(up)) if facing is None else _vector(facing)
    toes = _unit(_middle(rest, "toe") - _middle(rest, "ankle"))
    if abs(ahead @ _vector(up)) > 0.5 or sure < _CLEAR:
        raise MotionError(
            f"{where}: the rest pose has up {up} and left {left}, and cannot face"
            f" {facing or 'a clear way'}. Pass facing."
        )
    if facing is None and toes @ ahead <= 0:
        raise MotionError(
            f"{where}: in the rest pose the toes point backwards ({toes.round(2)}, ahead is"
            f" {ahead.round()}), so left and"
            " right are swapped in the table of joint names; or pass facing."
        )
    return up, Rotation.from_matrix(np.stack([ahead, np.cross(_vector(up), ahead), _vector(up)]))


def _body_up(points: Points) -> np.ndarray:
    """Return unit vectors from the feet to the torso."""
    return _unit(points["torso"] - _middle(points, "ankle"))


def _left(points: Points) -> np.ndarray:
    """Return the unit vector from right to left, through hips and, if known, shoulders."""
    parts = [
        joint
        for joint in ("hip", "shoulder")
        if f"left_{joint}" in points and f"right_{joint}" in points
    ]
    return _unit(
        np.sum([points[f"left_{joint}"] - points[f"right_{joint}"] for joint in parts], axis=0)
    )


def _leg_length(points: Points) -> float:
    bones = [
        points[f"{side}_{a}"] - points[f"{side}_{b}"]
        for side in ("left", "right")
        for a, b in (("hip", "knee"), ("knee", "ankle"))
    ]
    return float(np.sum(np.linalg.norm(bones, axis=-1)) / 2.0)


def _middle(points: Points, joint: str) -> np.ndarray:
    return (points[f"left_{joint}"] + points[f"right_{joint}"]) / 2.0


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _vector(axis: str) -> np.ndarray:
    return (-1.0 if axis[0] == "-" else 1.0) * np.eye(3)["xyz".index(axis[-1])]


def _nearest_axis(direction: np.ndarray) -> tuple[str, float]:
    """Return the name of the nearest axis, and the cosine of the angle to it."""
    sure = {axis: float(_unit(direction) @ _vector(axis)) for axis in AXES}
    return max(sure.items(), key=lambda item: item[1])


def _name(direction: np.ndarray) -> str:
    return _nearest_axis(direction)[0]


def _upright(up: str) -> Rotation:
    """Return the least rotation that turns axis `up` to z."""
    return least_turn(_vector(up), np.array([0.0, 0.0, 1.0]))


def least_turn(a: Float[np.ndarray, "3"], b: Float[np.ndarray, "3"]) -> Rotation:
    """Return the least rotation that turns direction `a` to direction `b`."""
    a, b = _unit(a), _unit(b)
    if a @ b < -1.0 + 1e-9:  # opposite: about any axis across them
        return Rotation.from_rotvec(np.pi * _unit(np.cross(a, np.eye(3)[np.argmin(np.abs(a))])))
    return Rotation.from_quat([*np.cross(a, b), 1.0 + a @ b])
