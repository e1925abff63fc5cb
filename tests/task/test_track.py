"""The tracking task's own functions: errors between a state and a clip's frame, and what they pay."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from state_makers import make_state, quat

from wildrobot_gym.config import TrackEnvConfig, TrackRewardConfig, build
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.track import clip_errors, clip_terms


def frame(robot: RobotModel, **changes) -> tuple[jnp.ndarray, jnp.ndarray]:
    state = make_state(robot, **changes)
    return state.qpos, state.qvel


def test_a_state_that_is_the_frame_has_no_error(robot: RobotModel) -> None:
    pose = {"base_quat": quat(0.1, -0.2, 0.3), "lin_vel": [0.5, 0.1, 0.0], "ang_vel": [0.2, 0.1, 0.4]}
    errors = clip_errors(make_state(robot, **pose), *frame(robot, **pose), jnp.float32(0.0))
    assert max(float(e) for e in errors.values()) < 1e-5
    config = TrackRewardConfig()
    terms = clip_terms(errors, config)
    assert sum(float(t) for t in terms.values()) == pytest.approx(0.02 * (2.0 + 0.5 + 1.0 + 0.5 + 1.0 + 0.5 + 0.5), rel=1e-4)


def test_a_clip_may_be_turned_as_a_whole(robot: RobotModel) -> None:
    """Robot and clip both walk ahead, but the clip's ahead is turned by 1 rad: no error once that turn is named."""
    cos, sin = np.cos(1.0), np.sin(1.0)
    state = make_state(robot, base_quat=quat(yaw=1.0), lin_vel=[0.5 * cos, 0.5 * sin, 0.0])
    qpos, qvel = frame(robot, lin_vel=[0.5, 0.0, 0.0])
    assert max(float(e) for e in clip_errors(state, qpos, qvel, jnp.float32(1.0)).values()) < 1e-5
    unturned = clip_errors(state, qpos, qvel, jnp.float32(0.0))
    assert float(unturned["heading"]) == pytest.approx(1.0, abs=1e-5)
    assert float(unturned["lin_vel"]) == pytest.approx(0.0, abs=1e-5)


def test_errors_by_hand(wildrobot: RobotModel) -> None:
    home = wildrobot.home_qpos[7:]
    state = make_state(wildrobot, joints=home + 0.3, height=0.40, lin_vel=[0.3, 0.4, 0.0], base_quat=quat(pitch=0.2))
    errors = clip_errors(state, *frame(wildrobot, height=0.43), jnp.float32(0.0))
    assert float(errors["joint_pos"]) == pytest.approx(0.3, abs=1e-5)  # each joint 0.3 rad off
    assert float(errors["height"]) == pytest.approx(0.03, abs=1e-5)
    assert float(errors["lin_vel"]) == pytest.approx(0.5, abs=1e-5)  # 3-4-5
    assert float(errors["attitude"]) == pytest.approx(2 * np.sin(0.1), abs=1e-5)  # chord of 0.2 rad
    term = clip_terms(errors, TrackRewardConfig())["clip_joint_pos"]
    assert float(term) == pytest.approx(0.02 * 2.0 * np.exp(-((0.3 / 0.25) ** 2)), rel=1e-4)


def test_a_term_of_weight_zero_is_not_there(wildrobot: RobotModel) -> None:
    errors = clip_errors(make_state(wildrobot), *frame(wildrobot), jnp.float32(0.0))
    assert "clip_height" not in clip_terms(errors, TrackRewardConfig(clip_height=0.0))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"horizon": []}, "horizon is"),
        ({"commands": {"vx": [0.0, 0.5]}}, "a clip brings its own command"),
        ({"reset": {"reference_share": 0.5}}, "every episode begins in a frame of the clips"),
        ({"horizon": [0, 1]}, "horizon is"),
        ({"rewards": {"clip_height_sigma": 0.0}}, "rewards.clip_height_sigma is 0.0"),
        ({"rewards": {"clip_hight": 1.0}}, "Did you mean 'clip_height'"),
        ({"termination": {"max_joint_error": -1.0}}, "termination.max_joint_error is -1.0"),
    ],
)
def test_wrong_settings(settings: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(TrackEnvConfig, settings)


def test_a_partial_setting_keeps_the_tracking_defaults() -> None:
    config = build(TrackEnvConfig, {"rewards": {"slip": -9.0}, "action": {"filter": 1.0}})
    assert (config.rewards.slip, config.rewards.tracking_lin_vel, config.rewards.clip_joint_pos) == (-9.0, 0.0, 2.0)
    assert (config.action.filter, config.action.scale) == (1.0, 0.5)
