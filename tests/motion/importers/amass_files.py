"""The made-up human as an AMASS motion, with its body model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from made_up_human import (
    ANKLE,
    FPS,
    FRAMES,
    HIP,
    HIP_WIDTH,
    KNEE,
    SHIN,
    THIGH,
    TOE,
    YAW,
    root_path,
)
from scipy.spatial.transform import Rotation

# A body of 52 joints and as many vertices, each joint on its vertex: meters, x left, y up, z ahead;
# the world is z up.

_BODY = {
    "pelvis": (0.0, -0.2, 0.02),
    "left_hip": (HIP_WIDTH, 0, 0),
    "right_hip": (-HIP_WIDTH, 0, 0),
    "spine1": (0, 0.12, 0),
    "left_knee": (0, -THIGH, 0),
    "right_knee": (0, -THIGH, 0),
    "spine2": (0, 0.12, 0),
    "left_ankle": (0, -SHIN, 0),
    "right_ankle": (0, -SHIN, 0),
    "spine3": (0, 0.06, 0),
    "left_foot": (0, TOE[2], TOE[0]),
    "right_foot": (0, TOE[2], TOE[0]),
    "neck": (0, 0.2, 0),
    "left_collar": (0.07, 0.1, 0),
    "right_collar": (-0.07, 0.1, 0),
    "head": (0, 0.1, 0),
    "left_shoulder": (0.1, 0, 0),
    "right_shoulder": (-0.1, 0, 0),
    "left_elbow": (0.26, 0, 0),
    "right_elbow": (-0.26, 0, 0),
    "left_wrist": (0.25, 0, 0),
    "right_wrist": (-0.25, 0, 0),
}
_PARENTS = (
    -1,
    0,
    0,
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    9,
    9,
    12,
    13,
    14,
    16,
    17,
    18,
    19,
    *[20] * 15,
    *[21] * 15,
)
SHAPE = 0.1  # the first shape number makes the body larger by a tenth of its value


def write_body_model(folder: Path, **changes: np.ndarray | None) -> Path:
    joints = np.zeros((52, 3))
    for i, offset in enumerate([*_BODY.values(), *[(0.0, 0.0, 0.0)] * 30]):
        joints[i] = np.array(offset) + (joints[_PARENTS[i]] if i else 0.0)
    arrays = {
        "J_regressor": np.eye(52),
        "v_template": joints,
        "shapedirs": SHAPE * joints[..., None] * np.array([1.0, 0.0]),
        "kintree_table": np.stack(
            [np.array(_PARENTS).astype(np.uint32), np.arange(52, dtype=np.uint32)]
        ),
        "joint2num": np.array({"an": "object"}, dtype=object),  # SMPL-X has such; nobody needs it
    } | changes
    path = folder / "model.npz"
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


def amass_arrays(betas: tuple[float, ...] = (0.0, 0.0, 0.0)) -> dict[str, np.ndarray]:
    poses = np.zeros((FRAMES, 52, 3))
    stand_up = Rotation.from_euler(
        "x", 90, degrees=True
    )  # the body's y to the world's z; it then faces -y
    poses[:, 0] = (
        Rotation.from_euler("z", YAW + 90, degrees=True) * stand_up
    ).as_rotvec()  # and now +x, then YAW
    for joint, degrees in ((1, HIP), (4, KNEE), (7, ANKLE)):
        poses[:, joint, 0] = np.radians(degrees)
    pelvis = np.array(_BODY["pelvis"]) * (1.0 + SHAPE * betas[0])
    return {
        "poses": poses.reshape(FRAMES, -1),
        "trans": root_path() - pelvis,
        "betas": np.array(betas),
        "mocap_framerate": np.array(FPS),
        "gender": np.array("neutral"),
    }


def write_amass(folder: Path, arrays: dict[str, np.ndarray] | None = None) -> Path:
    path = folder / "steps_poses.npz"
    np.savez(path, **(amass_arrays() if arrays is None else arrays))
    return path
