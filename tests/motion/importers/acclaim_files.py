"""The made-up human as .asf and .amc."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from made_up_human import (
    ANKLE,
    CMU_UNIT,
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

# CMU's way: 0.45-inch units, y up, z ahead; legs rest 20 degrees apart, in frames that are turned
# with them.


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
            f"begin\n id {len(bones) + 1}\n name {name}\n direction"
            f" {' '.join(f'{x:.12g}' for x in direction)}"
        )
        bones.append(
            f" length {length / CMU_UNIT:.12g}\n axis {axis} XYZ\n {f'dof {dof}' if dof else ''}\n"
            " limits (-1 1)\nend"
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
        "# made up\n:version 1.10\n:units\n mass 1.0\n length 0.45\n angle deg\n:root\n order TX"
        " TY TZ RX RY RZ\n axis XYZ\n"
        " position 0 0 0\n orientation 0 0 0\n"
    )
    body = ":bonedata\n" + "\n".join(bones) + "\n:hierarchy\nbegin\n" + "\n".join(tree) + "\nend\n"
    (folder / "07.asf").write_text(head + body)
    frames = []
    for number, (x, y, z) in enumerate(root_path()[:, [1, 2, 0]] / CMU_UNIT, start=1):
        frames += [str(number), f"root {x:.12g} {y:.12g} {z:.12g} 0 {YAW} 0"]
        frames += [f"{name} 0 0 0" for name in ("lowerback", "upperback", "thorax", "head")]
        # -20 about z closes the legs; what comes before it turns about x, as if the leg hung
        # straight
        frames += [
            f"rfemur 0 0 20\nrtibia 0\nrfoot 0 0\nrtoes 0\nlfemur {HIP} 0 -20\nltibia {KNEE}\nlfoot"
            f" {ANKLE} 0\nltoes 0"
        ]
    path = folder / "07_01.amc"
    path.write_text("#!OML:ASF made up\n:FULLY-SPECIFIED\n:DEGREES\n" + "\n".join(frames) + "\n")
    return path
