"""From clips to states and features: velocities in MuJoCo's convention, sensors, and forces that
are never made up.
"""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.states import clip_features, clip_states, velocities
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import FeatureConfig
from wildrobot_gym.task.features import make_frame_features

TIME = np.arange(51) / 50.0


def test_states_have_the_clips_velocities(clip: MotionClip, wildrobot: RobotModel) -> None:
    state = clip_states(wildrobot, clip)
    assert state.qpos.shape == (51, 16) and state.qpos.dtype == np.float32
    np.testing.assert_allclose(state.qvel[:, :3], np.tile([0.5, 0.01, 0.0], (51, 1)), atol=1e-4)
    np.testing.assert_allclose(state.qvel[:, 3:6], np.tile([0.0, 0.0, 0.3], (51, 1)), atol=1e-4)
    swing = 0.4 * np.pi * np.cos(2 * np.pi * TIME)
    np.testing.assert_allclose(state.qvel[2:-2, 7], swing[2:-2], atol=1e-4)
    np.testing.assert_allclose(state.qvel[:, 7], swing, atol=0.02)  # second order at the ends
    np.testing.assert_array_equal(state.pad_forces, np.tile(np.float32([8, 7, 6, 5]), (51, 1)))
    assert np.isnan(state.actuator_forces).all() and not state.diverged.any()


def test_velocities_as_performed_are_taken(clip: MotionClip, wildrobot: RobotModel) -> None:
    performed = replace(clip, qvel=np.full((51, 15), 0.25))
    np.testing.assert_array_equal(clip_states(wildrobot, performed).qvel, 0.25)
    fine = replace(performed, fps=100.0)  # at another rate they are derived from the poses
    np.testing.assert_allclose(clip_states(wildrobot, fine).qvel[:, 0], 1.0, atol=1e-4)


def test_angular_velocity_is_that_of_the_base_frame(wildrobot: RobotModel) -> None:
    """A base rolled by 90 degrees that turns about the world's z turns about its own y."""
    half = 0.5 * 0.4 * TIME
    turn = np.stack([np.cos(half), 0 * half, 0 * half, np.sin(half)], axis=-1)
    rolled = np.array([np.sqrt(0.5), np.sqrt(0.5), 0.0, 0.0])
    qpos = np.tile(wildrobot.home_qpos, (51, 1))
    for i in range(51):
        mujoco.mju_mulQuat(qpos[i, 3:7], turn[i], rolled)
    qvel = velocities(wildrobot, qpos, 0.02)
    np.testing.assert_allclose(qvel[:, 3:6], np.tile([0.0, 0.4, 0.0], (51, 1)), atol=1e-9)


@pytest.mark.parametrize("frames", [2, 3, 4, 5, 6])
def test_few_frames_are_enough_for_velocities(wildrobot: RobotModel, frames: int) -> None:
    qpos = np.tile(wildrobot.home_qpos, (frames, 1))
    qpos[:, 8] += 0.05 * np.arange(frames)
    np.testing.assert_allclose(velocities(wildrobot, qpos, 0.02)[:, 7], 2.5)


def test_velocities_integrate_to_the_poses(wildrobot: RobotModel, clip: MotionClip) -> None:
    state = clip_states(wildrobot, clip)
    for i in (5, 20, 40):
        ahead = state.qpos[i].astype(float)
        mid = 0.5 * (state.qvel[i] + state.qvel[i + 1]).astype(float)
        mujoco.mj_integratePos(wildrobot.model, ahead, mid, 0.02)
        np.testing.assert_allclose(ahead, state.qpos[i + 1], atol=1e-4)


def test_sensors_are_the_models(wildrobot: RobotModel, clip: MotionClip) -> None:
    state = clip_states(wildrobot, clip)
    data = mujoco.MjData(wildrobot.model)
    data.qpos[:], data.qvel[:] = state.qpos[12], state.qvel[12]
    mujoco.mj_forward(wildrobot.model, data)
    np.testing.assert_allclose(
        state.pad_pos_w[12], [data.site(p).xpos for p in wildrobot.pad_names], atol=1e-6
    )
    np.testing.assert_allclose(
        state.foot_pos_w[12], [data.site(f).xpos for f in wildrobot.foot_names], atol=1e-6
    )
    speed = np.gradient(state.pad_pos_w.astype(float), 0.02, axis=0)
    np.testing.assert_allclose(state.pad_vel_w[2:-2], speed[2:-2], atol=0.01)


def test_features_come_from_the_simulations_function(
    robot: RobotModel, default_clips: list[MotionClip]
) -> None:
    config = FeatureConfig()
    clip = default_clips[6]
    expected = make_frame_features(robot, config)(
        jax.tree.map(jnp.asarray, clip_states(robot, clip))
    )
    np.testing.assert_array_equal(clip_features(robot, config, clip), expected)


def test_unknown_forces_are_never_filled_in(wildrobot: RobotModel, clip: MotionClip) -> None:
    blind = replace(clip, pad_forces=None)
    assert np.isnan(clip_states(wildrobot, blind).pad_forces).all()
    with pytest.raises(MotionError, match="no pad forces"):
        clip_features(wildrobot, FeatureConfig(), blind)
    for contacts in ("estimated", "proxy", "none"):
        assert np.isfinite(clip_features(wildrobot, FeatureConfig(contacts=contacts), blind)).all()
    without = tuple(c for c in FeatureConfig().channels if c != "foot_contacts")
    assert clip_features(wildrobot, FeatureConfig(channels=without), blind).shape == (51, 25)


def test_other_frame_rates_are_brought_to_the_control_rate(
    wildrobot: RobotModel, clip: MotionClip
) -> None:
    fine = clip_states(wildrobot, clip.resampled(120.0))
    np.testing.assert_allclose(
        fine.qpos[:50, 7:], clip_states(wildrobot, clip).qpos[:50, 7:], atol=1e-4
    )
