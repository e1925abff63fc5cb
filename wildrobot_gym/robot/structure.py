"""What an MJCF model must have to be a robot.

- A free joint, and one position actuator for each hinge joint, in joint order.
- A keyframe `home`.
- For each pad: touch, framepos and framelinvel sensors `<pad>_force`, `<pad>_pos` and `<pad>_vel`
  on a site with the pad's name, and a geom with the same name.
- For each foot: framepos and framequat sensors `<foot>_pos` and `<foot>_quat`.
"""

from __future__ import annotations

from pathlib import Path

import mujoco

from wildrobot_gym.errors import RobotError


def compile_model(xml_path: str | Path) -> mujoco.MjModel:
    """Compile an MJCF file.

    Raises:
        RobotError: MuJoCo cannot compile it; with MuJoCo's own message.
    """
    try:
        return mujoco.MjModel.from_xml_path(str(xml_path))
    except ValueError as error:
        raise RobotError(f"MuJoCo cannot compile {xml_path}: {error}") from error


def pad_names(model: mujoco.MjModel) -> list[str]:
    """Names of the contact pads: those of the touch sensors."""
    return _sensors(model, mujoco.mjtSensor.mjSENS_TOUCH, "_force")


def foot_names(model: mujoco.MjModel) -> list[str]:
    """Names of the feet: those of the framequat sensors."""
    return _sensors(model, mujoco.mjtSensor.mjSENS_FRAMEQUAT, "_quat")


def body_of(model: mujoco.MjModel, site: str) -> int:
    """Index of the body that carries a site."""
    return int(model.site(site).bodyid[0])


def check_structure(model: mujoco.MjModel) -> None:
    """Raise RobotError where a part is missing or joints and actuators disagree.

    The message lists all problems.
    """
    problems = _joint_problems(model) + _sensor_problems(model)
    if "home" not in {model.keyframe(i).name for i in range(model.nkey)}:
        problems.append("keyframe 'home' is missing")
    if problems:
        raise RobotError("The model cannot be used as a robot: " + "; ".join(problems) + ".")


def _sensors(model: mujoco.MjModel, kind: mujoco.mjtSensor, suffix: str) -> list[str]:
    ids = [i for i in range(model.nsensor) if model.sensor_type[i] == kind]
    return [model.sensor(i).name.removesuffix(suffix) for i in ids]


def _joint_problems(model: mujoco.MjModel) -> list[str]:
    problems = []
    if model.njnt == 0 or model.jnt_type[0] != mujoco.mjtJoint.mjJNT_FREE:
        problems.append("the first joint must be a free joint (the base)")
    hinges = [model.joint(i).name for i in range(1, model.njnt)]
    driven = [model.joint(int(model.actuator_trnid[i, 0])).name for i in range(model.nu)]
    if hinges != driven:
        problems.append(
            f"actuators must drive every joint in joint order; joints {hinges}, actuators drive"
            f" {driven}"
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
    return problems


def _sensor_problems(model: mujoco.MjModel) -> list[str]:
    problems = []
    pads, feet = pad_names(model), foot_names(model)
    if not pads or not feet:
        problems.append(
            "touch sensors named <pad>_force and framequat sensors named <foot>_quat are needed"
        )
    needed = {f"{pad}_{kind}" for pad in pads for kind in ("force", "pos", "vel")}
    needed |= {f"{foot}_{kind}" for foot in feet for kind in ("pos", "quat")}
    if missing := sorted(needed - {model.sensor(i).name for i in range(model.nsensor)}):
        problems.append(f"missing sensors: {', '.join(missing)}")
    if missing := sorted(set(pads) - {model.geom(i).name for i in range(model.ngeom)}):
        problems.append(f"missing pad geoms: {', '.join(missing)}")
    if missing := sorted({*pads, *feet} - {model.site(i).name for i in range(model.nsite)}):
        problems.append(f"missing sites of pads or feet: {', '.join(missing)}")
    else:
        bodies = {body_of(model, foot) for foot in feet}
        if strays := [pad for pad in pads if body_of(model, pad) not in bodies]:
            problems.append(f"pads on no foot's body: {', '.join(strays)}")
    return problems


def _is_position_servo(model: mujoco.MjModel, actuator: int) -> bool:
    """Whether an actuator is MJCF's `position`.

    Its torque is kp times the position error in rad.
    """
    kp, bias = model.actuator_gainprm[actuator, 0], model.actuator_biasprm[actuator]
    return (
        model.actuator_trntype[actuator] == mujoco.mjtTrn.mjTRN_JOINT
        and model.actuator_dyntype[actuator] == mujoco.mjtDyn.mjDYN_NONE
        and model.actuator_gaintype[actuator] == mujoco.mjtGain.mjGAIN_FIXED
        and model.actuator_biastype[actuator] == mujoco.mjtBias.mjBIAS_AFFINE
        and (bias[0], bias[1]) == (0.0, -kp)
        and model.actuator_gear[actuator, 0] == 1.0
    )
