"""MJX's model of a robot: contact points in the corners of the soles, and nothing else touches."""

from __future__ import annotations

import jax
import mujoco
import numpy as np
import pytest
from mujoco import mjx

from wildrobot_gym.physics.corner_contacts import corner_model
from wildrobot_gym.physics.mjx import MjxEngine
from wildrobot_gym.robot import RobotModel

DEEPEST = 2e-3  # m; twice as deep as a resting sole, half as deep as a pad is thick


def test_only_feet_touch_only_the_floor(robot: RobotModel) -> None:
    """Four points of each pad, four rows of friction each; a row for each joint's limit and
    friction.
    """
    engine, model = MjxEngine(robot), corner_model(robot)

    @jax.jit
    def contacts(qpos: jax.Array) -> jax.Array:
        data = mjx.kinematics(engine.model, engine._template.replace(qpos=qpos))
        return mjx.collision(engine.model, data)._impl.contact.geom

    points, joints = 4 * len(robot.pad_names), robot.num_joints
    pairs = np.asarray(contacts(robot.home_qpos))
    assert pairs.shape == (points, 2)
    assert set(pairs[:, 0]) == {model.geom("floor").id}
    feet = {int(robot.model.geom(pad).bodyid[0]) for pad in robot.pad_names}
    assert set(model.geom_bodyid[pairs[:, 1]]) == feet
    assert len(set(pairs[:, 1])) == points
    assert engine._template._impl.efc_J.shape == (joints + joints + 4 * points, robot.model.nv)


def test_the_rest_of_the_model_is_the_same(robot: RobotModel) -> None:
    model = corner_model(robot)
    for name in ("body_mass", "body_inertia", "dof_invweight0", "dof_damping", "site_pos"):
        np.testing.assert_array_equal(getattr(model, name), getattr(robot.model, name), name)
    np.testing.assert_array_equal(model.sensor_adr, robot.model.sensor_adr)
    np.testing.assert_array_equal(model.key_qpos, robot.model.key_qpos)


@pytest.mark.parametrize("tilt", [0.0, 0.02, 0.3])
def test_points_bear_load_as_boxes_do(robot: RobotModel, tilt: float) -> None:
    """The same accelerations and pad forces, for soles that are in the floor, flat or tilted."""
    models = robot.model, corner_model(robot)
    rng = np.random.default_rng(0)
    counts = set()
    for _ in range(40):
        qpos = robot.home_qpos.copy()
        axis = np.append(rng.standard_normal(2), 0.0)
        mujoco.mju_axisAngle2Quat(qpos[3:7], axis / np.linalg.norm(axis), tilt * rng.uniform())
        qpos[7:] += tilt * rng.uniform(-0.1, 0.1, robot.num_joints)
        qpos[2] -= lowest(robot, qpos) + DEEPEST * rng.uniform()
        pair = []
        for model in models:
            data = mujoco.MjData(model)
            data.qpos, data.ctrl = qpos, qpos[7:]
            mujoco.mj_forward(model, data)
            pair.append(data)
        boxes, points = pair
        counts.add(boxes.ncon)
        assert points.ncon == boxes.ncon > 0
        np.testing.assert_allclose(points.qacc, boxes.qacc, atol=1e-3 * np.abs(boxes.qacc).max())
        np.testing.assert_allclose(points.sensordata, boxes.sensordata, atol=0.05)
    assert len(counts) >= (1 if tilt == 0.0 else 3)


def lowest(robot: RobotModel, qpos: np.ndarray) -> float:
    """Height of the lowest corner of all pads, m."""
    data = mujoco.MjData(robot.model)
    data.qpos = qpos
    mujoco.mj_kinematics(robot.model, data)
    signs = np.stack(np.meshgrid(*[[-1, 1]] * 3), axis=-1).reshape(-1, 3)
    heights = [
        data.geom(pad).xpos[2]
        + signs * robot.model.geom(pad).size @ data.geom(pad).xmat.reshape(3, 3)[2]
        for pad in robot.pad_names
    ]
    return float(np.min(heights))
