"""Joints that no policy moves, welded in the home pose."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np


def weld(
    spec: mujoco.MjSpec, model: mujoco.MjModel, data: mujoco.MjData, joints: Sequence[str]
) -> None:
    """Fix the bodies of some joints where the home pose has them, and delete the joints.

    What refers to these joints goes, too: actuators, equalities and keyframes.

    Args:
        spec: The model to change.
        model: The same, compiled.
        data: Its home pose.
        joints: The joints.
    """
    if not joints:
        return
    bodies = {body.id: body for body in spec.bodies}
    for number in sorted({int(model.joint(joint).bodyid[0]) for joint in joints}):
        body, parent = bodies[number], int(model.body_parentid[number])
        turn = data.xmat[parent].reshape(3, 3)
        back, quat = np.zeros(4), np.zeros(4)
        mujoco.mju_negQuat(back, data.xquat[parent])
        mujoco.mju_mulQuat(quat, back, data.xquat[number])
        # A frame of its own, so that a <frame> around the body moves it no more.
        body.set_frame(bodies[parent].add_frame())
        body.alt.type = mujoco.mjtOrientation.mjORIENTATION_QUAT
        body.pos, body.quat = turn.T @ (data.xpos[number] - data.xpos[parent]), quat
    gone = set(joints)
    for equality in list(spec.equalities):
        if {equality.name1, equality.name2} & gone:
            spec.delete(equality)
    for actuator in list(spec.actuators):
        if actuator.target in gone:
            spec.delete(actuator)
    for key in list(spec.keys):
        spec.delete(key)
    for joint in joints:
        spec.delete(spec.joint(joint))


def forget_sensors(spec: mujoco.MjSpec, joints: Sequence[str]) -> None:
    """Delete the sensors of some joints, so that the others keep their place whether or not the
    joints are welded.
    """
    for sensor in list(spec.sensors):
        if sensor.objtype == mujoco.mjtObj.mjOBJ_JOINT and sensor.objname in joints:
            spec.delete(sensor)
