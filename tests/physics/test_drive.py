"""What acts on a robot within a control step: late targets, play, pushes, forces, and the model."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable

import mujoco
import numpy as np
import pytest

from wildrobot_gym.physics.drive import Drive, servo_inputs
from wildrobot_gym.physics.fields import model_fields
from wildrobot_gym.physics.native import NativePhysics
from wildrobot_gym.robot import RobotModel

N = 3
TICK = 0.002


def placed(robot: RobotModel, control_dt: float = 0.02, height: float = 0.0) -> NativePhysics:
    """Robots in the home pose, `height` above the floor."""
    physics = NativePhysics(robot, N, control_dt, num_threads=1)
    place(physics, height)
    return physics


def place(physics: NativePhysics, height: float = 0.0, **fields: np.ndarray) -> None:
    robot = physics.robot
    qpos = np.tile(robot.home_qpos, (N, 1))
    qpos[:, 2] += height
    physics.reset(np.arange(N), qpos, np.zeros((N, robot.model.nv)), fields)


def home(robot: RobotModel, plus: float = 0.0) -> np.ndarray:
    return np.tile(robot.home_joint_pos + plus, (N, 1))


def test_a_target_that_comes_8_ms_late_moves_the_robot_8_ms_late(robot: RobotModel) -> None:
    late, by_tick = placed(robot), placed(robot, TICK)
    old, new = home(robot), home(robot, 0.1)
    end = late.step(Drive(new, before=old, switch=np.array([0, 4, 10])))
    for tick in range(10):
        arrived = tick >= np.array([0, 4, 10])
        want = by_tick.step(Drive(np.where(arrived[:, None], new, old)))
    np.testing.assert_array_equal(end.qpos, want.qpos)
    np.testing.assert_array_equal(end.actuator_forces, want.actuator_forces)


def test_without_delay_or_play_the_substeps_are_those_of_one_call(robot: RobotModel) -> None:
    whole, parts = placed(robot), placed(robot)
    for step in range(3):
        targets = home(robot, 0.05 * step)
        a = whole.step(Drive(targets))
        b = parts.step(Drive(targets, before=targets + 1.0, switch=np.zeros(N, int)))
        np.testing.assert_array_equal(a.qpos, b.qpos)
        np.testing.assert_array_equal(a.qvel, b.qvel)
        np.testing.assert_array_equal(a.pad_forces, b.pad_forces)


def test_within_its_play_a_servo_gives_no_torque(wildrobot: RobotModel) -> None:
    """kp is 21.1 N*m/rad, and the play 0.04 rad: 0.05 rad of error act as 0.03."""
    physics = placed(wildrobot, TICK)
    error = np.array([0.019, 0.05, -0.05])
    play = np.full((N, wildrobot.num_joints), 0.04)
    forces = physics.step(Drive(home(wildrobot) + error[:, None], backlash=play)).actuator_forces
    np.testing.assert_allclose(forces[:, 1], [0.0, 21.1 * 0.03, -21.1 * 0.03], atol=1e-5)


def test_play_is_that_of_every_substep(robot: RobotModel) -> None:
    """A control step looks at the joints four times. That is as good as looking ten times."""
    rough, fine, none = placed(robot), placed(robot, TICK), placed(robot)
    play = np.full((N, robot.num_joints), 0.02)
    for step in range(25):
        targets = home(robot, 0.15 * np.sin(0.5 * step))
        a = rough.step(Drive(targets, backlash=play))
        for _ in range(10):
            b = fine.step(Drive(targets, backlash=play))
        c = none.step(Drive(targets))
    error = np.abs(a.joint_pos - b.joint_pos).max()
    assert error < 0.02 * np.abs(a.joint_pos - c.joint_pos).max()
    assert error < 2e-4


def test_servo_inputs_by_hand() -> None:
    drive = Drive(
        np.array([[1.0, 1.0]]),
        before=np.array([[0.0, 0.5]]),
        switch=np.array([2]),
        backlash=np.array([[0.2, 0.0]]),
    )
    pos = np.array([[0.05, 0.0]])
    np.testing.assert_allclose(servo_inputs(drive, 1, pos), [[0.05, 0.5]])
    np.testing.assert_allclose(servo_inputs(drive, 2, pos), [[0.9, 1.0]])


def test_a_push_adds_its_velocity_to_the_base(robot: RobotModel) -> None:
    push = np.array([[0.3, 0.0, 0.0], [0.0, -0.2, 0.0], [0.0, 0.0, 0.0]])
    pushed, twin = placed(robot, TICK, 1.0), placed(robot, TICK, 1.0)
    a = pushed.step(Drive(home(robot), push=push))
    b = twin.step(Drive(home(robot)))
    np.testing.assert_allclose(a.base_lin_vel_w - b.base_lin_vel_w, push, atol=1e-6)


def test_a_frozen_robot_is_not_pushed(wildrobot: RobotModel) -> None:
    physics = placed(wildrobot, height=1.0)
    drive = Drive(home(wildrobot), push=np.full((N, 3), 0.5))
    late = dataclasses.replace(drive, before=home(wildrobot), switch=np.array([3, 3, 3]))
    state = physics.step(drive, np.array([True, False, True]))
    again = physics.step(late, np.array([True, False, True]))
    np.testing.assert_array_equal(again.qpos[[0, 2]], state.qpos[[0, 2]])
    assert again.qvel[1, 0] == pytest.approx(2 * state.qvel[1, 0], abs=0.05)
    np.testing.assert_array_equal(state.qvel[[0, 2]], 0.0)
    assert state.qvel[1, 0] == pytest.approx(0.5, abs=0.05)


def test_a_force_changes_the_momentum_by_force_times_time(robot: RobotModel) -> None:
    """2 N for 0.1 s on 3.37 kg in the air: 0.059 m/s at the center of mass."""
    physics = placed(robot, height=1.0)
    com = physics.batch.bind("subtree_com")
    wrench = np.zeros((N, 6))
    wrench[1, 1] = 2.0
    for _ in range(5):
        physics.step(Drive(home(robot), wrench=wrench))
    at_end = com[:, 0].copy()
    physics.step(Drive(home(robot), wrench=np.zeros((N, 6))))
    sideways = (com[:, 0, 1] - at_end[:, 1]) / 0.02
    np.testing.assert_allclose(sideways, [0.0, 2.0 * 0.1 / robot.mass, 0.0], atol=1e-3)


# By hand, on a MuJoCo model of its own: what each field's factor of 1.3 should do to it.
def _by_hand(name: str) -> Callable[[mujoco.MjModel], None]:
    def edit(m: mujoco.MjModel) -> None:
        if name == "mass":
            m.body_mass[1:] *= 1.3
            m.body_subtreemass[:] *= 1.3
        elif name == "inertia":
            m.body_inertia[1:] *= 1.3
        elif name == "com":
            m.body_ipos[1:] *= 1.3
        elif name == "friction":
            m.geom_friction[:, 0] = 1.3 * m.geom_friction[m.geom("floor").id, 0]
        elif name == "kp":
            m.actuator_gainprm[:, 0] *= 1.3
            m.actuator_biasprm[:, 1] *= 1.3
        elif name == "kv":
            m.actuator_biasprm[:, 2] *= 1.3
        elif name == "force_limit":
            m.actuator_forcerange[:] *= 1.3
        else:
            field = {"armature": "dof_armature", "dry_friction": "dof_frictionloss"}
            getattr(m, field.get(name, "dof_damping"))[6:] *= 1.3

    return edit


@pytest.mark.parametrize("name", model_fields(RobotModel.load("wildrobot")))
def test_each_field_is_mujocos_own(robot: RobotModel, name: str) -> None:
    """The second robot has 1.3 times the nominal value; the others keep theirs, bit for bit."""
    model = copy.copy(robot.model)
    _by_hand(name)(model)
    data = mujoco.MjData(model)
    data.qpos[:], data.ctrl[:] = robot.home_qpos, robot.home_joint_pos
    data.qvel[6:], data.qvel[3] = 0.3, 0.5
    physics = NativePhysics(robot, N, num_threads=1)
    nominal = model_fields(robot)[name].nominal
    factor = np.array([1.0, 1.3, 1.0]).reshape(N, *[1] * nominal.ndim)
    changed = {name: nominal * factor}
    free = NativePhysics(robot, N, num_threads=1)
    where = np.arange(N), np.tile(data.qpos, (N, 1)), np.tile(data.qvel, (N, 1))
    physics.reset(*where, changed)
    free.reset(*where)
    data.ctrl[:] += 0.3
    mujoco.mj_forward(model, data)
    for _ in range(10):
        state = physics.step(Drive(home(robot, 0.3), fields=changed))
        usual = free.step(Drive(home(robot, 0.3)))
        mujoco.mj_step(model, data, 10)
    np.testing.assert_array_equal(state.qpos[[0, 2]], usual.qpos[[0, 2]])
    np.testing.assert_allclose(state.qpos[1], data.qpos, atol=1e-4)
    assert np.abs(state.qpos[1] - usual.qpos[1]).max() > 1e-5
    # A drive without them has the robot's own again, as on every engine.
    physics.step(Drive(home(robot, 0.3)))
    for part in model_fields(robot)[name].parts:
        restored = getattr(physics.batch.get_model(1), part.name)
        np.testing.assert_allclose(restored, getattr(robot.simulated.model, part.name), rtol=1e-9)


def test_fields_of_some_robots_change_no_other(wildrobot: RobotModel) -> None:
    physics = placed(wildrobot)
    kp = model_fields(wildrobot)["kp"].nominal
    physics.write_fields({"kp": np.stack([2 * kp, 3 * kp])}, np.array([0, 2]))
    gains = [physics.batch.get_model(i).actuator_gainprm[0, 0] for i in range(N)]
    np.testing.assert_allclose(gains, [2 * 21.1, 21.1, 3 * 21.1])


def test_a_center_of_mass_at_the_origin_of_its_link_moves(wildrobot: RobotModel) -> None:
    """By default MuJoCo takes the link's frame for its center of mass."""
    spec = wildrobot.spec()
    spec.body("torso").ipos = np.zeros(3)
    model = spec.compile()
    assert model.body_sameframe[model.body("torso").id] != 0
    simulated = dataclasses.replace(wildrobot.simulated, model=model)
    physics = placed(dataclasses.replace(wildrobot, model=model, simulated=simulated))
    com = physics.batch.bind("subtree_com")
    nominal = model_fields(physics.robot)["com"].nominal
    place(physics)
    before = com[0, 0].copy()
    moved = np.tile(nominal, (N, 1, 1))
    moved[:, model.body("torso").id - 1, 0] += 0.1
    place(physics, com=moved)
    share = model.body("torso").mass[0] / model.body_subtreemass[0]
    assert com[0, 0, 0] - before[0] == pytest.approx(0.1 * share, rel=1e-6)
