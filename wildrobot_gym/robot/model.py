"""The robot as arrays: names, order, limits, pads and the mirror map, read once from its compiled
model.

`robot_config.yaml` holds the same for people and other tools. Loading compares the two, so that a
file edited by hand or a changed MJCF is an error. Nothing else in the package types a joint name or
an index.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import yaml

from wildrobot_gym.errors import RobotError, unknown_name
from wildrobot_gym.paths import ROBOTS
from wildrobot_gym.robot.description import CONFIG_FILE, describe
from wildrobot_gym.robot.structure import compile_model

# From this fraction of its force limit a servo counts as saturated: 3.92 of 4.0 N*m.
SATURATION_FRACTION = 0.98


@dataclass(frozen=True)
class RobotModel:
    """A compiled model with its description as arrays. Build it with `load`.

    Attributes:
        name: The robot's name.
        xml_path: Its MJCF file.
        model: The compiled model.
        config: Its description, as in `robot_config.yaml`.
        joint_names: In the order of actions.
        joint_range: (joint, 2) lowest and highest position, rad.
        force_limit: (joint,) greatest torque of each servo, N*m.
        home_qpos: (nq,) MuJoCo's qpos of the home pose.
        joint_mirror_ids: (joint,) partner of each joint: the mirror image of a joint vector q is
            `signs * q[ids]`.
        joint_mirror_signs: (joint,) its sign.
        pad_names: In the order of pad forces.
        pad_mirror_ids: (pad,) partner of each pad.
        pad_half_size: (pad, 2) half length and half width, m.
        foot_names: In order.
        pad_ids_of_foot: (foot, pads of a foot) indices into the pads.
        sensor_slices: Indices into MuJoCo's sensordata of each field of the physics state.

    Example:
        >>> robot = RobotModel.load("wildrobot")
        >>> robot.num_joints
        9
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
        """Load a robot.

        Args:
            robot: Name of a shipped robot, or a folder with a `robot_config.yaml` and its MJCF.

        Raises:
            RobotError: unknown name, unreadable file, or a config that does not match the compiled
                model.
        """
        folder = robot_folder(robot)
        try:
            config = yaml.safe_load((folder / CONFIG_FILE).read_text())
            xml_path = folder / config["model"]
        except (OSError, yaml.YAMLError, TypeError, KeyError) as error:
            raise RobotError(
                f"Cannot read {folder / CONFIG_FILE}: {error}. Write it with `wildrobot robot"
                f" {folder}/<model>.xml`."
            ) from error
        model = compile_model(xml_path)
        described = describe(model, xml_path.name)
        if described != config:
            keys = sorted(
                k for k in described.keys() | config.keys() if described.get(k) != config.get(k)
            )
            raise RobotError(
                f"{folder / CONFIG_FILE} does not match the compiled {xml_path.name}:"
                f" {', '.join(keys)} differ"
                f" (first: file {config.get(keys[0])!r}, model {described.get(keys[0])!r})."
                f" The file is generated; write it again with `wildrobot robot {xml_path}`."
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
        """Number of joints, and of numbers in an action."""
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
    def digest(self) -> str:
        """SHA-256 of the description and of the servos' gains: what a policy depends on."""
        model = self.model
        gains = np.stack([model.actuator_gainprm[:, 0], model.actuator_biasprm[:, 2]])
        facts = json.dumps([self.config, gains.tolist()], sort_keys=True)
        return hashlib.sha256(facts.encode()).hexdigest()

    @property
    def home_joint_pos(self) -> np.ndarray:
        """(joint,) joint positions of the home pose, rad."""
        return self.home_qpos[7:]

    def leg_joint_names(self, foot: str) -> list[str]:
        """Names of the joints from the base to `foot`, in order.

        Raises:
            RobotError: there is no such foot.
        """
        if foot not in self.foot_names:
            raise RobotError(unknown_name("foot", foot, self.foot_names))
        return list(self.config["feet"][self.foot_names.index(foot)]["leg"])


def robot_folder(robot: str | Path) -> Path:
    """Folder of a robot: a shipped robot's name, or a path.

    A shipped name wins over a folder of that name in the working directory; `./wildrobot` names the
    folder.

    Raises:
        RobotError: there is no such robot.
    """
    shipped = [p.parent.name for p in ROBOTS.glob(f"*/{CONFIG_FILE}")]
    folder = ROBOTS / robot if robot in shipped else Path(robot)
    if (folder / CONFIG_FILE).is_file():
        return folder
    raise RobotError(
        unknown_name("robot", str(robot), shipped)
        + f" Or give a folder that holds a {CONFIG_FILE} and its MJCF."
    )


def _sensor_slices(
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
