"""AMP features by hand.

Every channel, every root-velocity mode, every contact definition, and what must not matter.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest
from state_makers import make_state, quat

from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import FeatureConfig, HistoryConfig
from wildrobot_gym.task.contact import estimated_contacts, force_contacts, proxy_contacts
from wildrobot_gym.task.features import (
    feature_dim,
    feature_layout,
    feature_names,
    frame_dim,
    make_frame_features,
    mean_velocities,
    shape_velocity,
)

TURN = quat(yaw=np.pi / 2)  # faces +y


def one(robot: RobotModel, channel: str, state, **config) -> np.ndarray:
    return np.asarray(
        make_frame_features(robot, FeatureConfig(channels=(channel,), **config))(state)
    )


def test_layout(robot: RobotModel) -> None:
    n = robot.num_joints
    layout = feature_layout(robot, FeatureConfig())
    widths = {
        "joint_pos": n,
        "joint_vel": n,
        "root_lin_vel": 3,
        "root_ang_vel": 3,
        "root_height": 1,
        "foot_contacts": 4,
    }
    assert layout["channels"] == [[c, widths[c]] for c in FeatureConfig().channels]
    assert frame_dim(layout) == {9: 29, 8: 27}[n] == robot.config["dimensions"]["amp_features"]
    assert feature_dim(layout) == 8 * frame_dim(layout)
    assert layout["robot"] == robot.name
    assert layout["joints"] == list(robot.joint_names)
    assert layout["definitions"]["contacts"] == "force"
    without = FeatureConfig(contacts="none", history=HistoryConfig(frames=1, stride=1))
    assert feature_dim(feature_layout(robot, without)) == frame_dim(layout) - 4
    assert make_frame_features(robot, without)(make_state(robot)).shape == (frame_dim(layout) - 4,)


def test_channels_come_in_the_configs_order(wildrobot: RobotModel) -> None:
    state = make_state(wildrobot, height=0.4, joints=np.arange(9.0), joint_vel=-np.arange(9.0))
    config = FeatureConfig(channels=("root_height", "joint_vel", "joint_pos"))
    got = make_frame_features(wildrobot, config)(state)
    np.testing.assert_allclose(got, [0.4, *-np.arange(9.0), *np.arange(9.0)], rtol=1e-6)


@pytest.mark.parametrize("dropped", FeatureConfig().channels)
def test_a_dropped_channel_is_gone_from_layout_names_and_columns(
    robot: RobotModel, dropped: str
) -> None:
    rng = np.random.default_rng(0)
    joints, joint_vel = rng.normal(size=(2, robot.num_joints))
    state = make_state(robot, joints=joints, joint_vel=joint_vel, lin_vel=[0.3, 0.1, 0.0])
    config = FeatureConfig(channels=tuple(c for c in FeatureConfig().channels if c != dropped))
    every, layout = feature_layout(robot, FeatureConfig()), feature_layout(robot, config)
    names = feature_names(robot, every)
    keep = np.array([not name.startswith(f"{dropped}[") for name in names])
    assert layout["channels"] == [c for c in every["channels"] if c[0] != dropped]
    assert feature_names(robot, layout) == [
        name for name, kept in zip(names, keep, strict=True) if kept
    ]
    assert frame_dim(layout) == keep.sum() and feature_dim(layout) == 8 * keep.sum()
    np.testing.assert_array_equal(
        make_frame_features(robot, config)(state),
        np.asarray(make_frame_features(robot, FeatureConfig())(state))[keep],
    )


def test_every_column_has_a_name(robot: RobotModel) -> None:
    layout = feature_layout(robot, FeatureConfig())
    names = feature_names(robot, layout)
    assert len(names) == len(set(names)) == frame_dim(layout)
    assert (
        names[0] == f"joint_pos[{robot.joint_names[0]}]"
        and "root_lin_vel[x]" in names
        and "root_height[z]" in names
    )
    assert names[-1] == f"foot_contacts[{robot.pad_names[-1]}]"


def test_all_channels_golden(wildrobot: RobotModel) -> None:
    state = make_state(
        wildrobot,
        base_quat=TURN,
        lin_vel=[0.0, 0.5, 0.0],  # it faces +y, so this is straight ahead
        ang_vel=[0.1, 0.2, 0.3],
        height=0.44,
        pad_forces=[0.0, 10.0, 20.0, 5.0],
    )
    got = make_frame_features(wildrobot, FeatureConfig())(state)
    want = [
        *wildrobot.home_joint_pos,
        *np.zeros(9),
        1,
        0,
        0,
        0.1,
        0.2,
        0.3,
        0.44,
        *np.tanh([0, 1, 2, 0.5]),
    ]
    np.testing.assert_allclose(got, want, atol=1e-6)


@pytest.mark.parametrize(
    ("how", "velocity", "want"),
    [
        ("raw", [3.0, -4.0, 0.0], [3.0, -4.0, 0.0]),
        ("raw", [0.01, 0.0, 0.0], [0.01, 0.0, 0.0]),
        ("clipped", [3.0, -4.0, 0.2], [1.5, -1.5, 0.2]),
        ("direction", [3.0, -4.0, 0.0], [0.6, -0.8, 0.0]),
        ("direction", [0.06, 0.0, 0.09], [0.06 / 0.1081665, 0.0, 0.09 / 0.1081665]),
        ("direction", [0.06, 0.0, 0.07], [0.0, 0.0, 0.0]),  # 0.092 m/s
        ("direction", [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
    ],
)
def test_root_velocity_modes(wildrobot: RobotModel, how: str, velocity: list, want: list) -> None:
    np.testing.assert_allclose(shape_velocity(jnp.array(velocity), how), want, atol=1e-6)
    state = make_state(wildrobot, lin_vel=velocity)
    np.testing.assert_allclose(
        one(wildrobot, "root_lin_vel", state, root_velocity=how), want, atol=1e-6
    )


def test_world_frame_keeps_the_heading(wildrobot: RobotModel) -> None:
    state = make_state(wildrobot, base_quat=TURN, lin_vel=[0.0, 0.5, 0.0], ang_vel=[1.0, 0.0, 0.0])
    kw = {"velocity_frame": "world", "root_velocity": "raw"}
    np.testing.assert_allclose(one(wildrobot, "root_lin_vel", state, **kw), [0, 0.5, 0], atol=1e-6)
    np.testing.assert_allclose(one(wildrobot, "root_ang_vel", state, **kw), [0, 1, 0], atol=1e-6)


def test_angular_velocity_of_a_tilted_body(wildrobot: RobotModel) -> None:
    # Rolled by 90 degrees to the left side up: the body's y axis points up, so turning about it is
    # yaw.
    state = make_state(wildrobot, base_quat=quat(roll=np.pi / 2), ang_vel=[0.0, 2.0, 0.0])
    np.testing.assert_allclose(one(wildrobot, "root_ang_vel", state), [0, 0, 2], atol=1e-6)


@pytest.mark.parametrize("contacts", ["force", "estimated", "proxy", "none"])
def test_heading_does_not_matter(robot: RobotModel, contacts: str) -> None:
    features = make_frame_features(robot, FeatureConfig(contacts=contacts, root_velocity="raw"))
    rng = np.random.default_rng(0)
    lin_vel, pads = rng.normal(size=3), rng.normal(size=(4, 3))
    rows = []
    for yaw in (0.0, 1.0, -2.5):
        turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
        state = make_state(
            robot,
            base_quat=quat(0.2, -0.1, yaw),
            lin_vel=turn @ lin_vel,
            ang_vel=[0.3, 0.2, 0.1],
            pad_vel_w=pads @ turn.T,
            pad_pos_w=(np.abs(pads) * 0.01) @ turn.T,
        )
        rows.append(features(state))
    np.testing.assert_allclose(rows[1], rows[0], atol=2e-6)
    np.testing.assert_allclose(rows[2], rows[0], atol=2e-6)


def test_velocities_from_two_poses(wildrobot: RobotModel) -> None:
    """5 mm ahead, 0.03 rad to the left and 0.1 rad of each joint in 20 ms.

    What the engine says is not read.
    """
    before = make_state(wildrobot, base_quat=quat(0.2, -0.1, 1.0), joints=np.zeros(9))
    moved = before.qpos.at[:2].add(0.005 * jnp.array([np.cos(1.0), np.sin(1.0)])).at[7:].add(0.1)
    after = make_state(
        wildrobot, base_quat=quat(0.2, -0.1, 1.03), lin_vel=[9, 9, 9], joint_vel=np.full(9, 9.0)
    )
    after = after.replace(qpos=moved.at[3:7].set(after.qpos[3:7]))
    config = FeatureConfig(
        channels=("joint_vel", "root_lin_vel", "root_ang_vel"),
        root_velocity="raw",
        velocities="finite_difference",
    )
    features = make_frame_features(wildrobot, config)
    got = features(after, before.qpos)
    want = [
        *[5.0] * 9,
        0.25 * np.cos(0.03),
        -0.25 * np.sin(0.03),
        0.0,
        0.0,
        0.0,
        1.5,
    ]  # ahead was along the old heading
    np.testing.assert_allclose(got, want, atol=2e-4)
    np.testing.assert_allclose(features(after)[:9], 9.0)  # no pose before: the engine's own
    assert feature_layout(wildrobot, config)["definitions"]["velocities"] == "finite_difference"
    assert (
        "velocities" not in feature_layout(wildrobot, FeatureConfig())["definitions"]
    )  # as in older checkpoints
    assert (
        feature_layout(wildrobot, config, 0.01)["definitions"]["control_dt"] == 0.01
    )  # its windows are half as long
    assert "control_dt" not in feature_layout(wildrobot, config, 0.02)["definitions"]


def test_mean_velocities_are_mujocos(wildrobot: RobotModel) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        before, after, want = (
            wildrobot.home_qpos.copy(),
            wildrobot.home_qpos.copy(),
            np.zeros(wildrobot.model.nv),
        )
        mujoco.mj_integratePos(wildrobot.model, before, rng.normal(size=len(want)), 1.0)
        after[:] = before
        mujoco.mj_integratePos(
            wildrobot.model, after, rng.normal(size=len(want)) * rng.choice([0.0, 1e-4, 3.0]), 0.1
        )
        mujoco.mj_differentiatePos(wildrobot.model, want, 0.1, before, after)
        after[3:7] *= rng.choice([-1.0, 1.0])  # the same rotation
        np.testing.assert_allclose(
            mean_velocities(jnp.asarray(before), jnp.asarray(after), 0.1), want, atol=2e-5
        )


def test_force_contacts() -> None:
    got = force_contacts(jnp.array([0.0, 5.0, 10.0, 1000.0]), 10.0)
    np.testing.assert_allclose(got, [0.0, 0.46211716, 0.76159416, 1.0], atol=1e-6)


def test_proxy_contacts(wildrobot: RobotModel) -> None:
    got = proxy_contacts(
        jnp.array([0.0, -0.001, 0.01, 0.0]), jnp.array([0.0, 0.0, 0.0, 0.2]), 0.01, 0.2
    )
    np.testing.assert_allclose(got, [1.0, 1.0, np.exp(-1), np.exp(-1)], atol=1e-6)
    positions, velocities = np.zeros((4, 3)), np.zeros((4, 3))
    positions[1, 2], velocities[2] = 0.01, [0.12, 0.16, 9.0]  # a vertical speed is no slip
    state = make_state(wildrobot, pad_pos_w=positions, pad_vel_w=velocities)
    np.testing.assert_allclose(state.pad_speed, [0, 0, 0.2, 0], atol=1e-6)
    got = one(wildrobot, "foot_contacts", state, contacts="proxy")
    np.testing.assert_allclose(got, [1, np.exp(-1), np.exp(-1), 1], atol=1e-6)


def test_estimated_contacts(robot: RobotModel) -> None:
    config = FeatureConfig(contacts="estimated")
    got = estimated_contacts(
        jnp.array([0.0, 0.0, 0.0, 0.2]), jnp.array([0.0, 0.25, 1.0, 0.0]), config
    )
    np.testing.assert_allclose(got, [1.0, 0.5, 0.3, 0.0], atol=1e-6)
    # Left thigh forward (positive), right thigh backward (positive too on this robot): only the
    # right leg is in stance.
    joints = np.zeros(robot.num_joints)
    names = list(robot.joint_names)
    joints[names.index("left_hip_pitch")] = 0.4
    joints[names.index("right_hip_pitch")] = 0.4
    joints[names.index("right_knee_pitch")] = 0.1
    state = make_state(robot, joints=joints)
    np.testing.assert_allclose(
        one(robot, "foot_contacts", state, contacts="estimated"), [0, 0, 0.8, 0.8], atol=1e-6
    )


def test_leading_axes_and_jit(wildrobot: RobotModel) -> None:
    features = make_frame_features(wildrobot, FeatureConfig())
    single = make_state(wildrobot, lin_vel=[0.3, 0.2, 0.0], base_quat=quat(0.1, 0.2, 0.3))
    batch = jax.tree.map(lambda x: jnp.stack([jnp.stack([x, x])] * 3), single)
    got = features(batch)
    assert got.shape == (3, 2, 29)
    np.testing.assert_allclose(got, np.broadcast_to(features(single), (3, 2, 29)), atol=1e-6)
    np.testing.assert_allclose(jax.jit(features)(single), features(single), atol=1e-6)


def test_estimated_contacts_need_legs(wildrobot: RobotModel) -> None:
    from wildrobot_gym.errors import RobotError

    config = {
        **wildrobot.config,
        "feet": [{**f, "leg": f["leg"][:2]} for f in wildrobot.config["feet"]],
    }
    legless = dataclasses.replace(wildrobot, config=config)
    with pytest.raises(RobotError, match="knee that turn about y in the leg of 'left_foot'"):
        make_frame_features(legless, FeatureConfig(contacts="estimated"))


@pytest.mark.parametrize(
    ("contacts", "settings", "want"),
    [
        ("force", {}, np.tanh([0.0, 0.4, 0.8, 1.6])),
        ("force", {"contact_scale": 4.0}, np.tanh([0.0, 1.0, 2.0, 4.0])),
        ("estimated", {}, [0.0, 0.0, 0.3, 0.3]),
        (
            "estimated",
            {"contact_threshold_angle": 0.2},
            [0.8, 0.8, 0.3, 0.3],
        ),  # the left thigh now counts as in stance
        ("estimated", {"contact_knee_scale": 0.9}, [0.0, 0.0, 0.5, 0.5]),
        ("estimated", {"contact_min_confidence": 0.2}, [0.0, 0.0, 0.2, 0.2]),
        ("proxy", {}, np.exp([0.0, -4.0, -0.25, -4.25])),
        ("proxy", {"proxy_height": 0.04}, np.exp([0.0, -0.25, -0.25, -0.5])),
        ("proxy", {"proxy_speed": 0.1}, np.exp([0.0, -4.0, -1.0, -5.0])),
    ],
)
def test_contacts_follow_their_own_settings(
    robot: RobotModel, contacts: str, settings: dict, want: list
) -> None:
    """Left thigh 0.15 rad forward, knee 0.1; right thigh 0.15 rad backward, knee 0.45.

    Some pads are 2 cm up, or slide.
    """
    joints, names = np.zeros(robot.num_joints), list(robot.joint_names)
    for name, angle in (
        ("left_hip", 0.15),
        ("left_knee", 0.1),
        ("right_hip", 0.15),
        ("right_knee", 0.45),
    ):
        joints[names.index(f"{name}_pitch")] = angle
    state = make_state(
        robot,
        joints=joints,
        pad_forces=[0.0, 4.0, 8.0, 16.0],
        pad_pos_w=[[0, 0, 0], [0, 0, 0.02], [0, 0, 0], [0, 0, 0.02]],
        pad_vel_w=[[0, 0, 0], [0, 0, 0], [0.1, 0, 0], [0, 0.1, 0]],
    )
    np.testing.assert_allclose(
        one(robot, "foot_contacts", state, contacts=contacts, **settings),
        want,
        rtol=1e-5,
        atol=1e-6,
    )
    layout = feature_layout(robot, FeatureConfig(contacts=contacts, **settings))
    assert settings.items() <= layout["definitions"].items()


def test_direction_is_the_signs_of_the_command(wildrobot: RobotModel) -> None:
    config = FeatureConfig(channels=("joint_pos", "direction"), history=HistoryConfig(1, 1))
    features = make_frame_features(wildrobot, config)
    state = make_state(wildrobot)
    for command, signs in (
        ([0.0, 0.0, 0.0], [0, 0, 0]),
        ([0.6, -0.06, 0.2], [1, -1, 1]),
        ([-0.2, 0.04, -0.09], [-1, 0, 0]),
    ):
        np.testing.assert_array_equal(features(state, command=jnp.array(command))[-3:], signs)
    names = feature_names(wildrobot, feature_layout(wildrobot, config))
    assert names[-3:] == ["direction[vx]", "direction[vy]", "direction[yaw_rate]"]
