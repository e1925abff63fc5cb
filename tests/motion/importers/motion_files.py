"""One made-up human's steps, written as every format that is imported: what comes back must always be the same.

The human is 3 frames at 100 fps: it faces YAW degrees to the left and goes ahead 10 mm a frame; its left thigh is 30
degrees forward, the left knee bent by 50, the left foot level; all else is as when it stands. Written canonically (x ahead,
y left, z up), a turn about y by a positive angle moves a hanging leg backwards.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from wildrobot_gym.motion.human import HumanMotion

FPS, FRAMES, YAW = 100.0, 3, 30.0
HIP, KNEE, ANKLE = -30.0, 50.0, -20.0  # deg about y, the left leg's.
HIP_WIDTH, THIGH, SHIN, HEIGHT, STEP = 0.1, 0.42, 0.40, 0.9, 0.01  # m
TOE = np.array([0.15, 0.0, -0.05])
CMU_UNIT = 0.0254 / 0.45
SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data"


def shared_data(name: str) -> Path:
    """A real file beside the checkout; the test is skipped where there is none."""
    if not (SHARED / name).is_file():
        pytest.skip(f"no {name} in {SHARED}")
    return SHARED / name


def root_path() -> np.ndarray:
    """Pelvis, z up."""
    ahead = np.array([np.cos(np.radians(YAW)), np.sin(np.radians(YAW)), 0.0])
    return np.array([0.0, 0.0, HEIGHT]) + STEP * np.arange(FRAMES)[:, None] * ahead


def check_steps(motion: HumanMotion, hip_width: float = HIP_WIDTH, scale: float = 1.0) -> None:
    """`motion` is the made-up human's, whatever file it came from; its heading may have changed with the axes."""
    assert motion.fps == FPS and motion.num_frames == FRAMES
    heading = Rotation.from_quat(motion.rotation("pelvis"), scalar_first=True)
    ahead = heading.apply([1.0, 0.0, 0.0])
    np.testing.assert_allclose(ahead[:, 2], 0.0, atol=1e-6)
    np.testing.assert_allclose(
        heading.apply([0.0, 0.0, 1.0]), np.tile([0, 0, 1.0], (FRAMES, 1)), atol=1e-6
    )
    np.testing.assert_allclose(
        np.diff(motion.position("pelvis"), axis=0), STEP * ahead[:2], atol=1e-6
    )
    expected = {
        "left_hip": HIP,
        "left_knee": HIP + KNEE,
        "left_ankle": 0.0,
        "right_hip": 0.0,
        "right_knee": 0.0,
        "torso": 0.0,
    }
    for body, pitch in expected.items():
        turned = heading.inv() * Rotation.from_quat(motion.rotation(body), scalar_first=True)
        np.testing.assert_allclose(
            turned.as_rotvec(degrees=True),
            np.tile([0.0, pitch, 0.0], (FRAMES, 1)),
            atol=1e-3,
            err_msg=body,
        )
    sine, cosine = np.sin(np.radians(30.0)), np.cos(np.radians(30.0))
    hip = np.array([0.0, hip_width, 0.0])
    knee = hip + scale * THIGH * np.array([sine, 0.0, -cosine])
    ankle = knee + scale * SHIN * np.array(
        [-np.sin(np.radians(20.0)), 0.0, -np.cos(np.radians(20.0))]
    )
    right = np.array([0.0, -hip_width, -scale * (THIGH + SHIN)])
    for body, place in {
        "left_hip": hip,
        "left_knee": knee,
        "left_ankle": ankle,
        "right_ankle": right,
    }.items():
        found = heading.inv().apply(motion.position(body) - motion.position("pelvis"))
        np.testing.assert_allclose(found, np.tile(place, (FRAMES, 1)), atol=1e-5, err_msg=body)


def replaced(path: Path, old: str, new: str) -> Path:
    """`path` with a part of its text changed."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return path


# ---------------------------------------------------------------------------------------------------------------- BVH
# 100STYLE's names; centimeters, x left, y up, z ahead: y of the canonical axes is x here, and z is y.

_BVH = (
    ("Hips", None, (0, 0, 0)),
    ("Chest", "Hips", (0, 8, 0)),
    ("Chest2", "Chest", (0, 8, 0)),
    ("Chest3", "Chest2", (0, 8, 0)),
    ("Chest4", "Chest3", (0, 8, 0)),
    ("Neck", "Chest4", (0, 12, 0)),
    ("Head", "Neck", (0, 8, 0)),
    *(
        row
        for side, sign in (("Left", 1), ("Right", -1))
        for row in (
            (f"{side}Shoulder", "Chest4", (sign * 18, 8, 0)),
            (f"{side}Elbow", f"{side}Shoulder", (sign * 28, 0, 0)),
            (f"{side}Wrist", f"{side}Elbow", (sign * 25, 0, 0)),
            (f"{side}Hip", "Hips", (sign * 100 * HIP_WIDTH, 0, 0)),
            (f"{side}Knee", f"{side}Hip", (0, -100 * THIGH, 0)),
            (f"{side}Ankle", f"{side}Knee", (0, -100 * SHIN, 0)),
            (f"{side}Toe", f"{side}Ankle", (0, 100 * TOE[2], 100 * TOE[0])),
        )
    ),
)


def bvh_text(
    joints=_BVH,
    angles: dict[str, tuple] | None = None,
    root: np.ndarray | None = None,
    order: str = "YXZ",
) -> str:
    """A .bvh; angles: degrees of each joint in `order`, the same in all frames. root: its positions."""
    if angles is None:
        angles = {
            "Hips": (YAW, 0, 0),
            "LeftHip": (0, HIP, 0),
            "LeftKnee": (0, KNEE, 0),
            "LeftAnkle": (0, ANKLE, 0),
        }
    lines, names = ["HIERARCHY"], []

    def write(name: str, offset: tuple, depth: int) -> None:
        names.append(name)
        pad, children = "\t" * depth, [joint for joint in joints if joint[1] == name]
        lines.extend(
            [
                f"{pad}{'JOINT' if depth else 'ROOT'} {name}",
                pad + "{",
                f"{pad}\tOFFSET {offset[0]} {offset[1]} {offset[2]}",
            ]
        )
        turns = " ".join(f"{axis}rotation" for axis in order)
        lines.append(
            f"{pad}\tCHANNELS 3 {turns}"
            if depth
            else f"{pad}\tCHANNELS 6 Xposition Yposition Zposition {turns}"
        )
        for child in children:
            write(child[0], child[2], depth + 1)
        if not children:
            lines.extend([f"{pad}\tEnd Site", pad + "\t{", f"{pad}\t\tOFFSET 0 0 1", pad + "\t}"])
        lines.append(pad + "}")

    write(joints[0][0], joints[0][2], 0)
    path = 100.0 * root_path()[:, [1, 2, 0]] if root is None else root
    rows = [
        " ".join(
            f"{x:.6f}"
            for x in [*place, *(a for name in names for a in angles.get(name, (0, 0, 0)))]
        )
        for place in path
    ]
    return (
        "\n".join([*lines, "MOTION", f"Frames: {len(rows)}", "Frame Time: 0.010000", *rows]) + "\n"
    )


def write_bvh(folder: Path) -> Path:
    path = folder / "steps.bvh"
    path.write_text(bvh_text())
    return path


# ------------------------------------------------------------------------------------------------------------ ASF, AMC
# CMU's way: 0.45-inch units, y up, z ahead; legs rest 20 degrees apart, in frames that are turned with them.


def write_amc(folder: Path) -> Path:
    side20, down20 = np.sin(np.radians(20.0)), np.cos(np.radians(20.0))
    foot = Rotation.from_euler("z", 20, degrees=True).apply([0.0, TOE[2], TOE[0]])
    bones, tree = (
        [],
        [
            "root lhipjoint rhipjoint lowerback",
            "lowerback upperback",
            "upperback thorax",
            "thorax head",
        ],
    )

    def bone(name: str, direction, length: float, axis: str = "0 0 0", dof: str = "") -> None:
        bones.append(
            f"begin\n id {len(bones) + 1}\n name {name}\n direction {' '.join(f'{x:.12g}' for x in direction)}"
        )
        bones.append(
            f" length {length / CMU_UNIT:.12g}\n axis {axis} XYZ\n {f'dof {dof}' if dof else ''}\n limits (-1 1)\nend"
        )

    for name in ("lowerback", "upperback", "thorax", "head"):
        bone(name, (0, 1, 0), 0.12, dof="rx ry rz")
    for s, sign in (("l", 1), ("r", -1)):
        bone(f"{s}hipjoint", (sign, 0, 0), HIP_WIDTH)
        bone(f"{s}femur", (sign * side20, -down20, 0), THIGH, f"0 0 {20 * sign}", "rx ry rz")
        bone(f"{s}tibia", (sign * side20, -down20, 0), SHIN, f"0 0 {20 * sign}", "rx")
        bone(
            f"{s}foot",
            foot * [sign, 1, 1] / np.linalg.norm(foot),
            np.linalg.norm(foot),
            f"-90 0 {20 * sign}",
            "rx rz",
        )
        bone(f"{s}toes", (0, 0, 1), 0.06, f"-90 0 {20 * sign}", "rx")
        tree += [
            f"{s}hipjoint {s}femur",
            f"{s}femur {s}tibia",
            f"{s}tibia {s}foot",
            f"{s}foot {s}toes",
        ]
    head = (
        "# made up\n:version 1.10\n:units\n mass 1.0\n length 0.45\n angle deg\n:root\n order TX TY TZ RX RY RZ\n axis XYZ\n"
        " position 0 0 0\n orientation 0 0 0\n"
    )
    body = ":bonedata\n" + "\n".join(bones) + "\n:hierarchy\nbegin\n" + "\n".join(tree) + "\nend\n"
    (folder / "07.asf").write_text(head + body)
    frames = []
    for number, (x, y, z) in enumerate(root_path()[:, [1, 2, 0]] / CMU_UNIT, start=1):
        frames += [str(number), f"root {x:.12g} {y:.12g} {z:.12g} 0 {YAW} 0"]
        frames += [f"{name} 0 0 0" for name in ("lowerback", "upperback", "thorax", "head")]
        # -20 about z closes the legs; what comes before it turns about x, as if the leg hung straight
        frames += [
            f"rfemur 0 0 20\nrtibia 0\nrfoot 0 0\nrtoes 0\nlfemur {HIP} 0 -20\nltibia {KNEE}\nlfoot {ANKLE} 0\nltoes 0"
        ]
    path = folder / "07_01.amc"
    path.write_text("#!OML:ASF made up\n:FULLY-SPECIFIED\n:DEGREES\n" + "\n".join(frames) + "\n")
    return path


# ----------------------------------------------------------------------------------------------------------- DeepMimic
# x ahead, y up, z right: a turn about y of the canonical axes is one about -z here.


def deepmimic_frames() -> list[list[float]]:
    def quat(axis: int, degrees: float) -> list[float]:
        half, q = np.radians(degrees) / 2.0, [0.0, 0.0, 0.0]
        q[axis] = float(np.sin(half))
        return [float(np.cos(half)), *q]

    still = quat(0, 0.0)
    right = [*still, 0.0, *still, *still, 0.0]  # hip, knee, ankle, shoulder, elbow
    left = [*quat(2, -HIP), np.radians(-KNEE), *quat(2, -ANKLE), *still, 0.0]
    roots = root_path()[:, [0, 2, 1]] * [1.0, 1.0, -1.0]
    return [
        [1.0 / FPS, *root, *quat(1, YAW), *still, *still, *right, *left] for root in roots.tolist()
    ]


def write_deepmimic(folder: Path, frames: list[list[float]] | None = None) -> Path:
    path = folder / "steps.txt"
    path.write_text(
        json.dumps({"Loop": "wrap", "Frames": deepmimic_frames() if frames is None else frames})
    )
    return path


# --------------------------------------------------------------------------------------------------------------- AMASS
# A body of 52 joints and as many vertices, each joint on its vertex: meters, x left, y up, z ahead; the world is z up.

_BODY = {
    "pelvis": (0.0, -0.2, 0.02), "left_hip": (HIP_WIDTH, 0, 0), "right_hip": (-HIP_WIDTH, 0, 0), "spine1": (0, 0.12, 0),
    "left_knee": (0, -THIGH, 0), "right_knee": (0, -THIGH, 0), "spine2": (0, 0.12, 0), "left_ankle": (0, -SHIN, 0),
    "right_ankle": (0, -SHIN, 0), "spine3": (0, 0.06, 0), "left_foot": (0, TOE[2], TOE[0]), "right_foot": (0, TOE[2], TOE[0]),
    "neck": (0, 0.2, 0), "left_collar": (0.07, 0.1, 0), "right_collar": (-0.07, 0.1, 0), "head": (0, 0.1, 0),
    "left_shoulder": (0.1, 0, 0), "right_shoulder": (-0.1, 0, 0), "left_elbow": (0.26, 0, 0), "right_elbow": (-0.26, 0, 0),
    "left_wrist": (0.25, 0, 0), "right_wrist": (-0.25, 0, 0),
}  # fmt: skip
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
