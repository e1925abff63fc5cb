"""The compiled model against the measured robot (ROBOT.md), the generated config, and models that
are wrong.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import mujoco
import numpy as np
import pytest

from wildrobot_gym.config import build
from wildrobot_gym.errors import RobotError
from wildrobot_gym.paths import ROBOTS
from wildrobot_gym.robot import ROBOT_FILE, RobotModel
from wildrobot_gym.task.config import EnvConfig

# joint: anchor, axis, range
JOINTS = {
    "waist_yaw": ((0, 0, 0.548), (0, 0, -1), (-0.5236, 0.5236)),
    "left_hip_pitch": ((0, 0.0536, 0.4664), (0, -1, 0), (-0.0873, 1.5708)),
    "left_hip_roll": ((0.0268, 0.090, 0.4666), (-1, 0, 0), (-1.5708, 0.1745)),
    "left_knee_pitch": ((0.0004, 0.090, 0.2740), (0, 1, 0), (0, 1.3963)),
    "left_ankle_pitch": ((0.0006, 0.090, 0.0940), (0, 1, 0), (-0.7854, 0.7854)),
    "right_hip_pitch": ((0, -0.0536, 0.4664), (0, 1, 0), (-1.5708, 0.0873)),
    "right_hip_roll": ((0.0268, -0.090, 0.4666), (-1, 0, 0), (-0.1745, 1.5708)),
    "right_knee_pitch": ((0.0003, -0.090, 0.2741), (0, 1, 0), (0, 1.3963)),
    "right_ankle_pitch": ((0.0006, -0.090, 0.0941), (0, 1, 0), (-0.7854, 0.7854)),
}
# link: mass, center of mass, principal inertia
LINKS = {
    "waist": (0.4396, (-0.0018, 0, 0.506), (0.0010, 0.0007, 0.0007)),
    "torso": (0.8412, (0.0041, 0.0025, 0.6165), (0.0015, 0.0012, 0.0009)),
}
for side, sign in (("left", 1), ("right", -1)):
    LINKS |= {
        f"{side}_hip": (0.0850, (0.0028, sign * 0.0867, 0.4754), (2.0e-5, 1.9e-5, 2.4e-5)),
        f"{side}_upper_leg": (0.2366, (0.0003, sign * 0.0892, 0.3072), (0.0010, 0.0010, 0.0001)),
        f"{side}_lower_leg": (0.3757, (0.0010, sign * 0.0902, 0.1713), (0.0017, 0.0016, 0.0007)),
        f"{side}_foot": (0.3493, (0.0194, sign * 0.0908, 0.0420), (0.0009, 0.0007, 0.0003)),
    }
PADS_X = {"toe": (0.020, 0.095), "heel": (-0.054, -0.011)}
PADS_Y = (0.047, 0.137)
SOLE_Z = 0.0295


@pytest.fixture(scope="module")
def zero_pose(robot: RobotModel) -> mujoco.MjData:
    """All joints at 0, base origin at (0, 0, 0.5): the pose in which ROBOT.md gives its numbers."""
    data = mujoco.MjData(robot.model)
    data.qpos[:] = 0
    data.qpos[2:4] = 0.5, 1.0
    mujoco.mj_forward(robot.model, data)
    return data


def joints_of(robot: RobotModel) -> dict:
    return {k: v for k, v in JOINTS.items() if robot.name == "wildrobot" or k != "waist_yaw"}


def test_joint_order_anchors_axes_and_ranges(robot: RobotModel, zero_pose: mujoco.MjData) -> None:
    table = joints_of(robot)
    assert robot.joint_names == tuple(table)
    for name, (anchor, axis, limits) in table.items():
        joint = robot.model.joint(name)
        np.testing.assert_allclose(zero_pose.xanchor[joint.id], anchor, atol=1.5e-4)
        np.testing.assert_allclose(zero_pose.xaxis[joint.id], axis, atol=1e-9)
        np.testing.assert_allclose(joint.range, limits)
        assert robot.model.jnt_limited[joint.id]
    np.testing.assert_allclose(robot.joint_range, [v[2] for v in table.values()])


def test_masses_centers_and_inertias(robot: RobotModel, zero_pose: mujoco.MjData) -> None:
    assert {robot.model.body(i).name for i in range(1, robot.model.nbody)} == set(LINKS)
    for name, (mass, com, inertia) in LINKS.items():
        body = robot.model.body(name)
        assert body.mass[0] == pytest.approx(mass)
        np.testing.assert_allclose(zero_pose.xipos[body.id], com, atol=1.5e-4)
        np.testing.assert_allclose(sorted(body.inertia), sorted(inertia), rtol=1e-6)
    assert robot.mass == pytest.approx(3.381, abs=0.01)  # the links' rounded masses add up to 3.374


def test_servos(robot: RobotModel) -> None:
    model = robot.model
    assert model.nu == robot.num_joints
    np.testing.assert_allclose(model.actuator_gainprm[:, 0], 21.1)
    np.testing.assert_allclose(model.actuator_biasprm[:, 1], -21.1)
    np.testing.assert_allclose(model.actuator_biasprm[:, 2], -0.5)
    np.testing.assert_allclose(model.actuator_forcerange, [[-4.0, 4.0]] * model.nu)
    np.testing.assert_allclose(model.actuator_ctrlrange, robot.joint_range)
    np.testing.assert_allclose(robot.force_limit, 4.0)
    np.testing.assert_allclose(
        model.dof_damping[6:, 0] if model.dof_damping.ndim > 1 else model.dof_damping[6:], 0.08516
    )
    np.testing.assert_allclose(model.dof_frictionloss[6:], 0.022275)
    np.testing.assert_allclose(model.dof_armature[6:], 0.024992)
    np.testing.assert_allclose(model.dof_armature[:6], 0.0)


def test_pads(robot: RobotModel, zero_pose: mujoco.MjData) -> None:
    assert robot.pad_names == ("left_toe", "left_heel", "right_toe", "right_heel")
    assert robot.foot_names == ("left_foot", "right_foot")
    np.testing.assert_array_equal(robot.pad_ids_of_foot, [[0, 1], [2, 3]])
    for name in robot.pad_names:
        side, kind = name.split("_")
        geom = robot.model.geom(name)
        center, half = zero_pose.geom_xpos[geom.id], geom.size
        y = PADS_Y if side == "left" else (-PADS_Y[1], -PADS_Y[0])
        np.testing.assert_allclose(
            [center[0] - half[0], center[0] + half[0]], PADS_X[kind], atol=6e-4
        )
        np.testing.assert_allclose([center[1] - half[1], center[1] + half[1]], y, atol=1e-6)
        assert center[2] - half[2] == pytest.approx(SOLE_Z, abs=1e-6)
        assert zero_pose.site(name).xpos[2] == pytest.approx(SOLE_Z, abs=1e-6)
        assert geom.friction[0] == 1.0


def test_straight_legs_stand_at_0_470(robot: RobotModel, zero_pose: mujoco.MjData) -> None:
    soles = [zero_pose.site(pad).xpos[2] for pad in robot.pad_names]
    np.testing.assert_allclose(0.5 - np.array(soles), 0.4705, atol=1e-6)


def test_home_rests_on_the_floor(robot: RobotModel) -> None:
    data = mujoco.MjData(robot.model)
    data.qpos[:] = robot.home_qpos
    mujoco.mj_forward(robot.model, data)
    np.testing.assert_allclose([data.site(p).xpos[2] for p in robot.pad_names], 0.0, atol=5e-4)
    key = robot.model.keyframe("home")
    np.testing.assert_array_equal(key.ctrl, key.qpos[7:])
    assert (robot.home_joint_pos >= robot.joint_range[:, 0]).all()
    assert (robot.home_joint_pos <= robot.joint_range[:, 1]).all()


def test_only_feet_touch_the_floor(robot: RobotModel) -> None:
    model = robot.model
    touching = set()
    for a in range(model.ngeom):
        for b in range(a):
            if (
                model.geom_contype[a] & model.geom_conaffinity[b]
                or model.geom_contype[b] & model.geom_conaffinity[a]
            ):
                touching.add(frozenset((model.geom(a).name, model.geom(b).name)))
    assert touching == {frozenset(("floor", pad)) for pad in robot.pad_names}


def test_cameras_and_sensors_are_there(robot: RobotModel) -> None:
    assert {robot.model.camera(i).name for i in range(robot.model.ncam)} >= {
        "track",
        "side",
        "front",
    }
    assert sorted(np.concatenate([ids.ravel() for ids in robot.sensor_slices.values()])) == list(
        range(robot.model.nsensordata)
    )


# --- mirror map ---


def mirrored_qpos(robot: RobotModel, qpos: np.ndarray) -> np.ndarray:
    """Reflection of a whole pose in the x-z plane."""
    joints = robot.joint_mirror_signs * qpos[7:][robot.joint_mirror_ids]
    return np.concatenate([qpos[:3] * [1, -1, 1], qpos[3:7] * [1, -1, 1, -1], joints])


def test_mirror_twice_is_identity(robot: RobotModel) -> None:
    q = np.random.default_rng(0).normal(size=robot.num_joints)
    once = robot.joint_mirror_signs * q[robot.joint_mirror_ids]
    np.testing.assert_array_equal(robot.joint_mirror_signs * once[robot.joint_mirror_ids], q)
    np.testing.assert_array_equal(robot.pad_mirror_ids[robot.pad_mirror_ids], np.arange(4))
    np.testing.assert_array_equal(robot.pad_mirror_ids, [2, 3, 0, 1])


def test_mirror_signs_of_the_measured_axes(wildrobot: RobotModel) -> None:
    # a pitch axis keeps its sign, yaw and roll axes turn; the left hip pitch axis is -y.
    assert dict(zip(wildrobot.joint_names, wildrobot.joint_mirror_signs, strict=True)) == {
        "waist_yaw": -1,
        "left_hip_pitch": -1,
        "left_hip_roll": -1,
        "left_knee_pitch": 1,
        "left_ankle_pitch": 1,
        "right_hip_pitch": -1,
        "right_hip_roll": -1,
        "right_knee_pitch": 1,
        "right_ankle_pitch": 1,
    }


def test_mirrored_pose_has_mirrored_feet(robot: RobotModel) -> None:
    rng = np.random.default_rng(1)
    data = mujoco.MjData(robot.model)
    for _ in range(10):
        quat = rng.normal(size=4)
        joints = rng.uniform(*robot.joint_range.T)
        qpos = np.concatenate([rng.normal(size=3), quat / np.linalg.norm(quat), joints])
        points = []
        for pose in (qpos, mirrored_qpos(robot, qpos)):
            data.qpos[:] = pose
            mujoco.mj_kinematics(robot.model, data)
            points.append(np.array([data.site(pad).xpos for pad in robot.pad_names]))
        np.testing.assert_allclose(
            points[1], points[0][robot.pad_mirror_ids] * [1, -1, 1], atol=1e-3
        )


# --- the description ---

# What policies of version 0.1.0 were exported for: `robot.yaml` changes nothing about these robots.
DIGESTS = {
    "wildrobot": "1ecd62aabb86a1a9c513bcb78966055bbc34ee465f7158dab8142d71f7b5f926",
    "wildrobot_8dof": "ff8df1cd204105627cf5b5032df7caf17614d2303e2db60fb7f64ab3022967c5",
}


def test_a_shipped_robot_is_its_mjcf_bit_for_bit(robot: RobotModel) -> None:
    assert robot.digest == DIGESTS[robot.name]
    as_written = mujoco.MjModel.from_xml_path(str(robot.xml_path))
    saved = []
    for model in (as_written, robot.model, robot.spec().compile()):
        saved.append(np.zeros(mujoco.mj_sizeModel(model), np.uint8))
        mujoco.mj_saveModel(model, None, saved[-1])
    np.testing.assert_array_equal(saved[0], saved[1])
    np.testing.assert_array_equal(saved[0], saved[2])
    n = robot.num_joints
    assert robot.config["dimensions"] == {
        "num_joints": n,
        "action": n,
        "observation": 3 * n + 12,
        "amp_features": 2 * n + 11,
    }
    assert (robot.target_height, robot.lowest_height, robot.highest_height) == (0.45, 0.2, 0.7)
    assert robot.imu_site == "chest_imu"


@pytest.fixture
def copy_of_robot(tmp_path: Path) -> Path:
    """A private copy of the default robot's folder."""
    shutil.copytree(ROBOTS, tmp_path / "robots")
    return tmp_path / "robots" / "wildrobot"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "mapping"),
        ("[1, 2]", "mapping"),
        ("name: x", "model is missing"),
        ("{", "not valid YAML"),
        ("model: nowhere.xml", r"cannot read .*nowhere\.xml"),
        ("model: wildrobot.xml\nmodel: x.xml", "'model' stands twice"),
        ("model: wildrobot.xml\nfeeet: {}", "Unknown key 'feeet'.*Did you mean 'feet'"),
    ],
)
def test_a_damaged_robot_file_is_refused(copy_of_robot: Path, text: str, message: str) -> None:
    (copy_of_robot / ROBOT_FILE).write_text(text)
    with pytest.raises(RobotError, match=message):
        RobotModel.load(copy_of_robot)


def test_a_bare_model_is_told_what_to_do(copy_of_robot: Path) -> None:
    with pytest.raises(RobotError, match=r"wildrobot robot init .*wildrobot\.xml"):
        RobotModel.load(copy_of_robot / "wildrobot.xml")


def test_a_shipped_name_is_not_hidden_by_a_folder_of_the_same_name(
    copy_of_robot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copy_of_robot.parent)
    assert RobotModel.load("wildrobot").xml_path.parent == ROBOTS / "wildrobot"
    for own in ("./wildrobot", Path("wildrobot")):
        assert RobotModel.load(own).xml_path.parent.resolve() == copy_of_robot
    assert build(EnvConfig, {"robot": Path("wildrobot")}).robot == str(copy_of_robot)


def test_an_unknown_robot_is_named_with_the_nearest() -> None:
    with pytest.raises(RobotError, match=r"wildrobt.*Did you mean 'wildrobot'.*wildrobot_8dof"):
        RobotModel.load("wildrobt")


def edit(folder: Path, file: str, *pairs: tuple[str, str]) -> mujoco.MjModel:
    path = folder.parent / file
    text = path.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    return folder / "wildrobot.xml"


SITE = '<site name="left_toe" class="pad_site"'
WRONG = {
    "pad sensor": (
        "parts/sensors.xml",
        [
            (
                '<framepos name="left_toe_pos" objtype="site" objname="left_toe"/>',
                '<framepos name="left_toe_pos" objtype="site" objname="left_heel"/>',
            )
        ],
        "'left_toe_pos' must be framepos of site 'left_toe'",
    ),
    "pad geom": (
        "parts/legs.xml",
        [('<geom name="left_toe"', "<geom")],
        "feet.left_foot.pads.*'left_toe'.*left_heel",
    ),
    "motor": (
        "parts/leg_actuators.xml",
        [('<position name="left_knee_pitch" class="servo"', '<motor name="left_knee_pitch"')],
        r"left_knee_pitch \(a motor\) has no kp",
    ),
    "gear": (
        "parts/leg_actuators.xml",
        [
            (
                'class="servo" joint="left_knee_pitch"',
                'class="servo" gear="-1" joint="left_knee_pitch"',
            )
        ],
        r"left_knee_pitch \(an actuator of another kind\) has no kp",
    ),
    "integrator": (
        "parts/leg_actuators.xml",
        [
            (
                '<position name="left_knee_pitch" class="servo"',
                '<intvelocity name="left_knee_pitch" kp="20" actrange="-1 1" forcerange="-4 4"',
            )
        ],
        r"left_knee_pitch \(an actuator of another kind\) has no kp",
    ),
    "no forcerange": (
        "parts/leg_actuators.xml",
        [
            (
                'class="servo" joint="left_knee_pitch"',
                'class="servo" forcelimited="false" joint="left_knee_pitch"',
            )
        ],
        "forcerange, of: left_knee_pitch",
    ),
    "endless joint": (
        "parts/legs.xml",
        [
            (
                '<joint name="left_knee_pitch" class="servo"',
                '<joint name="left_knee_pitch" class="servo" limited="false"',
            )
        ],
        "without a range: left_knee_pitch",
    ),
    "asymmetric joint": (
        "parts/legs.xml",
        [('pos="0 -0.0536 -0.0336"', 'pos="0 -0.07 -0.0336"')],
        "left_hip_pitch.*symmetric.*16.4 mm",
    ),
    "asymmetric pad": (
        "parts/legs.xml",
        [
            (
                '<site name="right_toe" class="pad_site" pos="0.0569',
                '<site name="right_toe" class="pad_site" pos="0.0769',
            )
        ],
        "toe.*symmetric",
    ),
    "malformed xml": ("parts/legs.xml", [("</body>", "")], "cannot read"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_model_is_refused_by_name(copy_of_robot: Path, case: str) -> None:
    file, pairs, message = WRONG[case]
    edit(copy_of_robot, file, *pairs)
    with pytest.raises(RobotError, match=message):
        RobotModel.load(copy_of_robot)


LACKING = {
    "sensor": (
        "parts/sensors.xml",
        [('<framepos name="left_toe_pos" objtype="site" objname="left_toe"/>', "")],
    ),
    "keyframe": ("wildrobot/wildrobot.xml", [('name="home"', 'name="rest"')]),
    "foot site": (
        "parts/legs.xml",
        [
            ('<site name="left_foot" pos="0 0 -0.0645" size="0.004" group="4"/>', ""),
        ],
    ),
    "actuator order": (
        "parts/leg_actuators.xml",
        [
            ('joint="left_hip_roll"', 'joint="X"'),
            ('joint="left_knee_pitch"', 'joint="left_hip_roll"'),
            ('joint="X"', 'joint="left_knee_pitch"'),
        ],
    ),
}


@pytest.mark.parametrize("case", LACKING)
def test_what_a_model_lacks_is_added(copy_of_robot: Path, wildrobot: RobotModel, case: str) -> None:
    file, pairs = LACKING[case]
    edit(copy_of_robot, file, *pairs)
    if case == "foot site":
        for kind in ("pos", "quat"):
            line = f'<frame{kind} name="left_foot_{kind}" objtype="site" objname="left_foot"/>'
            edit(copy_of_robot, "parts/sensors.xml", (line, ""))
    before = (copy_of_robot.parent / file).read_text()
    robot = RobotModel.load(copy_of_robot)
    assert (copy_of_robot.parent / file).read_text() == before  # the model's file stays as it is
    if case != "keyframe":  # a home that is solved is another pose
        np.testing.assert_allclose(robot.home_qpos, wildrobot.home_qpos)
        assert robot.config == wildrobot.config
    data = [mujoco.MjData(r.model) for r in (robot, wildrobot)]
    for r, d in zip((robot, wildrobot), data, strict=True):
        d.qpos[:] = wildrobot.home_qpos
        d.qpos[9] += 0.2
        d.ctrl[:] = np.arange(9) * 0.02
        mujoco.mj_forward(r.model, d)
    for name, ids in robot.sensor_slices.items():
        theirs = wildrobot.sensor_slices[name]
        np.testing.assert_allclose(
            data[0].sensordata[ids], data[1].sensordata[theirs], atol=1e-9, err_msg=name
        )
    np.testing.assert_allclose(data[0].qacc, data[1].qacc, rtol=1e-9, atol=1e-6)


def test_leg_joint_names(robot: RobotModel) -> None:
    assert robot.leg_joint_names("left_foot") == [
        f"left_{j}" for j in ("hip_pitch", "hip_roll", "knee_pitch", "ankle_pitch")
    ]
    with pytest.raises(RobotError, match=r"middle_foot.*left_foot"):
        robot.leg_joint_names("middle_foot")
    assert robot.leg_length == pytest.approx(0.437, abs=1e-3)
