"""The declared reflection of observations agrees with reflecting the physics state itself."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from state_makers import make_state, mirror_image, quat

from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import FeatureConfig, HistoryConfig
from wildrobot_gym.task.features import (
    feature_dim,
    feature_layout,
    feature_mirror,
    make_frame_features,
)
from wildrobot_gym.task.observations import observation_dim, observation_mirror, observe


def test_observing_the_mirrored_state_gives_the_mirrored_observation(robot: RobotModel) -> None:
    rng = np.random.default_rng(0)
    mirror = observation_mirror(robot)
    ids, signs, n = robot.joint_mirror_ids, robot.joint_mirror_signs, robot.num_joints
    home = jnp.asarray(robot.home_joint_pos, jnp.float32)
    for _ in range(5):
        base = quat(*rng.normal(0, 0.3, 3))
        lin, ang, command = rng.normal(size=(3, 3)).astype(np.float32)
        joints, joint_vel, action = rng.normal(0, 0.5, (3, n)).astype(np.float32)
        parts = {
            "base_quat": base,
            "lin_vel": lin,
            "ang_vel": ang,
            "joints": joints,
            "joint_vel": joint_vel,
        }
        state, image = make_state(robot, **parts), make_state(robot, **mirror_image(robot, **parts))
        flipped = np.array([1, -1, -1], np.float32)
        obs = np.asarray(observe(home, state, jnp.array(command), jnp.array(action)))
        expected = np.array(mirror["obs_signs"]) * obs[np.array(mirror["obs_ids"])]
        got = observe(
            home, image, jnp.array(command * flipped), jnp.array(signs * action[ids], jnp.float32)
        )
        assert got.shape == (observation_dim(robot),)
        np.testing.assert_allclose(got, expected, atol=1e-5)


@pytest.mark.parametrize(
    "settings",
    [{"contacts": contacts} for contacts in ("force", "estimated", "proxy", "none")]
    + [{"velocity_frame": "world"}],
    ids=str,
)
def test_features_of_the_mirrored_state_are_the_mirrored_features(
    robot: RobotModel, settings: dict[str, str]
) -> None:
    config = FeatureConfig(**settings, history=HistoryConfig(frames=3, stride=1))
    layout = feature_layout(robot, config)
    mirror = feature_mirror(robot, layout)
    n = robot.num_joints
    features = make_frame_features(robot, config)
    rng = np.random.default_rng(1)
    rows, images = [], []
    for _ in range(3):
        base = quat(*rng.normal(0, 0.3, 3))
        lin, ang = rng.normal(size=(2, 3))
        joints, joint_vel = rng.normal(0, 0.5, (2, n))
        parts = {
            "base_quat": base,
            "lin_vel": lin,
            "ang_vel": ang,
            "joints": joints,
            "joint_vel": joint_vel,
        }
        pads = len(robot.pad_mirror_ids)
        parts["pad_forces"] = rng.uniform(0, 20, pads)
        parts |= {
            "pad_pos_w": rng.uniform(0, 0.05, (pads, 3)),
            "pad_vel_w": rng.normal(0, 0.5, (pads, 3)),
        }
        rows.append(features(make_state(robot, **parts)))
        images.append(features(make_state(robot, **mirror_image(robot, **parts))))
    window, expected = np.concatenate(rows), np.concatenate(images)
    assert window.shape == (feature_dim(layout),) == (len(mirror["amp_ids"]),)
    np.testing.assert_allclose(
        np.array(mirror["amp_signs"]) * window[mirror["amp_ids"]], expected, atol=1e-5
    )


def test_the_home_pose_is_its_own_image(robot: RobotModel) -> None:
    home = robot.home_joint_pos
    np.testing.assert_allclose(robot.joint_mirror_signs * home[robot.joint_mirror_ids], home)
