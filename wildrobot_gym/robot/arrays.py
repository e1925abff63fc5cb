"""A robot's description as arrays of indices and shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from wildrobot_gym.rotations import AnyArray


@dataclass(frozen=True)
class Mirror:
    """Which part is which one's image in the x-z plane, by index."""

    joint_ids: np.ndarray
    joint_signs: np.ndarray
    pad_ids: np.ndarray
    foot_ids: np.ndarray


@dataclass(frozen=True)
class Simulated:
    """The model that the engines simulate, in which joints that no policy moves may be left.

    Where there are none, it is the robot's own model, and the indices are slices of everything.

    Attributes:
        model: The compiled model.
        qpos: Where the robot's qpos is in its qpos.
        qvel: Where the robot's qvel is in its qvel.
        joints: Where the robot's joints are among its joints, and servos among its servos.
        held: (held joint,) the home pose of its other joints, rad.
    """

    model: mujoco.MjModel
    qpos: np.ndarray | slice
    qvel: np.ndarray | slice
    joints: np.ndarray | slice
    held: np.ndarray

    @classmethod
    def of(cls, model: mujoco.MjModel, names: Sequence[str]) -> Simulated:
        """The model with the robot's joints `names` in it."""
        if model.njnt == 1 + len(names):
            return cls(model, slice(None), slice(None), slice(None), np.zeros(0))
        ids = np.array([model.joint(name).id for name in names]) - 1
        joints = model.keyframe("home").qpos[7:]
        return cls(
            model,
            np.concatenate([np.arange(7), 7 + ids]),
            np.concatenate([np.arange(6), 6 + ids]),
            ids,
            np.delete(joints, ids),
        )

    def whole_qpos(self, qpos: AnyArray) -> AnyArray:
        """The whole pose around a robot's, NumPy or JAX: held joints at home."""
        return self._whole(qpos, self.qpos, self.held)

    def whole_qvel(self, qvel: AnyArray) -> AnyArray:
        """The whole velocity around a robot's, NumPy or JAX: held joints at rest."""
        return self._whole(qvel, self.qvel, np.zeros_like(self.held))

    def whole_targets(self, targets: AnyArray) -> AnyArray:
        """Targets of all servos around those of a robot, NumPy or JAX: held joints at home."""
        return self._whole(targets, self.joints, self.held)

    def _whole(self, own: AnyArray, ids: np.ndarray | slice, held: np.ndarray) -> AnyArray:
        if isinstance(ids, slice):
            return own
        xp: Any = own.__array_namespace__()
        others = np.setdiff1d(np.arange(len(ids) + len(held)), ids)
        order = np.argsort(np.concatenate([ids, others]))
        rest = xp.broadcast_to(xp.asarray(held, dtype=own.dtype), (*own.shape[:-1], len(held)))
        whole: AnyArray = xp.concatenate([own, rest], axis=-1)[..., order]
        return whole


def mirror_map(config: dict[str, Any]) -> Mirror:
    """The mirror map of a symmetric robot's description."""

    def ids(rows: list[dict[str, Any]], partner: list[str]) -> np.ndarray:
        names = [row["name"] for row in rows]
        return np.array([names.index(name) for name in partner])

    joints, pads, feet = config["joints"], config["pads"], config["feet"]
    return Mirror(
        joint_ids=ids(joints, [j["mirror"]["joint"] for j in joints]),
        joint_signs=np.array([float(j["mirror"]["sign"]) for j in joints]),
        pad_ids=ids(pads, [p["mirror"] for p in pads]),
        foot_ids=ids(feet, [f["mirror"] for f in feet]),
    )


def joint_axes(model: mujoco.MjModel) -> np.ndarray:
    """(joint, 3) axis of each joint but the base's, in the world with all joints at 0."""
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    axes: np.ndarray = data.xaxis[1:].copy()
    return axes


def pad_shapes(pads: list[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
    """Points and radius of each pad; a level box has the corners of its sole."""
    points = [
        np.array(pad["points"])
        if "points" in pad
        else np.array([[x, y, 0.0] for x in (-1, 1) for y in (-1, 1)]) * [*pad["half_size"], 0.0]
        for pad in pads
    ]
    most = max(len(p) for p in points)
    filled = [np.concatenate([p, np.repeat(p[-1:], most - len(p), axis=0)]) for p in points]
    return np.stack(filled), np.array([float(pad.get("radius", 0.0)) for pad in pads])


def pad_ids(pads: tuple[str, ...], of_feet: list[list[str]]) -> np.ndarray:
    """(foot, most pads of a foot) indices into the pads; the number of pads fills short rows."""
    most = max(len(names) for names in of_feet)
    rows = [[pads.index(name) for name in names] for names in of_feet]
    return np.array([row + [len(pads)] * (most - len(row)) for row in rows])


def sensor_slices(
    model: mujoco.MjModel, pads: tuple[str, ...], feet: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Index arrays into `sensordata` that give PhysicsState's fields by name."""

    def ids(names: tuple[str, ...], suffix: str) -> np.ndarray:
        rows = [model.sensor(f"{n}_{suffix}") for n in names]
        return np.array([np.arange(int(s.adr[0]), int(s.adr[0] + s.dim[0])) for s in rows])

    return {
        "pad_forces": ids(pads, "force")[:, 0],
        "pad_pos_w": ids(pads, "pos"),
        "pad_vel_w": ids(pads, "vel"),
        "foot_pos_w": ids(feet, "pos"),
        "foot_quat_w": ids(feet, "quat"),
    }
