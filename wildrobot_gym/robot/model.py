"""The robot as arrays: names, order, limits, pads and the mirror map, read once from its compiled
model.

`robot.yaml` says which model it is, and what the model does not say itself. Nothing else in the
package types a joint name or an index.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

from wildrobot_gym.config import naming
from wildrobot_gym.errors import RobotError, unknown_name
from wildrobot_gym.robot.arrays import (
    Mirror,
    Simulated,
    joint_axes,
    mirror_map,
    pad_ids,
    pad_shapes,
    sensor_slices,
)
from wildrobot_gym.robot.build import build_robot, compile_spec, joint_names
from wildrobot_gym.robot.description import describe
from wildrobot_gym.robot.file import ROBOT_FILE, RobotFile, find_robot_file, read_robot_file
from wildrobot_gym.robot.legs import Leg, leg_of, own_joints
from wildrobot_gym.robot.structure import check_structure
from wildrobot_gym.terrain import Ground

# Heights of the base at which an episode ends, as multiples of its height at home.
_LOWEST, _HIGHEST = 0.45, 1.5
_WILDROBOT_LEG = 0.4369  # m; the speeds of configs and of the benchmark were chosen for it
SATURATION_FRACTION = 0.98  # of its force limit, from which a servo counts as saturated


@dataclass(frozen=True)
class RobotModel:
    """A compiled model with its description as arrays. Build it with `load`.

    Attributes:
        name: The robot's name.
        file: Its `robot.yaml`.
        model: The compiled model: the base and the joints that the policy moves.
        simulated: The model that engines simulate, with held joints where servos hold them.
        config: Its description as plain types.
        joint_names: In the order of actions.
        joint_range: (joint, 2) lowest and highest position, rad.
        force_limit: (joint,) greatest torque of each servo, N*m.
        home_qpos: (7 + joint,) MuJoCo's qpos of the home pose.
        pad_names: In the order of pad forces.
        pad_half_size: (pad, 2) half length and half width, m.
        pad_points: (pad, point, 3) points of a pad from its site, in the frame of its foot, m. The
            pad is the hull of balls around them. The last point of a pad with fewer is repeated.
        pad_radius: (pad,) radius of the balls, m; 0 for boxes.
        foot_names: In order.
        pad_ids_of_foot: (foot, most pads of a foot) indices into the pads; the number of pads where
            a foot has fewer.
        imu_site: Name of the site of the IMU.
        joint_axes: (joint, 3) axis of each joint in the world with all joints at 0.
        mirror: The mirror map; None for a robot that is not symmetric.
        sensor_slices: Indices into MuJoCo's sensordata of each field of the physics state.
        ground: What it stands on; None: the level floor of its own model.

    Example:
        >>> RobotModel.load("wildrobot").num_joints
        9
    """

    name: str
    file: RobotFile
    model: mujoco.MjModel
    simulated: Simulated
    config: dict[str, Any]
    joint_names: tuple[str, ...]
    joint_range: np.ndarray
    force_limit: np.ndarray
    home_qpos: np.ndarray
    pad_names: tuple[str, ...]
    pad_half_size: np.ndarray
    pad_points: np.ndarray
    pad_radius: np.ndarray
    foot_names: tuple[str, ...]
    pad_ids_of_foot: np.ndarray
    imu_site: str
    joint_axes: np.ndarray
    mirror: Mirror | None
    sensor_slices: dict[str, np.ndarray] = field(repr=False)
    ground: Ground | None = None

    @classmethod
    def load(cls, robot: str | Path) -> RobotModel:
        """Load a robot.

        Args:
            robot: Name of a shipped robot, a folder with a `robot.yaml`, or that file.

        Raises:
            RobotError: unknown name, unreadable file, or a model that cannot be a robot.
        """
        path = find_robot_file(robot)
        with naming(str(path), RobotError):
            return cls.from_file(read_robot_file(path))

    @classmethod
    def from_file(cls, file: RobotFile) -> RobotModel:
        """The robot that a `robot.yaml` describes.

        Raises:
            RobotError: its model cannot be a robot; the message says why.
        """
        built = build_robot(file)
        model, feet = compile_spec(built.spec, file.path), built.pads_of_foot
        check_structure(model, feet, file.path)
        names, whole = joint_names(model), model
        if file.held == "servo" and built.held:
            whole = compile_spec(build_robot(file, file.held).spec, file.path)
            check_structure(whole, feet, file.path)
        config = describe(model, file.path.name, feet, file.symmetry)
        if built.held:
            config |= {"held": file.held, "held_joints": built.held}
        joints, pads = config["joints"], config["pads"]
        pad_names, (points, radius) = tuple(p["name"] for p in pads), pad_shapes(pads)
        return cls(
            name=config["name"],
            file=file,
            model=model,
            simulated=Simulated.of(whole, names),
            config=config,
            joint_names=tuple(names),
            joint_range=np.array([j["range"] for j in joints]),
            force_limit=np.array([j["force_limit"] for j in joints]),
            home_qpos=model.keyframe("home").qpos.copy(),
            pad_names=pad_names,
            pad_half_size=np.array([p["half_size"] for p in pads]),
            pad_points=points,
            pad_radius=radius,
            foot_names=tuple(feet),
            pad_ids_of_foot=pad_ids(pad_names, list(feet.values())),
            imu_site=built.imu,
            joint_axes=joint_axes(model),
            mirror=None if file.symmetry is None else mirror_map(config),
            sensor_slices=sensor_slices(model, pad_names, tuple(feet)),
        )

    def spec(self, held: str | None = None) -> mujoco.MjSpec:
        """A model as a new, editable spec: what others add to it changes no other copy.

        Args:
            held: `weld`: that of `model`. By default that of `simulated`.
        """
        return build_robot(self.file, held or self.file.held).spec

    @property
    def xml_path(self) -> Path:
        """The model's file as its author wrote it, without what `robot.yaml` adds."""
        return self.file.path

    @property
    def joint_mirror_ids(self) -> np.ndarray:
        """(joint,) partner of each joint: the image of joints q is `signs * q[ids]`."""
        return self.check_symmetric().joint_ids

    @property
    def joint_mirror_signs(self) -> np.ndarray:
        """(joint,) sign of each joint's angle in the mirror image."""
        return self.check_symmetric().joint_signs

    @property
    def pad_mirror_ids(self) -> np.ndarray:
        """(pad,) partner of each pad."""
        return self.check_symmetric().pad_ids

    def check_symmetric(self) -> Mirror:
        """The mirror map.

        Raises:
            RobotError: the robot is not symmetric.
        """
        if self.mirror is None:
            raise RobotError(
                f"Robot {self.name!r} is not symmetric (`symmetry: none` in"
                f" {self.file.folder / ROBOT_FILE}), and has no mirror image. Train it with"
                " `symmetric_policy: none` and `amp.symmetry: false`, on motion as it is."
            )
        return self.mirror

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

    @cached_property
    def legs(self) -> tuple[Leg, ...]:
        """The joints of each foot's leg by what they do."""
        chains = [self.leg_joint_names(foot) for foot in self.foot_names]
        return tuple(
            leg_of(foot, own_joints(chain, chains), self.joint_names, self.joint_axes)
            for foot, chain in zip(self.foot_names, chains, strict=True)
        )

    @cached_property
    def waist_yaw(self) -> str | None:
        """The joint that turns the torso about z against the base; None where there is none.

        Of the joints about z in no leg, it is the one that moves most mass.
        """
        of_legs = {joint for leg in self.legs for joint in leg.joints}
        yaw = [
            name
            for name, axis in zip(self.joint_names, self.joint_axes, strict=True)
            if name not in of_legs and abs(axis[2]) > 0.9
        ]
        masses = {
            name: self.model.body_subtreemass[self.model.joint(name).bodyid[0]] for name in yaw
        }
        return max(yaw, key=lambda name: masses[name]) if yaw else None

    @property
    def target_height(self) -> float:
        """Height of the base that the reward asks for, m."""
        target = self.file.heights.target
        return round(float(self.home_qpos[2]), 4) if target is None else target

    @property
    def lowest_height(self) -> float:
        """Height of the base under which an episode ends, m."""
        low = self.file.heights.min
        return round(_LOWEST * float(self.home_qpos[2]), 4) if low is None else low

    @property
    def highest_height(self) -> float:
        """Height of the base over which an episode ends, m."""
        high = self.file.heights.max
        return round(_HIGHEST * float(self.home_qpos[2]), 4) if high is None else high

    @property
    def base_name(self) -> str:
        """Name of the body with the free joint."""
        return str(self.model.body(int(self.model.jnt_bodyid[0])).name)

    @property
    def foot_of_pad(self) -> np.ndarray:
        """(pad,) index of each pad's foot."""
        counts = (self.pad_ids_of_foot < len(self.pad_names)).sum(axis=1)
        return np.repeat(np.arange(len(counts)), counts)

    @property
    def size(self) -> float:
        """Length of its legs, in those of WildRobot."""
        return self.leg_length / _WILDROBOT_LEG

    @property
    def speed_scale(self) -> float:
        """Factor from WildRobot's speeds to those of the same Froude number v^2 / (g leg) here."""
        return float(np.sqrt(self.size))

    @property
    def digest(self) -> str:
        """SHA-256 of the description and of the servos' gains: what a policy depends on."""
        gains = np.stack([self.model.actuator_gainprm[:, 0], self.model.actuator_biasprm[:, 2]])
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
