"""From `robot.yaml` and a plain model to the robot that tasks use. No file is changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import mujoco
import numpy as np

from wildrobot_gym.errors import RobotError, unknown_name
from wildrobot_gym.robot.feet import Foot, add_pads, find_feet
from wildrobot_gym.robot.file import RobotFile
from wildrobot_gym.robot.home import HOME, home_qpos, leg_joints
from wildrobot_gym.robot.mujoco_warnings import logged_warnings
from wildrobot_gym.robot.scene import add_scene, collide_only
from wildrobot_gym.robot.servos import add_servos
from wildrobot_gym.robot.weld import forget_sensors, weld

_FREE = mujoco.mjtJoint.mjJNT_FREE
_INTEGRATORS = {
    "Euler": mujoco.mjtIntegrator.mjINT_EULER,
    "implicitfast": mujoco.mjtIntegrator.mjINT_IMPLICITFAST,
    "RK4": mujoco.mjtIntegrator.mjINT_RK4,
}
IMU = "imu"


@dataclass(frozen=True)
class BuiltRobot:
    """The file's model with what it lacked.

    Attributes:
        spec: The model.
        pads_of_foot: Names of the pads of each foot, by the foot's name.
        imu: Name of the IMU's site.
        held: Names of the joints that the policy does not move.
    """

    spec: mujoco.MjSpec
    pads_of_foot: dict[str, list[str]]
    imu: str
    held: list[str]


def build_robot(file: RobotFile, held: str = "weld") -> BuiltRobot:
    """The model of a `robot.yaml`: its own, and what it lacks.

    Args:
        file: The content of the file.
        held: What keeps the joints that the policy does not move at home: their servos (`servo`),
            or a weld, which leaves the joints out of the model.

    Raises:
        RobotError: MuJoCo cannot read the model, or a part is missing. The message names it.
    """
    spec = read_model(file.path)
    base = _base(spec, file)
    model = compile_spec(spec, file.path)
    joints = policy_joints(model, file)
    known = joint_names(model)
    add_servos(spec, model, file, known if held == "servo" else joints)
    _set_options(spec, file)
    model = compile_spec(spec, file.path)
    feet = find_feet(model, file)
    _check_legs(model, file, joints, {foot.name: foot.body for foot in feet})
    home = home_qpos(model, file, [list(foot.geoms) for foot in feet])
    data = mujoco.MjData(model)
    data.qpos[:] = home
    mujoco.mj_kinematics(model, data)
    _check_sides(file, data, feet)
    others = [joint for joint in known if joint not in joints]
    forget_sensors(spec, others)
    if held == "weld":
        weld(spec, model, data, others)
        home = np.delete(home, [model.joint(joint).qposadr[0] for joint in others])
    add_pads(spec, model, data, feet)
    add_scene(spec, base, float(home[2]))
    if file.collisions == "feet":
        collide_only(spec, [pad for foot in feet for pad in foot.pads])
    _add_home(spec, home)
    imu = _add_imu(spec, base, file)
    spec.modelname = file.robot_name
    return BuiltRobot(spec, {foot.name: list(foot.pads) for foot in feet}, imu, others)


def _check_sides(file: RobotFile, data: mujoco.MjData, feet: Sequence[Foot]) -> None:
    """The left foot comes first, as everywhere else.

    Raises:
        RobotError: it does not.
    """
    y = [float(data.xpos[foot.body][1]) for foot in feet]
    if len(y) == 2 and y[0] < y[1]:
        names = [foot.name for foot in feet]
        raise RobotError(
            f"{file.path}: the first foot, {names[0]!r}, stands to the right of {names[1]!r}."
            " Name the left foot first (y points to the left)."
        )


def read_model(path: Path) -> mujoco.MjSpec:
    """A model's file, to be changed.

    Raises:
        RobotError: MuJoCo cannot read it.
    """
    try:
        with logged_warnings(str(path)):
            return mujoco.MjSpec.from_file(str(path))
    except (ValueError, OSError) as error:
        raise RobotError(f"MuJoCo cannot read {path}: {error}") from error


def compile_spec(spec: mujoco.MjSpec, path: Path) -> mujoco.MjModel:
    """Compile a model.

    Raises:
        RobotError: MuJoCo cannot; with its own message, which names a missing mesh.
    """
    try:
        with logged_warnings(str(path)):
            return spec.compile()
    except (ValueError, OSError) as error:
        raise RobotError(f"MuJoCo cannot compile {path}: {error}") from error


def _base(spec: mujoco.MjSpec, file: RobotFile) -> mujoco.MjsBody:
    """The body with the free joint; it gets one where the file asks for it."""
    roots = {body.name: body for body in spec.worldbody.bodies}
    free = [name for name, body in roots.items() if any(j.type == _FREE for j in body.joints)]
    if file.base is not None and file.base not in roots:
        raise RobotError(f"{file.path}: {unknown_name('base body', file.base, roots)}")
    if free:
        if len(free) > 1 or file.base not in (None, free[0]):
            raise RobotError(
                f"{file.path} has free joints in {', '.join(free)}; allowed: one, in the base"
                f"{f' {file.base!r}' if file.base else ''}."
            )
        return roots[free[0]]
    name = file.base or (next(iter(roots)) if len(roots) == 1 else None)
    if name is None or not (file.floating or file.path.suffix.lower() == ".urdf"):
        raise RobotError(
            f"{file.path} has no free joint; its bodies in the world are {', '.join(roots)}. Put"
            " <freejoint/> into the base, or write `floating: true`"
            f"{'' if name else ' and `base: <body>`'} in robot.yaml."
        )
    if roots[name].joints:
        held = ", ".join(joint.name for joint in roots[name].joints)
        raise RobotError(
            f"{file.path}: base {name!r} cannot get a free joint: it has the joint {held} to the"
            " world already."
        )
    for key in list(spec.keys):  # they are for a base that stands fixed
        spec.delete(key)
    roots[name].add_freejoint()
    return roots[name]


def joint_names(model: mujoco.MjModel) -> list[str]:
    """Names of all joints but the base's."""
    return [model.joint(i).name for i in range(1, model.njnt)]


def policy_joints(model: mujoco.MjModel, file: RobotFile) -> list[str]:
    """The joints that the policy moves.

    Raises:
        RobotError: an unknown joint, or another order than the model's.
    """
    known = joint_names(model)
    if "" in known:
        body = model.body(int(model.jnt_bodyid[1 + known.index("")])).name
        raise RobotError(f"{file.path}: a joint of body {body!r} has no name; give it one.")
    joints = list(file.joints) or known
    for joint in joints:
        if joint not in known:
            raise RobotError(f"{file.path}: {unknown_name('joint', joint, known)}")
    if joints != [joint for joint in known if joint in joints]:
        order = ", ".join(joint for joint in known if joint in joints)
        raise RobotError(
            f"{file.path}: joints are in another order than the model's. Write `joints: [{order}]`."
        )
    return joints


def _check_legs(
    model: mujoco.MjModel, file: RobotFile, joints: list[str], feet: dict[str, int]
) -> None:
    for foot, body in feet.items():
        chain = [model.joint(j).name for j in leg_joints(model, body)]
        if not set(chain) & set(joints):
            raise RobotError(
                f"{file.path}: feet.{foot}: no joint of the policy is between the base and body"
                f" {model.body(body).name!r} (joints there: {', '.join(chain) or 'none'})."
            )


def _set_options(spec: mujoco.MjSpec, file: RobotFile) -> None:
    options = file.options
    for name in ("timestep", "iterations", "ls_iterations"):
        if (value := getattr(options, name)) is not None:
            setattr(spec.option, name, value)
    if options.integrator is not None:
        spec.option.integrator = _INTEGRATORS[options.integrator]


def _add_home(spec: mujoco.MjSpec, home: np.ndarray) -> None:
    for key in list(spec.keys):
        if key.name == HOME:
            if np.array_equal(key.qpos, home) and np.array_equal(key.ctrl, home[7:]):
                return
            spec.delete(key)
    spec.add_key(name=HOME, qpos=home, ctrl=home[7:])


def _add_imu(spec: mujoco.MjSpec, base: mujoco.MjsBody, file: RobotFile) -> str:
    """Name of the IMU's site, which is made at the base's origin where there is none."""
    names = [site.name for site in spec.sites]
    if file.imu is not None:
        if file.imu not in names:
            raise RobotError(f"{file.path}: {unknown_name('site for imu', file.imu, names)}")
        return file.imu
    if found := [name for name in names if IMU in name.lower()]:
        return str(found[0])
    base.add_site(name=IMU, group=4)
    return IMU
