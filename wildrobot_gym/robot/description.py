"""The robot's description: a compiled model as the plain dict of `robot_config.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mujoco
import yaml

from wildrobot_gym.files import atomic_write
from wildrobot_gym.robot.mirror import mirror_joint, mirror_site
from wildrobot_gym.robot.structure import (
    body_of,
    check_structure,
    compile_model,
    foot_names,
    pad_names,
)

CONFIG_FILE = "robot_config.yaml"
_HEADER = (
    "# Generated from the compiled model by `wildrobot robot`; do not edit."
    " Order is qpos[7:], qvel[6:], ctrl, action.\n"
)


def describe(model: mujoco.MjModel, model_file: str) -> dict[str, Any]:
    """Describe a compiled model as plain YAML types (m, kg, rad, N*m).

    Args:
        model: The compiled model.
        model_file: Name of its MJCF file.

    Raises:
        RobotError: a part that the task needs is missing, or actuators and joints disagree.
    """
    check_structure(model)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    joints = [model.joint(i).name for i in range(1, model.njnt)]
    pads, feet = pad_names(model), foot_names(model)
    home = model.keyframe("home")
    legs = {foot: _leg_chain(model, foot) for foot in feet}
    hip = model.joint(legs[feet[0]][0]).id
    sole_z = float(data.site(feet[0]).xpos[2])
    return {
        "name": model.names[: model.names.find(b"\0")].decode(),
        "model": model_file,
        "mass": round(float(model.body_mass.sum()), 4),
        "leg_length": round(float(data.xanchor[hip][2] - sole_z), 4),
        "home_height": round(float(home.qpos[2]), 4),
        "dimensions": {
            "num_joints": len(joints),
            "action": len(joints),
            "observation": 3 * len(joints) + 12,
            "amp_features": 2 * len(joints) + 7 + len(pads),
        },
        "joints": [
            {
                "name": name,
                "qpos_id": int(model.joint(name).qposadr[0]),
                "qvel_id": int(model.joint(name).dofadr[0]),
                "actuator_id": i,
                "range": [round(float(v), 4) for v in model.joint(name).range],
                "home": round(float(home.qpos[7 + i]), 4),
                "force_limit": round(float(model.actuator_forcerange[i, 1]), 4),
                "mirror": mirror_joint(model, data, name, joints),
            }
            for i, name in enumerate(joints)
        ],
        "pads": [
            {
                "name": pad,
                "foot": feet[[body_of(model, foot) for foot in feet].index(body_of(model, pad))],
                "half_size": [round(float(v), 4) for v in model.geom(pad).size[:2]],
                "mirror": mirror_site(data, pad, pads),
            }
            for pad in pads
        ],
        "feet": [
            {"name": foot, "leg": legs[foot], "mirror": mirror_site(data, foot, feet)}
            for foot in feet
        ],
    }


def write_robot_config(xml_path: str | Path) -> Path:
    """Write `robot_config.yaml` beside an MJCF file.

    Returns:
        Its path.

    Raises:
        RobotError: the model cannot be compiled, or cannot be used as a robot.
    """
    xml_path = Path(xml_path)
    config = describe(compile_model(xml_path), xml_path.name)
    target = xml_path.parent / CONFIG_FILE
    with atomic_write(target) as stream:
        stream.write(
            (
                _HEADER
                + yaml.safe_dump(config, sort_keys=False, default_flow_style=None, width=110)
            ).encode()
        )
    return target


def _leg_chain(model: mujoco.MjModel, foot: str) -> list[str]:
    """Joints from the base to `foot`, in order."""
    chain: list[str] = []
    body = body_of(model, foot)
    while model.body_parentid[body] != 0:
        first, count = model.body_jntadr[body], model.body_jntnum[body]
        chain = [model.joint(first + k).name for k in range(count)] + chain
        body = int(model.body_parentid[body])
    return chain
