"""One robot in plain MuJoCo, from any MJCF of it, driven like the real one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import mujoco
import numpy as np

from wildrobot_gym.deploy.description import PolicyDescription
from wildrobot_gym.deploy.robot_io import Sensors
from wildrobot_gym.errors import RobotError, unknown_name
from wildrobot_gym.experiments.rehearse.contacts import FootSwitches

_START_HEIGHT = 2.0  # m; higher than any robot's base, so that nothing touches before it is lowered


@dataclass(frozen=True)
class ModelMap:
    """How names of the policy's robot are named in another MJCF.

    Attributes:
        joints: The MJCF's name of each joint that it names differently.
        base: The body that the policy calls the base; None: the one with the free joint.
    """

    joints: Mapping[str, str]
    base: str | None = None


class PlainRobot:
    """A robot, and the floor that it stands on.

    A joint with a position servo in the MJCF is driven by it. Any other one gets the torque of the
    servo in `policy.json`.

    Args:
        xml: The MJCF file. A floor is added where it has none.
        description: The policy's.
        names: Names that differ.
        spec: The file's model with changes, such as those of a `robot.yaml`.

    Attributes:
        model: The compiled model.
        data: The simulation.
        base: The body that the policy calls the base.
        joint_bodies: The body that each joint moves, by the policy's name of the joint.
        targets: (joint,) of the servos, rad.
        substeps: Physics steps in a control period.
        servo: (joint,) whether the MJCF's own position servo drives the joint.

    Raises:
        RobotError: MuJoCo cannot compile the file, or a part is missing.
    """

    def __init__(
        self,
        xml: Path,
        description: PolicyDescription,
        names: ModelMap | None = None,
        spec: mujoco.MjSpec | None = None,
    ) -> None:
        names = names or ModelMap({})
        self.model = _compile(xml, spec)
        self.data = mujoco.MjData(self.model)
        self._spec = description
        ids = _joint_ids(self.model, description, names, xml)
        self.joint_bodies = dict(
            zip(description.joint_names, self.model.jnt_bodyid[ids], strict=True)
        )
        self._qpos, self._dof = self.model.jnt_qposadr[ids], self.model.jnt_dofadr[ids]
        self._free = _free_joint(self.model, xml)
        self.base = int(self.model.jnt_bodyid[self._free])
        if names.base is not None:
            self.base = mujoco.mj_name2id(self.model, mujoco.mjtObj.mjOBJ_BODY, names.base)
            if self.base < 0:
                bodies = [self.model.body(i).name for i in range(1, self.model.nbody)]
                raise RobotError(unknown_name("body", names.base, bodies))
        actuators = [_servo(self.model, joint, xml) for joint in ids]
        self.servo = np.array([actuator is not None for actuator in actuators])
        self._ctrl = np.array([a for a in actuators if a is not None], int)
        self._kp, self._kd = description.of_joints("kp"), description.of_joints("kd")
        self._limit = description.of_joints("force_limit")
        self.targets = description.of_joints("home")
        self.substeps = _substeps(self.model, description, xml)
        self.place()
        self._switches: FootSwitches | None = None
        if description.switch_names:
            joints = {name: int(i) for name, i in zip(description.joint_names, ids, strict=True)}
            self._switches = FootSwitches(self.model, self.data, description, self.base, joints)

    @property
    def weight(self) -> float:
        """Mass times gravity, N."""
        return float(self.model.body_mass.sum() * np.linalg.norm(self.model.opt.gravity))

    def place(
        self,
        joint_pos: np.ndarray | None = None,
        base_quat: np.ndarray | None = None,
        velocity: np.ndarray | None = None,
    ) -> None:
        """Stand the robot on the floor.

        Args:
            joint_pos: (joint,) rad; the home pose by default.
            base_quat: (4,) orientation of the free joint's body, wxyz; upright by default.
            velocity: (6 + joint,) of the base and the joints, m/s and rad/s; 0 by default.
        """
        mujoco.mj_resetData(self.model, self.data)
        joint_pos = self._spec.of_joints("home") if joint_pos is None else joint_pos
        start = int(self.model.jnt_qposadr[self._free])
        self.data.qpos[start : start + 3] = (0.0, 0.0, _START_HEIGHT)
        self.data.qpos[start + 3 : start + 7] = (1, 0, 0, 0) if base_quat is None else base_quat
        self.data.qpos[self._qpos] = joint_pos
        mujoco.mj_kinematics(self.model, self.data)
        self.data.qpos[start + 2] -= self.lowest(range(1, self.model.nbody))
        if velocity is not None:
            first = int(self.model.jnt_dofadr[self._free])
            self.data.qvel[first : first + 6] = velocity[:6]
            self.data.qvel[self._dof] = velocity[6:]
        self.targets = np.array(joint_pos)
        mujoco.mj_forward(self.model, self.data)

    def lowest(self, bodies: Iterable[int]) -> float:
        """Height of the lowest corner of the colliding geoms of some bodies, m.

        Raises:
            RobotError: They have none.
        """
        model = self.model
        touching = (model.geom_contype | model.geom_conaffinity) > 0
        ids = np.flatnonzero(np.isin(model.geom_bodyid, list(bodies)) & touching)
        if not len(ids):
            raise RobotError("The MJCF has no geom there that can touch the floor.")
        centers, halves = model.geom_aabb[ids, :3], model.geom_aabb[ids, 3:]
        up = self.data.geom_xmat[ids].reshape(-1, 3, 3)[:, 2]  # world z in each geom's frame
        heights = self.data.geom_xpos[ids, 2] + (up * centers).sum(1) - (np.abs(up) * halves).sum(1)
        return float(heights.min())

    def step(self) -> None:
        """One physics step towards the targets."""
        self.data.ctrl[self._ctrl] = self.targets[self.servo]
        driven = ~self.servo
        if driven.any():
            dof, error = self._dof[driven], self.targets - self.data.qpos[self._qpos]
            torque = self._kp[driven] * error[driven] - self._kd[driven] * self.data.qvel[dof]
            limit = self._limit[driven]
            self.data.qfrc_applied[dof] = np.clip(torque, -limit, limit)
        mujoco.mj_step(self.model, self.data)

    def sensors(self) -> Sensors:
        """What an ideal robot measures now. It has the foot switches that the policy observes."""
        # A physics step ends with new positions, but with the bodies where they were before.
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_comPos(self.model, self.data)
        mujoco.mj_comVel(self.model, self.data)
        velocity = np.zeros(6)
        mujoco.mj_objectVelocity(
            self.model, self.data, mujoco.mjtObj.mjOBJ_XBODY, self.base, velocity, 1
        )
        return Sensors(
            time=float(self.data.time),
            joint_pos=self.data.qpos[self._qpos],
            joint_vel=self.data.qvel[self._dof],
            quat=self.data.xquat[self.base].copy(),
            gyro=velocity[:3].copy(),
            lin_vel=velocity[3:].copy(),
            foot_switches=None if self._switches is None else self._switches.read(),
        )

    def velocity_w(self) -> np.ndarray:
        """(3,) velocity of the base in the world at the last `sensors`, m/s."""
        velocity = np.zeros(6)
        mujoco.mj_objectVelocity(
            self.model, self.data, mujoco.mjtObj.mjOBJ_XBODY, self.base, velocity, 0
        )
        return velocity[3:]

    def torques(self) -> np.ndarray:
        """(joint,) torque of each servo, N*m."""
        return self.data.qfrc_actuator[self._dof] + self.data.qfrc_applied[self._dof]


def _compile(xml: Path, spec: mujoco.MjSpec | None) -> mujoco.MjModel:
    """The model, with a floor."""
    try:
        spec = spec or mujoco.MjSpec.from_file(str(xml))
        if not spec.worldbody.geoms:
            spec.worldbody.add_geom(
                type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0, 0, 0.05], contype=1, conaffinity=1
            )
        return spec.compile()
    except (ValueError, OSError) as error:
        raise RobotError(f"MuJoCo cannot compile {xml}: {error}") from error


def _joint_ids(
    model: mujoco.MjModel, description: PolicyDescription, names: ModelMap, xml: Path
) -> np.ndarray:
    for name in names.joints:
        if name not in description.joint_names:
            raise RobotError(unknown_name("joint of the policy", name, description.joint_names))
    wanted = [names.joints.get(name, name) for name in description.joint_names]
    ids = [mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, name) for name in wanted]
    known = [model.joint(i).name for i in range(model.njnt)]
    if missing := [name for name, i in zip(wanted, ids, strict=True) if i < 0]:
        raise RobotError(
            f"{xml} has no joint {', '.join(missing)}; it has {', '.join(known)}. Give its names"
            " with --rename policy_name=model_name."
        )
    hinge = mujoco.mjtJoint.mjJNT_HINGE
    if other := [name for name, i in zip(wanted, ids, strict=True) if model.jnt_type[i] != hinge]:
        raise RobotError(f"{xml}: {', '.join(other)} must be hinges.")
    return np.array(ids)


def _free_joint(model: mujoco.MjModel, xml: Path) -> int:
    free = np.flatnonzero(model.jnt_type == mujoco.mjtJoint.mjJNT_FREE)
    if len(free) != 1:
        raise RobotError(f"{xml} has {len(free)} free joints; allowed: one, of the robot's base.")
    return int(free[0])


def _substeps(model: mujoco.MjModel, description: PolicyDescription, xml: Path) -> int:
    timestep, period = float(model.opt.timestep), description.control_dt
    count = round(period / timestep)
    if count < 1 or abs(count * timestep - period) > 1e-6:
        raise RobotError(
            f"The policy acts every {period} s, which is no whole multiple of {xml}'s time step,"
            f" {timestep} s. Change the time step."
        )
    return count


def _servo(model: mujoco.MjModel, joint: int, xml: Path) -> int | None:
    """The joint's position servo; None where a motor or nothing drives it."""
    of_joint = (model.actuator_trntype == mujoco.mjtTrn.mjTRN_JOINT) & (
        model.actuator_trnid[:, 0] == joint
    )
    for i in np.flatnonzero(of_joint):
        kp, bias = model.actuator_gainprm[i, 0], model.actuator_biasprm[i]
        affine = model.actuator_biastype[i] == mujoco.mjtBias.mjBIAS_AFFINE
        if affine and bias[1] == -kp != 0 and model.actuator_gear[i, 0] == 1:
            return int(i)
        if model.actuator_biastype[i] != mujoco.mjtBias.mjBIAS_NONE:
            raise RobotError(
                f"{xml}: the actuator of {model.joint(joint).name} is neither a position servo"
                " with gear 1 nor a motor."
            )
    return None
