"""What a robot is, in words: for people who check a `robot.yaml`."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from wildrobot_gym.robot.model import RobotModel
from wildrobot_gym.robot.mujoco_warnings import logged_warnings

STAND_S = 5.0
_FALLEN = 0.8  # of the home height
_SATURATED = 0.98


@dataclass(frozen=True)
class Stand:
    """What a robot did that was left at home with its servos on.

    Attributes:
        stands: Whether it stood after `STAND_S`.
        tilt: Of the base at the end, rad.
        sunk: How much lower than at home the base was at the end, m.
        torque_fraction: Greatest torque at the end, as a fraction of its servo's limit.
        hardest: The joint with that torque.
    """

    stands: bool
    tilt: float
    sunk: float
    torque_fraction: float
    hardest: str


def stand_at_home(robot: RobotModel) -> Stand:
    """Simulate the home pose for `STAND_S` with the servos holding it."""
    model = robot.simulated.model
    data = mujoco.MjData(model)
    mujoco.mj_resetDataKeyframe(model, data, model.keyframe("home").id)
    with logged_warnings(robot.name):
        while data.time < STAND_S:
            mujoco.mj_step(model, data)
    upright = float(data.xmat[model.jnt_bodyid[0]].reshape(3, 3)[2, 2])
    height, home = float(data.qpos[2]), float(robot.home_qpos[2])
    load = np.abs(data.actuator_force) / model.actuator_forcerange[:, 1]
    return Stand(
        stands=bool(height > _FALLEN * home and upright > 0.9),
        tilt=float(np.arccos(np.clip(upright, -1.0, 1.0))),
        sunk=home - height,
        torque_fraction=float(load.max()),
        hardest=robot.joint_names[int(load.argmax())],
    )


def lines_of(robot: RobotModel, stand: Stand) -> list[str]:
    """What the robot is: mass, heights, joints, feet, mirror pairs."""
    lines = [
        f"{robot.name}: {robot.file.path.name}, {robot.mass:.3f} kg, base {robot.base_name!r}"
        f" {robot.home_qpos[2]:.3f} m up at home, legs {robot.leg_length:.3f} m,"
        f" IMU {robot.imu_site!r}",
        f"{robot.num_joints} joints: {', '.join(robot.joint_names)}",
    ]
    for foot, row in zip(robot.foot_names, robot.pad_ids_of_foot, strict=True):
        pads = [robot.pad_names[i] for i in row if i < len(robot.pad_names)]
        leg = ", ".join(robot.leg_joint_names(foot))
        lines.append(f"foot {foot}: pads {', '.join(pads)}; leg {leg}")
    if robot.mirror is None:
        lines.append("not symmetric: no mirrored motion, no symmetric policy")
    else:
        lines.append(f"mirror pairs: {', '.join(_pairs(robot))}")
    if stand.stands:
        lines.append(
            f"stands at home for {STAND_S:g} s: tilt {np.degrees(stand.tilt):.1f} degrees, base"
            f" {1e3 * stand.sunk:.1f} mm lower, {stand.hardest} at"
            f" {100 * stand.torque_fraction:.0f} % of its force limit"
        )
    return lines


def _pairs(robot: RobotModel) -> list[str]:
    """Each joint with its image; a minus where the angle changes its sign."""
    pairs = []
    for i, name in enumerate(robot.joint_names):
        partner, sign = int(robot.joint_mirror_ids[i]), robot.joint_mirror_signs[i]
        if partner >= i:
            pairs.append(f"{name} = {'-' if sign < 0 else ''}{robot.joint_names[partner]}")
    return pairs


def warnings_of(robot: RobotModel, stand: Stand) -> list[str]:
    """What may be wrong with a robot, in sentences with the model's own names."""
    found = []
    if not stand.stands:
        found.append(
            f"It does not stand at home for {STAND_S:g} s: after that its base is"
            f" {stand.sunk:.3f} m lower and tilted by {np.degrees(stand.tilt):.0f} degrees."
            f" {stand.hardest} takes {100 * stand.torque_fraction:.0f} % of its force limit."
            " Change `home`, or the gains in `servos`."
        )
    elif stand.torque_fraction >= _SATURATED:
        found.append(f"Standing at home, {stand.hardest} is at its force limit.")
    data = mujoco.MjData(robot.model)
    data.qpos[:] = robot.home_qpos
    mujoco.mj_forward(robot.model, data)
    heights = {pad: float(data.site(pad).xpos[2]) for pad in robot.pad_names}
    if high := [pad for pad in robot.pad_names if heights[pad] > 5e-3]:
        worst = max(high, key=lambda pad: heights[pad])
        found.append(
            f"At home {', '.join(high)} are over the floor, {worst} by"
            f" {1e3 * heights[worst]:.0f} mm."
        )
    base = float(robot.model.body_mass[int(robot.model.jnt_bodyid[0])])
    if base <= 1e-3:
        found.append(f"The base {robot.base_name!r} weighs {1e3 * base:.1f} g.")
    step, gain = robot.model.opt.timestep, -robot.model.actuator_biasprm[:, 2]
    inertia = robot.model.dof_armature[6:]
    stiff = [
        name
        for name, kv, m in zip(robot.joint_names, gain, inertia, strict=True)
        if kv * step > 2.0 * max(m, 1e-9)
        and robot.model.opt.integrator == mujoco.mjtIntegrator.mjINT_EULER
    ]
    if stiff:
        found.append(
            f"kv of {', '.join(stiff)} may be unstable with the Euler integrator: kv *"
            " timestep / armature is over 2. Write `options: {integrator: implicitfast}`, or give"
            " the joints an armature."
        )
    return found
