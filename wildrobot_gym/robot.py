"""The robot, read once from its compiled model: names, order, limits, pads and the mirror map.

``describe`` turns a compiled MJCF into a plain dict; ``robot_config.yaml`` is that dict written by ``wildrobot robot``,
for people and other tools to read. Loading compares the two, so a file that was edited by hand, or an MJCF that has
changed since, is an error and not a surprise. Nothing else in the package types a joint name or an index.

What an MJCF must have: a free joint, one position actuator for each hinge joint in joint order, a keyframe ``home``,
and for each pad a touch, framepos and framelinvel sensor ``<pad>_force``, ``<pad>_pos``, ``<pad>_vel`` on a site that
carries the pad's name, for each foot a framepos and framequat sensor ``<foot>_pos``, ``<foot>_quat``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import yaml

from wildrobot_gym.errors import RobotError, unknown_name
from wildrobot_gym.files import atomic_write
from wildrobot_gym.paths import ROBOTS

MIRROR_TOLERANCE = 2e-3  # m; the measured right leg is 0.1 mm off the left one's image
SATURATION_FRACTION = (
    0.98  # of its force limit from which a servo counts as saturated: 3.92 of 4.0 N*m
)
CONFIG_FILE = "robot_config.yaml"
_HEADER = "# Generated from the compiled model by `wildrobot robot`; do not edit. Order is qpos[7:], qvel[6:], ctrl, action.\n"


def describe(model: mujoco.MjModel, model_file: str) -> dict[str, Any]:
    """Everything the project wants to know of a compiled model, as plain YAML types (m, kg, rad, N*m).

    Raises:
        RobotError: a part that the task needs is missing, or actuators and joints disagree.
    """
    _check_structure(model)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    joints = [model.joint(i).name for i in range(1, model.njnt)]
    pads = [
        model.sensor(i).name.removesuffix("_force")
        for i in _sensor_ids(model, mujoco.mjtSensor.mjSENS_TOUCH)
    ]
    feet = [
        model.sensor(i).name.removesuffix("_quat")
        for i in _sensor_ids(model, mujoco.mjtSensor.mjSENS_FRAMEQUAT)
    ]
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
                "mirror": _mirror_of(model, data, name, joints),
            }
            for i, name in enumerate(joints)
        ],
        "pads": [
            {
                "name": pad,
                "foot": feet[[_body_of(model, foot) for foot in feet].index(_body_of(model, pad))],
                "half_size": [round(float(v), 4) for v in model.geom(pad).size[:2]],
                "mirror": _mirror_name(data, pad, pads),
            }
            for pad in pads
        ],
        "feet": [
            {"name": foot, "leg": legs[foot], "mirror": _mirror_name(data, foot, feet)}
            for foot in feet
        ],
    }


@dataclass(frozen=True)
class RobotModel:
    """A compiled model with its description as arrays. Build with :meth:`load`.

    Attributes:
        joint_range: (joint, 2) rad. joint_mirror_ids / joint_mirror_signs: (joint,), so that the mirror image of a
            joint vector q is ``signs * q[ids]``. pad_ids_of_foot: (foot, pads of a foot) indices into the pads.
    """

    name: str
    xml_path: Path
    model: mujoco.MjModel
    config: dict[str, Any]
    joint_names: tuple[str, ...]
    joint_range: np.ndarray
    force_limit: np.ndarray
    home_qpos: np.ndarray
    joint_mirror_ids: np.ndarray
    joint_mirror_signs: np.ndarray
    pad_names: tuple[str, ...]
    pad_mirror_ids: np.ndarray
    pad_half_size: np.ndarray
    foot_names: tuple[str, ...]
    pad_ids_of_foot: np.ndarray
    sensor_slices: dict[str, np.ndarray] = field(repr=False)

    @classmethod
    def load(cls, robot: str | Path) -> RobotModel:
        """Load a shipped robot by name, or any folder that holds a ``robot_config.yaml`` and its MJCF.

        Raises:
            RobotError: unknown name, unreadable file, or a config that does not match the compiled model.
        """
        folder = robot_folder(robot)
        try:
            config = yaml.safe_load((folder / CONFIG_FILE).read_text())
            xml_path = folder / config["model"]
        except (OSError, yaml.YAMLError, TypeError, KeyError) as error:
            raise RobotError(
                f"Cannot read {folder / CONFIG_FILE}: {error}. Write it with `wildrobot robot {folder}/<model>.xml`."
            ) from error
        model = compile_model(xml_path)
        fresh = describe(model, xml_path.name)
        if fresh != config:
            keys = sorted(k for k in fresh.keys() | config.keys() if fresh.get(k) != config.get(k))
            raise RobotError(
                f"{folder / CONFIG_FILE} does not match the compiled {xml_path.name}: {', '.join(keys)} differ"
                f" (first: file {config.get(keys[0])!r}, model {fresh.get(keys[0])!r})."
                f" The file is generated; write it anew with `wildrobot robot {xml_path}`."
            )
        joints, pads, feet = config["joints"], config["pads"], config["feet"]
        joint_names = tuple(j["name"] for j in joints)
        pad_names = tuple(p["name"] for p in pads)
        foot_names = tuple(f["name"] for f in feet)
        return cls(
            name=config["name"],
            xml_path=xml_path,
            model=model,
            config=config,
            joint_names=joint_names,
            joint_range=np.array([j["range"] for j in joints]),
            force_limit=np.array([j["force_limit"] for j in joints]),
            home_qpos=model.keyframe("home").qpos.copy(),
            joint_mirror_ids=np.array([joint_names.index(j["mirror"]["joint"]) for j in joints]),
            joint_mirror_signs=np.array([float(j["mirror"]["sign"]) for j in joints]),
            pad_names=pad_names,
            pad_mirror_ids=np.array([pad_names.index(p["mirror"]) for p in pads]),
            pad_half_size=np.array([p["half_size"] for p in pads]),
            foot_names=foot_names,
            pad_ids_of_foot=np.array(
                [[i for i, p in enumerate(pads) if p["foot"] == foot] for foot in foot_names]
            ),
            sensor_slices=_sensor_slices(model, pad_names, foot_names),
        )

    @property
    def num_joints(self) -> int:
        return len(self.joint_names)

    @property
    def mass(self) -> float:
        """Total mass, kg."""
        return float(self.config["mass"])

    @property
    def weight(self) -> float:
        """Mass times gravity, N."""
        return self.mass * abs(float(self.model.opt.gravity[2]))

    @property
    def leg_length(self) -> float:
        """Hip pitch axis to sole on a straight leg, m."""
        return float(self.config["leg_length"])

    @property
    def home_joint_pos(self) -> np.ndarray:
        return self.home_qpos[7:]

    def leg_joint_names(self, foot: str) -> list[str]:
        """Joints from the base to ``foot``, in order (hip pitch, hip roll, knee, ankle here)."""
        if foot not in self.foot_names:
            raise RobotError(unknown_name("foot", foot, self.foot_names))
        return list(self.config["feet"][self.foot_names.index(foot)]["leg"])


def robot_folder(robot: str | Path) -> Path:
    """Folder of a shipped robot's name (whatever lies in this folder: ``./wildrobot`` is what does), or a path to one's own."""
    shipped = [p.parent.name for p in ROBOTS.glob(f"*/{CONFIG_FILE}")]
    folder = ROBOTS / robot if robot in shipped else Path(robot)
    if (folder / CONFIG_FILE).is_file():
        return folder
    raise RobotError(
        unknown_name("robot", str(robot), shipped)
        + f" Or give a folder that holds a {CONFIG_FILE} and its MJCF."
    )


def compile_model(xml_path: str | Path) -> mujoco.MjModel:
    """Compile an MJCF file; MuJoCo's own message on failure."""
    try:
        return mujoco.MjModel.from_xml_path(str(xml_path))
    except ValueError as error:
        raise RobotError(f"MuJoCo cannot compile {xml_path}: {error}") from error


def write_robot_config(xml_path: str | Path) -> Path:
    """Generate ``robot_config.yaml`` beside an MJCF file and return its path."""
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


# --- reading the compiled model ---------------------------------------------------------------------------------------


def _sensor_ids(model: mujoco.MjModel, kind: mujoco.mjtSensor) -> list[int]:
    return [i for i in range(model.nsensor) if model.sensor_type[i] == kind]


def _check_structure(model: mujoco.MjModel) -> None:
    problems = []
    if model.njnt == 0 or model.jnt_type[0] != mujoco.mjtJoint.mjJNT_FREE:
        problems.append("the first joint must be a free joint (the base)")
    hinges = [model.joint(i).name for i in range(1, model.njnt)]
    driven = [model.joint(int(model.actuator_trnid[i, 0])).name for i in range(model.nu)]
    if hinges != driven:
        problems.append(
            f"actuators must drive every joint in joint order; joints {hinges}, actuators drive {driven}"
        )
    if any(model.jnt_type[1:] != mujoco.mjtJoint.mjJNT_HINGE):
        problems.append("all joints but the base must be hinges")
    if free := [model.joint(i).name for i in range(1, model.njnt) if not model.jnt_limited[i]]:
        problems.append(f"joints without a range: {', '.join(free)}")
    if strong := [driven[i] for i in range(model.nu) if not model.actuator_forcelimited[i]]:
        problems.append(f"actuators without a forcerange, of: {', '.join(strong)}")
    if other := [driven[i] for i in range(model.nu) if not _is_position_servo(model, i)]:
        problems.append(
            f"actuators that are not position servos with gear 1, of: {', '.join(other)}"
        )
    sensors = {model.sensor(i).name for i in range(model.nsensor)}
    pads = [
        model.sensor(i).name.removesuffix("_force")
        for i in _sensor_ids(model, mujoco.mjtSensor.mjSENS_TOUCH)
    ]
    feet = [
        model.sensor(i).name.removesuffix("_quat")
        for i in _sensor_ids(model, mujoco.mjtSensor.mjSENS_FRAMEQUAT)
    ]
    if not pads or not feet:
        problems.append(
            "touch sensors named <pad>_force and framequat sensors named <foot>_quat are needed"
        )
    needed = {f"{p}_{s}" for p in pads for s in ("force", "pos", "vel")} | {
        f"{f}_{s}" for f in feet for s in ("pos", "quat")
    }
    if missing := sorted(needed - sensors):
        problems.append(f"missing sensors: {', '.join(missing)}")
    geoms = {model.geom(i).name for i in range(model.ngeom)}
    if missing := sorted(set(pads) - geoms):
        problems.append(f"missing pad geoms: {', '.join(missing)}")
    sites = {model.site(i).name for i in range(model.nsite)}
    if missing := sorted({*pads, *feet} - sites):
        problems.append(f"missing sites of pads or feet: {', '.join(missing)}")
    elif strays := [
        p for p in pads if _body_of(model, p) not in {_body_of(model, f) for f in feet}
    ]:
        problems.append(f"pads on no foot's body: {', '.join(strays)}")
    if "home" not in {model.keyframe(i).name for i in range(model.nkey)}:
        problems.append("keyframe 'home' is missing")
    if problems:
        raise RobotError("The model cannot be used as a robot: " + "; ".join(problems) + ".")


def _is_position_servo(model: mujoco.MjModel, actuator: int) -> bool:
    """Whether it is MJCF's ``position``: a torque of kp times what its joint lacks of the target, in rad."""
    kp, bias = model.actuator_gainprm[actuator, 0], model.actuator_biasprm[actuator]
    return (
        model.actuator_trntype[actuator] == mujoco.mjtTrn.mjTRN_JOINT
        and model.actuator_dyntype[actuator] == mujoco.mjtDyn.mjDYN_NONE
        and model.actuator_gaintype[actuator] == mujoco.mjtGain.mjGAIN_FIXED
        and model.actuator_biastype[actuator] == mujoco.mjtBias.mjBIAS_AFFINE
        and (bias[0], bias[1]) == (0.0, -kp)
        and model.actuator_gear[actuator, 0] == 1.0
    )


def _body_of(model: mujoco.MjModel, site: str) -> int:
    return int(model.site(site).bodyid[0])


def _leg_chain(model: mujoco.MjModel, foot: str) -> list[str]:
    chain: list[str] = []
    body = _body_of(model, foot)
    while model.body_parentid[body] != 0:
        first, count = model.body_jntadr[body], model.body_jntnum[body]
        chain = [model.joint(first + k).name for k in range(count)] + chain
        body = int(model.body_parentid[body])
    return chain


def _mirror_of(
    model: mujoco.MjModel, data: mujoco.MjData, name: str, joints: list[str]
) -> dict[str, Any]:
    """Partner joint under the reflection y -> -y, and the sign that its angle takes.

    An anchor is a point, a rotation axis a pseudovector: (x, y, z) -> (x, -y, z) and (ax, ay, az) -> (-ax, ay, -az).
    """
    anchors = {j: data.xanchor[model.joint(j).id] for j in joints}
    axes = {j: data.xaxis[model.joint(j).id] for j in joints}
    anchor = anchors[name] * [1, -1, 1]
    axis = axes[name] * [-1, 1, -1]
    partner = min(
        joints, key=lambda j: np.linalg.norm(anchors[j] - anchor) + 0.1 * (1 - abs(axes[j] @ axis))
    )
    if (
        np.linalg.norm(anchors[partner] - anchor) > MIRROR_TOLERANCE
        or abs(axes[partner] @ axis) < 0.99
    ):
        raise RobotError(
            f"Joint {name!r} has no mirror image: the robot is not symmetric about its x-z plane."
        )
    return {"joint": partner, "sign": int(np.sign(axes[partner] @ axis))}


def _mirror_name(data: mujoco.MjData, site: str, sites: list[str]) -> str:
    def distance(other: str) -> float:
        return float(np.linalg.norm(data.site(other).xpos - data.site(site).xpos * [1, -1, 1]))

    partner = min(sites, key=distance)
    if distance(partner) > MIRROR_TOLERANCE:
        raise RobotError(
            f"{site!r} has no mirror image: the robot is not symmetric about its x-z plane."
        )
    return partner


def _sensor_slices(
    model: mujoco.MjModel, pads: tuple[str, ...], feet: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Index arrays into ``sensordata`` that give PhysicsState's fields by name."""

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
