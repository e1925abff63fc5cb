"""One position servo for each joint, in joint order."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from fnmatch import fnmatchcase

import mujoco
import numpy as np

from wildrobot_gym.errors import RobotError, unknown_name
from wildrobot_gym.robot.file import RobotFile, ServoSettings
from wildrobot_gym.robot.structure import is_position_servo, without_range

_JOINT = mujoco.mjtTrn.mjTRN_JOINT


def settings_of(file: RobotFile, joint: str) -> ServoSettings:
    """What `robot.yaml` says of a joint's servo; None where it says nothing."""
    found: dict[str, object] = {}
    for pattern, settings in file.servos.items():
        if fnmatchcase(joint, pattern):
            given = dataclasses.asdict(settings)
            found |= {name: value for name, value in given.items() if value is not None}
    return ServoSettings(**found)  # type: ignore[arg-type]


def check_patterns(what: str, patterns: Sequence[str], joints: Sequence[str]) -> None:
    """Raise RobotError for a pattern that is no joint's."""
    for pattern in patterns:
        if not any(fnmatchcase(joint, pattern) for joint in joints):
            raise RobotError(unknown_name(f"joint in {what}", pattern, joints))


def add_servos(
    spec: mujoco.MjSpec, model: mujoco.MjModel, file: RobotFile, joints: list[str]
) -> None:
    """Give every joint of `joints` a position servo, in their order.

    A model whose actuators are right already keeps them.

    Args:
        spec: The model to change.
        model: The same, compiled.
        file: Has the servos' settings.
        joints: The joints.

    Raises:
        RobotError: gains or limits are neither in the model nor in the file.
    """
    every = [model.joint(i).name for i in range(model.njnt)]
    check_patterns("servos", list(file.servos), every)  # those that are held have gains, too
    settings = {joint: settings_of(file, joint) for joint in joints}
    for name, given in settings.items():
        _set_joint(spec.joint(name), given)
    driven = [
        (int(model.actuator_trntype[i]), model.joint(int(model.actuator_trnid[i, 0])).name)
        for i in range(model.nu)
    ]
    asked = any(
        value is not None
        for given in settings.values()
        for value in (given.kp, given.kv, given.force_limit, given.range)
    )
    right = all(is_position_servo(model, i) for i in range(model.nu))
    if not asked and right and driven == [(int(_JOINT), joint) for joint in joints]:
        return  # also where a force limit is missing: `check_structure` names the joints
    limited = {joint for joint in joints if model.jnt_limited[model.joint(joint).id]}
    if free := [name for name in joints if name not in limited and settings[name].range is None]:
        raise RobotError(f"{file.path} cannot be used as a robot: {without_range(free)}.")
    problems, wanted = [], []
    for joint in joints:
        own = [i for i in range(model.nu) if driven[i] == (int(_JOINT), joint)]
        servo = _merged(model, joint, own, settings[joint])
        if missing := [name for name in ("kp", "force_limit") if getattr(servo, name) is None]:
            problems.append(f"{joint} ({_found(model, own)}) has no {' and no '.join(missing)}")
        wanted.append((joint, _name_of(model, own) or joint, servo))
    if problems:
        raise RobotError(
            f"{file.path}: joints need position servos: {'; '.join(problems)}. Give them in"
            ' robot.yaml, such as `servos: {"*": {kp: 20.0, kv: 0.5, force_limit: 4.0}}` in N*m'
            " and rad."
        )
    for actuator in list(spec.actuators):
        spec.delete(actuator)
    for key in spec.keys:  # their controls were those of the other actuators
        key.ctrl = []
    for joint, name, servo in wanted:
        actuator = spec.add_actuator(name=name, target=joint, trntype=_JOINT)
        actuator.set_to_position(kp=servo.kp, kv=servo.kv or 0.0)
        # All that a default class of the model could set otherwise.
        actuator.gear = np.array([1.0, 0.0, 0.0, 0.0, 0.0, 0.0])
        actuator.inheritrange = 0.0
        actuator.ctrllimited = actuator.forcelimited = mujoco.mjtLimited.mjLIMITED_TRUE
        actuator.ctrlrange = servo.range or model.joint(joint).range
        actuator.forcerange = [-servo.force_limit, servo.force_limit]  # type: ignore[operator]


def _set_joint(joint: mujoco.MjsJoint, given: ServoSettings) -> None:
    for field, value in (("armature", given.armature), ("frictionloss", given.friction)):
        if value is not None:
            setattr(joint, field, value)
    if given.damping is not None:
        joint.damping = np.array([given.damping, 0.0, 0.0])[: np.size(joint.damping)]
    if given.range is not None:
        degrees = joint.compiler.degree
        joint.range = np.degrees(given.range) if degrees else np.array(given.range)
        joint.limited = mujoco.mjtLimited.mjLIMITED_TRUE


def _merged(
    model: mujoco.MjModel, joint: str, own: list[int], given: ServoSettings
) -> ServoSettings:
    """The settings, with the model's own values where they leave one out."""
    kp = kv = None
    limit: float | None = None
    row = model.joint(joint).id
    if model.jnt_actfrclimited[row]:
        limit = float(model.jnt_actfrcrange[row, 1])
    if len(own) == 1:
        i = own[0]
        gear = abs(float(model.actuator_gear[i, 0]))
        if is_position_servo(model, i):
            kp = float(model.actuator_gainprm[i, 0])
            kv = -float(model.actuator_biasprm[i, 2])
        if model.actuator_forcelimited[i]:
            limit = gear * float(model.actuator_forcerange[i, 1])
        elif _is_motor(model, i) and model.actuator_ctrllimited[i]:
            limit = gear * float(model.actuator_gainprm[i, 0] * model.actuator_ctrlrange[i, 1])
    return ServoSettings(
        kp=given.kp if given.kp is not None else kp,
        kv=given.kv if given.kv is not None else kv,
        force_limit=given.force_limit if given.force_limit is not None else limit or None,
        range=given.range,
    )


def _is_motor(model: mujoco.MjModel, actuator: int) -> bool:
    return bool(
        model.actuator_biastype[actuator] == mujoco.mjtBias.mjBIAS_NONE
        and model.actuator_dyntype[actuator] == mujoco.mjtDyn.mjDYN_NONE
    )


def _name_of(model: mujoco.MjModel, own: list[int]) -> str:
    return model.actuator(own[0]).name if len(own) == 1 else ""


def _found(model: mujoco.MjModel, own: list[int]) -> str:
    """What the model has for a joint, in words."""
    if not own:
        return "no actuator"
    if len(own) > 1:
        return f"{len(own)} actuators"
    if is_position_servo(model, own[0]):
        return "a position servo"
    return "a motor" if _is_motor(model, own[0]) else "an actuator of another kind"
