"""Any MJCF or URDF becomes a robot by a page of YAML, or an error says what is missing."""

from __future__ import annotations

import shutil
from pathlib import Path

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest
from bipeds import JOINTS, MOTOR, ROBOT, SERVOS, SOLES, load, mjcf, stands, write

from wildrobot_gym.errors import RobotError
from wildrobot_gym.paths import ROBOTS
from wildrobot_gym.physics.corner_contacts import corner_model
from wildrobot_gym.physics.drive import Drive
from wildrobot_gym.physics.mjx import MjxEngine, MjxState
from wildrobot_gym.physics.native import NativePhysics
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.robot.report import stand_at_home, warnings_of
from wildrobot_gym.task.contact import foot_forces, foot_loads, lowest_corner


@pytest.mark.parametrize("sole", SOLES)
def test_feet_of_any_shape(tmp_path: Path, sole: str) -> None:
    robot = load(tmp_path / "biped", mjcf(sole))
    pads = 8 if sole == "eight boxes" else 1
    assert robot.pad_ids_of_foot.shape == (2, pads) and len(robot.pad_names) == 2 * pads
    assert robot.foot_names == ("left", "right")
    np.testing.assert_array_equal(robot.mirror.foot_ids, [1, 0])
    model, data = robot.model, mujoco.MjData(robot.model)
    rng = np.random.default_rng(0)
    geoms = [model.geom(pad).id for pad in robot.pad_names]
    for pose in range(4):
        data.qpos[:] = robot.home_qpos
        if pose:  # tilted feet
            data.qpos[7:] = rng.uniform(*(0.4 * robot.joint_range.T))
        mujoco.mj_forward(model, data)
        # Lift the robot until MuJoCo's own distance from the floor to a pad is zero.
        floor, pair = model.geom("floor").id, np.zeros(6)
        away = [mujoco.mj_geomDistance(model, data, floor, g, 10.0, pair) for g in geoms]
        slices = robot.sensor_slices
        heights = lowest_corner(
            robot, data.sensordata[slices["pad_pos_w"]], data.sensordata[slices["foot_quat_w"]]
        )
        nearest = np.array(away).reshape(2, pads).min(axis=1)
        tolerance = 1.5e-3 if sole in ("cylinder", "ellipsoid") else 1e-4  # drawn by points
        np.testing.assert_allclose(heights, nearest, atol=tolerance)
        if pose == 0:
            np.testing.assert_allclose(heights, 0.0, atol=tolerance)


@pytest.mark.parametrize("sole", SOLES)
def test_pads_feel_the_weight(tmp_path: Path, sole: str) -> None:
    robot = load(tmp_path / "biped", mjcf(sole))
    data = mujoco.MjData(robot.model)
    mujoco.mj_resetDataKeyframe(robot.model, data, robot.model.keyframe("home").id)
    forces = []
    while data.time < 0.3:
        mujoco.mj_step(robot.model, data)
        forces.append(data.sensordata[robot.sensor_slices["pad_forces"]])
    total = np.mean(forces[-50:], axis=0).sum()
    assert total == pytest.approx(robot.weight, rel=0.05)
    if sole in ("capsule", "mesh", "eight boxes"):
        assert stands(robot)


def test_feet_with_different_numbers_of_pads(tmp_path: Path) -> None:
    robot = load(
        tmp_path / "biped",
        mjcf("eight boxes"),
        ROBOT.replace("{body: foot_l}", "{body: foot_l, pads: [0, 2, 5]}") + "symmetry: none\n",
    )
    np.testing.assert_array_equal(
        robot.pad_ids_of_foot, [[0, 1, 2, 11, 11, 11, 11, 11], [3, 4, 5, 6, 7, 8, 9, 10]]
    )
    np.testing.assert_array_equal(robot.foot_of_pad, [0] * 3 + [1] * 8)
    forces = np.arange(11.0)
    np.testing.assert_array_equal(foot_forces(forces, robot.pad_ids_of_foot), [3.0, 52.0])
    force, speed = foot_loads(forces, np.full(11, 0.5), robot.pad_ids_of_foot)
    np.testing.assert_array_equal(force, [3.0, 52.0])
    np.testing.assert_allclose(speed, 0.5)


def test_a_foot_can_be_a_geom(tmp_path: Path) -> None:
    named = mjcf("capsule").replace('0 -0.01" mass', '0 -0.01" name="{}" mass')
    left, right = named.split('name="{}"', 1)
    model = left + 'name="toes_l"' + right.replace("{}", "toes_r")
    robot = load(
        tmp_path / "biped", model, f"model: biped.xml\nfeet: [toes_l, toes_r]\nservos: {SERVOS}"
    )
    assert robot.foot_names == ("toes_l", "toes_r")
    assert robot.pad_names == ("toes_l_pad", "toes_r_pad")


def test_only_feet_meet_the_floor_unless_the_model_shall_say(tmp_path: Path) -> None:
    robot = load(tmp_path / "biped", mjcf())
    touching = (robot.model.geom_contype | robot.model.geom_conaffinity) > 0
    assert [robot.model.geom(i).name for i in np.flatnonzero(touching)] == [
        "floor",
        *robot.pad_names,
    ]
    free = load(tmp_path / "free", mjcf(), ROBOT + "collisions: model\n")
    trunk = int(free.model.body("trunk").geomadr[0])
    assert free.model.geom_contype[trunk] == 1 and robot.model.geom_contype[trunk + 0] == 0


# --- servos, home, held joints ---


def test_gains_and_limits(tmp_path: Path) -> None:
    servos = '{"*": {kp: 20.0, kv: 0.5}, "knee_*": {kp: 30.0, force_limit: 5.0, armature: 0.02}}'
    robot = load(tmp_path / "biped", mjcf(), ROBOT.replace(SERVOS, servos))
    knees = [i for i, name in enumerate(robot.joint_names) if "knee" in name]
    kp = np.full(8, 20.0)
    kp[knees] = 30.0
    np.testing.assert_array_equal(robot.model.actuator_gainprm[:, 0], kp)
    np.testing.assert_array_equal(robot.model.actuator_biasprm[:, 1], -kp)
    np.testing.assert_array_equal(robot.model.actuator_biasprm[:, 2], -0.5)
    limit = np.full(8, 3.0)  # the motors' own
    limit[knees] = 5.0
    np.testing.assert_array_equal(robot.force_limit, limit)
    np.testing.assert_array_equal(robot.model.dof_armature[6:][knees], 0.02)
    np.testing.assert_allclose(robot.model.actuator_ctrlrange, robot.joint_range, atol=1e-4)


def test_a_default_class_of_the_model_does_not_reach_the_servos(tmp_path: Path) -> None:
    model = mjcf(actuators="".join(f'<motor joint="{joint}"/>' for joint in JOINTS)).replace(
        "<default>", '<default><motor gear="3" ctrlrange="-0.5 0.5"/>', 1
    )
    servos = '{"*": {kp: 20.0, kv: 0.5}, knee_l: {range: [0.0, 1.5]}, knee_r: {range: [0, 1.5]}}'
    robot = load(tmp_path / "biped", model, ROBOT.replace(SERVOS, servos))
    np.testing.assert_array_equal(robot.force_limit, 1.5)  # gear times control
    np.testing.assert_array_equal(robot.model.actuator_gear[:, 0], 1.0)
    np.testing.assert_allclose(robot.model.actuator_ctrlrange, robot.joint_range, atol=1e-4)
    knee = robot.joint_names.index("knee_l")
    np.testing.assert_allclose(robot.joint_range[knee], [0.0, 1.5])  # rad; the model is in degrees


def test_joints_of_a_waist_are_of_no_leg(tmp_path: Path) -> None:
    waist = '<body name="hips"><joint name="waist" axis="0 1 0" range="-30 30"/><geom size="0.03"/>'
    model = mjcf("mesh", actuators="").replace('<body name="hip_l"', f'{waist}<body name="hip_l"')
    model = model.replace("    </body>\n  </worldbody>", "</body>    </body>\n  </worldbody>")
    servos = '{"*": {kp: 20.0, kv: 0.5, force_limit: 3.0}}'
    robot = load(tmp_path / "biped", model, ROBOT.replace(SERVOS, servos))
    assert robot.leg_joint_names("left") == ["waist", *JOINTS[:4]]
    assert robot.legs[0].joints == tuple(JOINTS[:4]) and robot.legs[0].pitch[0] == "hip_y_l"
    assert robot.leg_length == pytest.approx(0.33)


def test_a_home_of_given_angles_stands_on_the_floor(tmp_path: Path) -> None:
    home = 'home: {"hip_y_*": -0.3, "knee_*": 0.6, "ankle_*": -0.3}\n'
    robot = load(tmp_path / "biped", mjcf("capsule"), ROBOT + home)
    np.testing.assert_allclose(robot.home_joint_pos, [0, -0.3, 0.6, -0.3] * 2)
    assert robot.home_qpos[2] == pytest.approx(0.3 * np.cos(0.3) + 0.03, abs=1e-4)


def test_a_solved_home_is_symmetric_with_flat_feet_under_the_mass(tmp_path: Path) -> None:
    robot = load(tmp_path / "biped", mjcf("mesh"))
    joints = robot.home_joint_pos
    np.testing.assert_allclose(
        robot.joint_mirror_signs * joints[robot.joint_mirror_ids], joints, atol=2e-4
    )
    hip, knee, ankle = joints[1:4]
    assert hip + knee + ankle == pytest.approx(0.0, abs=5e-3) and 0.3 < knee < 0.8
    assert stand_at_home(robot).tilt < 0.05


def test_welded_joints_leave_the_model_and_stay_where_home_has_them(tmp_path: Path) -> None:
    whole = load(tmp_path / "whole", mjcf("mesh"))
    joints = [name for name in JOINTS if not name.startswith("hip_x")]
    home = 'home: {"hip_x_l": 0.1, "hip_x_r": -0.1, "knee_*": 0.4}\n'
    more = home + f"joints: [{', '.join(joints)}]\nheld: weld\n"
    robot = load(tmp_path / "biped", mjcf("mesh"), ROBOT + more)
    assert list(robot.joint_names) == joints and robot.model.nq == 7 + 6
    data = [mujoco.MjData(r.model) for r in (robot, whole)]
    data[0].qpos[:] = robot.home_qpos
    data[1].qpos[:] = np.concatenate(
        [robot.home_qpos[:7], [0.1, *robot.home_qpos[7:10]], [-0.1, *robot.home_qpos[10:]]]
    )
    for r, d in zip((robot, whole), data, strict=True):
        mujoco.mj_kinematics(r.model, d)
    for body in ("thigh_l", "foot_l", "foot_r"):
        np.testing.assert_allclose(data[0].body(body).xpos, data[1].body(body).xpos, atol=1e-9)
        np.testing.assert_allclose(data[0].body(body).xmat, data[1].body(body).xmat, atol=1e-9)


# --- URDF ---

URDF = """<robot name="urdf">
  <link name="trunk"><inertial><mass value="1.5"/><origin xyz="0 0 0.06"/>
    <inertia ixx="0.005" iyy="0.005" izz="0.005" ixy="0" ixz="0" iyz="0"/></inertial></link>
{}
</robot>"""


def urdf_leg(side: str, y: float) -> str:
    rows, parent = [], "trunk"
    for joint, axis, z, low, high in (
        ("hip_x", "1 0 0", 0.0, -0.7, 0.7),
        ("hip_y", "0 1 0", 0.0, -1.5, 0.8),
        ("knee", "0 1 0", -0.15, 0.0, 2.0),
        ("ankle", "0 1 0", -0.15, -1.0, 1.0),
    ):
        link = f"{joint}_link_{side}"
        sole = ""
        if joint == "ankle":
            box = '<origin xyz="0.01 0 -0.02"/><geometry><box size="0.12 0.05 0.02"/></geometry>'
            sole = f"<collision>{box}</collision>"
        rows.append(
            f'<link name="{link}"><inertial><mass value="0.15"/><origin xyz="0 0 -0.03"/>'
            '<inertia ixx="0.0005" iyy="0.0005" izz="0.0005" ixy="0" ixz="0" iyz="0"/></inertial>'
            f"{sole}</link>"
            f'<joint name="{joint}_{side}" type="revolute"><parent link="{parent}"/>'
            f'<child link="{link}"/><origin xyz="0 {y if joint == "hip_x" else 0} {z}"/>'
            f'<axis xyz="{axis}"/><limit lower="{low}" upper="{high}" effort="4" velocity="6"/>'
            "</joint>"
        )
        parent = link
    return "".join(rows)


def test_a_urdf_becomes_a_robot(tmp_path: Path) -> None:
    text = URDF.format(urdf_leg("l", 0.06) + urdf_leg("r", -0.06))
    yaml = (
        "model: biped.urdf\nfeet: {left: {body: ankle_link_l}, right: {body: ankle_link_r}}\n"
        'servos: {"*": {kp: 20.0, kv: 0.5, armature: 0.01, damping: 0.05}}\n'
    )
    robot = RobotModel.load(write(tmp_path / "biped", text, yaml, "biped.urdf"))
    assert list(robot.joint_names) == JOINTS and robot.base_name == "trunk"
    np.testing.assert_array_equal(robot.force_limit, 4.0)  # the joints' effort
    assert robot.mass == pytest.approx(1.5 + 8 * 0.15)
    assert robot.leg_length == pytest.approx(0.33) and stands(robot)
    assert warnings_of(robot, stand_at_home(robot)) == []


# --- bad input ---

NO_RANGE = mjcf().replace(
    '<joint name="knee_l" axis="0 1 0" range="0 120"/>', '<joint name="knee_l" axis="0 1 0"/>'
)
WRONG = {
    "foot that is no body": (
        mjcf(),
        ROBOT.replace("foot_l", "foot_left"),
        r"feet\.left: Unknown body 'foot_left'\. Did you mean 'foot_l'\?.*shin_r",
    ),
    "no feet": (mjcf(), f"model: biped.xml\nservos: {SERVOS}", "feet is missing.*foot_l.*foot_r"),
    "foot without joints": (
        mjcf(),
        ROBOT.replace("foot_l", "trunk"),
        r"feet\.left: no joint of the policy is between the base and body 'trunk'.*none",
    ),
    "pad that is no geom": (
        mjcf(),
        ROBOT.replace("foot_l}", "foot_l, pads: [3]}"),
        r"feet\.left\.pads: 'foot_l' has 1 geoms, and 3 is none of them; allowed: 0 to 0",
    ),
    "too many pads": (
        mjcf().replace(SOLES["one sphere"], 9 * SOLES["one sphere"]),
        ROBOT,
        r"body 'foot_l' has 9 geoms that can be pads; allowed: 1 to 8.*pads: \[geom",
    ),
    "missing mesh": (mjcf("mesh").replace("sole.obj", "sole2.stl"), ROBOT, r"sole2\.stl"),
    "no free joint": (
        mjcf(free=""),
        ROBOT,
        r"no free joint; its bodies in the world are trunk.*<freejoint/>.*floating: true",
    ),
    "other base": (mjcf(), ROBOT + "base: trank\n", "Unknown base body 'trank'.*'trunk'"),
    "motors without gains": (
        mjcf(),
        ROBOT.replace(SERVOS, "{}"),
        r"hip_x_l \(a motor\) has no kp;.*servos: \{\"\*\": \{kp",
    ),
    "other actuators": (
        mjcf(
            actuators="".join(MOTOR.format(j) for j in JOINTS[1:])
            + '<intvelocity name="hip_x_l" joint="hip_x_l" kp="9" actrange="-1 1"/>'
        ),
        ROBOT.replace(SERVOS, '{"hip_y_*": {kp: 20}, "knee_*": {kp: 20}, "ankle_*": {kp: 20}}'),
        r"hip_x_l \(an actuator of another kind\) has no kp and no force_limit",
    ),
    "no actuators": (
        mjcf(actuators=""),
        ROBOT,
        r"hip_x_l \(no actuator\) has no force_limit",
    ),
    "joint without a range": (NO_RANGE, ROBOT, r"joints without a range: knee_l;.*range: \[low"),
    "joint twice": (
        mjcf(),
        ROBOT + f"joints: [{', '.join([*JOINTS, 'knee_l'])}]\n",
        "joints has knee_l twice; allowed: each joint once",
    ),
    "foot twice": (
        mjcf(),
        f"model: biped.xml\nfeet: [foot_l, foot_l]\nservos: {SERVOS}",
        "feet has foot_l twice",
    ),
    "pad of two feet": (
        mjcf(),
        ROBOT.replace("foot_r", "foot_l"),
        "is a pad twice",
    ),
    "key twice": (mjcf(), ROBOT + "model: biped.xml\n", "'model' stands twice"),
    "unknown joint": (
        mjcf(),
        ROBOT + "joints: [knee_left]\n",
        "Unknown joint 'knee_left'. Did you mean 'knee_l'",
    ),
    "other order": (
        mjcf(),
        ROBOT + f"joints: [{', '.join(JOINTS[::-1])}]\n",
        r"another order than the model's. Write `joints: \[hip_x_l, hip_y_l",
    ),
    "unknown pattern": (
        mjcf(),
        ROBOT.replace('"*"', '"elbow_*"'),
        r"Unknown joint in servos 'elbow_\*'",
    ),
    "home out of range": (
        mjcf(),
        ROBOT + "home: {knee_l: -0.5}\n",
        r"home puts knee_l at -0.5 rad; allowed: 0.0000 to 2.0944",
    ),
    "unknown keyframe": (mjcf(), ROBOT + "home: rest\n", "Unknown keyframe 'rest'.*stand"),
    "unknown site": (mjcf(), ROBOT + "imu: chest\n", "Unknown site for imu 'chest'"),
    "negative gain": (mjcf(), ROBOT.replace("kp: 20.0", "kp: -1"), "servos kp is -1.0; allowed"),
    "heights": (mjcf(), ROBOT + "heights: {min: 0.5, max: 0.4}\n", "heights is .*min < max"),
    "asymmetric": (
        mjcf().replace('pos="0 -0.06 0"', 'pos="0 -0.07 0"'),
        ROBOT,
        r"'hip_x_l' has no mirror image.*10\.0 mm from it; allowed: 2\.0 mm.*symmetry: none",
    ),
    "asymmetric home": (
        mjcf(),
        ROBOT + "home: {knee_l: 1.0}\n",
        r"home pose is not symmetric: knee_l is at 1\.0000 rad and its image knee_r at 0\.0000",
    ),
    "slide joint": (
        mjcf(more='<body><joint name="neck" type="slide" range="0 1"/><geom size="0.01"/></body>'),
        ROBOT.replace('"*": {kp: 20.0, kv: 0.5}', '"*": {kp: 20.0, force_limit: 1.0}'),
        "must be hinges, unlike neck",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_bad_input_is_named(tmp_path: Path, case: str) -> None:
    model, robot, message = WRONG[case]
    with pytest.raises(RobotError, match=f"(?s){message}"):
        load(tmp_path / "biped", model, robot)


def test_a_robot_that_falls_at_home_is_told_so(tmp_path: Path) -> None:
    robot = load(tmp_path / "biped", mjcf("mesh"), ROBOT.replace("kp: 20.0", "kp: 0.2"))
    found = warnings_of(robot, stand_at_home(robot))
    assert any("does not stand at home" in text and "gains in `servos`" in text for text in found)
    robot = load(
        tmp_path / "high",
        mjcf("mesh"),
        ROBOT + "home: {knee_l: 1.0, hip_y_l: -0.5}\nsymmetry: none\n",
    )
    found = warnings_of(robot, stand_at_home(robot))
    assert any("At home left_pad are over the floor" in text for text in found)


def test_an_asymmetric_robot_has_no_mirror_image(tmp_path: Path) -> None:
    model = mjcf("mesh").replace('pos="0 -0.06 0"', 'pos="0 -0.07 0"')
    robot = load(tmp_path / "biped", model, ROBOT + "symmetry: none\n")
    assert robot.mirror is None
    for name in ("joint_mirror_ids", "joint_mirror_signs", "pad_mirror_ids"):
        with pytest.raises(RobotError, match=r"'biped' is not symmetric.*symmetric_policy: none"):
            getattr(robot, name)
    allowed = load(tmp_path / "wide", model, ROBOT + "symmetry: 0.012\n")
    assert allowed.mirror is not None


# --- the engines ---


def held_by_servos(folder: Path) -> RobotModel:
    """A biped whose hips do not roll; its policy moves six joints."""
    joints = [name for name in JOINTS if not name.startswith("hip_x")]
    home = 'home: {"hip_x_*": 0.0, "hip_y_*": -0.25, "knee_*": 0.5, "ankle_*": -0.25}\n'
    return load(folder, mjcf("mesh"), ROBOT + home + f"joints: [{', '.join(joints)}]\n")


def test_the_native_engine_holds_the_other_joints_by_their_servos(tmp_path: Path) -> None:
    robot = held_by_servos(tmp_path / "biped")
    assert robot.num_joints == 6 and robot.model.nq == 13
    assert robot.simulated.model.nq == 15 and robot.config["held_joints"] == ["hip_x_l", "hip_x_r"]
    physics = NativePhysics(robot, 2, num_threads=1)
    rng = np.random.default_rng(0)
    start = np.tile(robot.home_qpos, (2, 1))
    start[1, 7:] += 0.05
    state = physics.reset(np.arange(2), start, np.zeros((2, 12)))
    np.testing.assert_allclose(state.qpos, start, atol=1e-6)
    assert state.actuator_forces.shape == (2, 6) and state.pad_forces.shape == (2, 2)
    for _ in range(20):
        targets = robot.home_joint_pos + rng.uniform(-0.02, 0.02, (2, 6))
        state = physics.step(Drive(targets))
    assert (np.asarray(state.qpos)[:, 2] > 0.9 * robot.home_qpos[2]).all()
    held = physics.batch.bind("qpos")[:, [7, 11]]
    assert 0 < np.abs(held).max() < 0.1  # a servo gives way a little
    ctrl = physics.batch.bind("ctrl")
    np.testing.assert_array_equal(ctrl[:, [0, 4]], 0.0)
    np.testing.assert_allclose(ctrl[:, [1, 2, 3, 5, 6, 7]], targets)
    again = NativePhysics(robot, 2, num_threads=1).set_state(physics.get_state())
    np.testing.assert_array_equal(again.qpos, state.qpos)


def test_whole_poses_of_held_joints(tmp_path: Path) -> None:
    robot = held_by_servos(tmp_path / "biped")
    part = robot.simulated
    for xp in (np, jnp):
        qpos = xp.arange(13.0)[None]
        whole = part.whole_qpos(qpos)
        np.testing.assert_array_equal(whole[0, [7, 11]], 0.0)
        np.testing.assert_array_equal(whole[..., part.qpos], qpos)
        np.testing.assert_array_equal(part.whole_targets(qpos[0, 7:]), [0, 7, 8, 9, 0, 10, 11, 12])
        assert part.whole_qvel(xp.ones(12))[6] == 0.0


def test_mjx_takes_held_joints_too(tmp_path: Path) -> None:
    """Its step is traced, not compiled, which would take a minute."""
    robot = held_by_servos(tmp_path / "held")
    engine = MjxEngine(robot)
    data = MjxState(jnp.zeros(15), jnp.zeros(14), jnp.zeros(14))
    drive = Drive(jnp.asarray(robot.home_joint_pos))
    data, state = jax.eval_shape(engine.step, data, drive)
    assert data.qpos.shape == (15,) and state.qpos.shape == (13,)
    assert state.actuator_forces.shape == (6,) and state.pad_forces.shape == (2,)


def test_mjx_gets_points_in_place_of_a_mesh(tmp_path: Path) -> None:
    mesh = load(tmp_path / "mesh", mjcf("mesh"))
    points = corner_model(mesh)
    np.testing.assert_array_equal(points.body_mass, mesh.model.body_mass)
    np.testing.assert_array_equal(points.body_inertia, mesh.model.body_inertia)
    spheres = points.geom_type == mujoco.mjtGeom.mjGEOM_SPHERE
    assert (spheres & (points.geom_conaffinity > 0)).sum() == 8  # four corners of each sole


def test_a_shipped_model_with_a_held_joint(tmp_path: Path) -> None:
    """Its keyframe has controls of all servos, and the held joint's servo has a setting."""
    for part in ("parts", "wildrobot"):
        shutil.copytree(ROBOTS / part, tmp_path / part)
    own = tmp_path / "wildrobot" / "robot.yaml"
    whole = RobotModel.load("wildrobot")
    joints = [joint for joint in whole.joint_names if joint != "waist_yaw"]
    servos = "servos: {waist_yaw: {kp: 30.0}}\n"
    for held in ("weld", "servo"):
        more = f"name: held\njoints: [{', '.join(joints)}]\nheld: {held}\n{servos}"
        own.write_text((ROBOTS / "wildrobot" / "robot.yaml").read_text() + more)
        robot = RobotModel.load(own.parent)
        assert list(robot.joint_names) == joints
        np.testing.assert_allclose(robot.mass, whole.mass, rtol=1e-6)


def test_the_left_foot_comes_first(tmp_path: Path) -> None:
    shutil.copytree(ROBOTS / "sprout", tmp_path / "sprout")
    own = tmp_path / "sprout" / "robot.yaml"
    text = own.read_text()
    swapped = text.replace("sole_l", "x").replace("sole_r", "sole_l").replace("x}", "sole_r}")
    own.write_text(swapped)
    with pytest.raises(RobotError, match=r"stands to the right of.*Name the left foot first"):
        RobotModel.load(own.parent)
