"""The made-up human as a .bvh."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from made_up_human import (
    ANKLE,
    HIP,
    HIP_WIDTH,
    KNEE,
    SHIN,
    THIGH,
    TOE,
    YAW,
    root_path,
)

# 100STYLE's names; centimeters, x left, y up, z ahead: y of the canonical axes is x here, and z is
# y.

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
    """A .bvh; angles: degrees of each joint in `order`, the same in all frames. root: its
    positions.
    """
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
