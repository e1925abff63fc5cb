"""What a compiled model must have to be a robot.

- A free joint, and one position actuator for each hinge joint, in joint order.
- A keyframe `home`.
- For each pad: touch, framepos and framelinvel sensors `<pad>_force`, `<pad>_pos` and `<pad>_vel`
  on a site with the pad's name, and a geom with the same name.
- For each foot: framepos and framequat sensors `<foot>_pos` and `<foot>_quat`.

`robot.yaml` adds the sites, sensors and keyframe that a model lacks. What a model has by these
names is used as it is, so it is checked here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import mujoco

from wildrobot_gym.errors import RobotError

_SENSOR = mujoco.mjtSensor
_KINDS = {
    "force": _SENSOR.mjSENS_TOUCH,
    "pos": _SENSOR.mjSENS_FRAMEPOS,
    "vel": _SENSOR.mjSENS_FRAMELINVEL,
    "quat": _SENSOR.mjSENS_FRAMEQUAT,
}


def body_of(model: mujoco.MjModel, site: str) -> int:
    """Index of the body that carries a site."""
    return int(model.site(site).bodyid[0])


def check_structure(
    model: mujoco.MjModel, pads_of_foot: Mapping[str, Sequence[str]], path: Path
) -> None:
    """Raise RobotError where joints and actuators disagree, or a site or sensor is another's.

    The message lists all problems.
    """
    problems = _joint_problems(model)
    for foot, pads in pads_of_foot.items():
        problems += _sensor_problems(model, foot, pads)
    if problems:
        raise RobotError(f"{path} cannot be used as a robot: {'; '.join(problems)}.")


def without_range(joints: Sequence[str]) -> str:
    """What to do about joints without a range."""
    return (
        f"joints without a range: {', '.join(joints)}; write one into the model, or `servos:"
        f" {{{joints[0]}: {{range: [low, high]}}}}` in rad"
    )


def _joint_problems(model: mujoco.MjModel) -> list[str]:
    problems = []
    if model.njnt == 0 or model.jnt_type[0] != mujoco.mjtJoint.mjJNT_FREE:
        problems.append("the first joint must be a free joint (the base)")
    hinges = [model.joint(i).name for i in range(1, model.njnt)]
    hinge = mujoco.mjtJoint.mjJNT_HINGE
    if other := [name for i, name in enumerate(hinges, 1) if model.jnt_type[i] != hinge]:
        problems.append(f"all joints but the base must be hinges, unlike {', '.join(other)}")
    if free := [name for i, name in enumerate(hinges, 1) if not model.jnt_limited[i]]:
        problems.append(without_range(free))
    driven = [model.joint(int(model.actuator_trnid[i, 0])).name for i in range(model.nu)]
    if strong := [driven[i] for i in range(model.nu) if not model.actuator_forcelimited[i]]:
        problems.append(
            f"actuators without a forcerange, of: {', '.join(strong)}; write one into the model,"
            f" or `servos: {{{strong[0]}: {{force_limit: N*m}}}}`"
        )
    return problems


def _sensor_problems(model: mujoco.MjModel, foot: str, pads: Sequence[str]) -> list[str]:
    problems = []
    body = body_of(model, foot)
    if strays := [pad for pad in pads if body_of(model, pad) != body]:
        problems.append(
            f"sites of pads on another body than foot {foot!r}'s"
            f" {model.body(body).name!r}: {', '.join(strays)}"
        )
    needed = [f"{pad}_{kind}" for pad in pads for kind in ("force", "pos", "vel")]
    for name in [*needed, f"{foot}_pos", f"{foot}_quat"]:
        sensor = model.sensor(name)
        site, _, kind = name.rpartition("_")
        right = sensor.type[0] == _KINDS[kind] and sensor.objtype[0] == mujoco.mjtObj.mjOBJ_SITE
        if not right or model.site(int(sensor.objid[0])).name != site:
            problems.append(
                f"sensor {name!r} must be {_KINDS[kind].name.removeprefix('mjSENS_').lower()} of"
                f" site {site!r}"
            )
    return problems


def is_position_servo(model: mujoco.MjModel, actuator: int) -> bool:
    """Whether an actuator is MJCF's `position` with gear 1.

    Its torque is kp times the position error in rad.
    """
    kp, bias = model.actuator_gainprm[actuator, 0], model.actuator_biasprm[actuator]
    return bool(
        model.actuator_trntype[actuator] == mujoco.mjtTrn.mjTRN_JOINT
        and model.actuator_dyntype[actuator] == mujoco.mjtDyn.mjDYN_NONE
        and model.actuator_gaintype[actuator] == mujoco.mjtGain.mjGAIN_FIXED
        and model.actuator_biastype[actuator] == mujoco.mjtBias.mjBIAS_AFFINE
        and (bias[0], bias[1]) == (0.0, -kp)
        and model.actuator_gear[actuator, 0] == 1.0
    )
