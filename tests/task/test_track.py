"""The tracking task's own functions.

Errors between a state and a clip's frame, and what they pay.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from state_makers import make_state, quat, step_fields

from wildrobot_gym.config import build
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.clip_frames import ClipFrames, clip_errors, feet_in_heading
from wildrobot_gym.task.config import TrackEnvConfig, TrackRewardConfig
from wildrobot_gym.task.reward_terms import reward_terms
from wildrobot_gym.task.rewards import TERMS
from wildrobot_gym.task.track_rewards import TrackRewardInputs

STANCE = jnp.array([0.9, 0.1])  # fractions of the weight on the two feet


def frame(robot: RobotModel, **changes) -> ClipFrames:
    """The frame of a clip in which the robot is in the state that ``make_state`` makes."""
    state = make_state(robot, **changes)
    feet = feet_in_heading(state.base_quat_w, state.base_pos_w, state.foot_pos_w)
    return ClipFrames(
        state.qpos,
        state.qvel,
        target=state.joint_pos,
        feet=feet,
        load=STANCE,
        command=jnp.zeros(3),
        last=jnp.int32(0),
    )


def errors_of(
    state, want: ClipFrames, yaw: float = 0.0, load: jnp.ndarray = STANCE
) -> dict[str, jnp.ndarray]:
    return clip_errors(state, load, want, jnp.float32(yaw))


def clip_terms(
    robot: RobotModel, errors: dict[str, jnp.ndarray], **weights: float
) -> dict[str, jnp.ndarray]:
    """The weighted clip terms alone; the walking terms are switched off."""
    off = dict.fromkeys(TERMS, 0.0)
    step = TrackRewardInputs(**step_fields(robot), errors=errors)
    return reward_terms(step, TrackRewardConfig(weights=off | weights))


def test_a_state_that_is_the_frame_has_no_error(robot: RobotModel) -> None:
    pose = {
        "base_quat": quat(0.1, -0.2, 0.3),
        "lin_vel": [0.5, 0.1, 0.0],
        "ang_vel": [0.2, 0.1, 0.4],
    }
    errors = errors_of(make_state(robot, **pose), frame(robot, **pose))
    assert max(errors.values()) < 1e-5
    terms = clip_terms(robot, errors)
    weights = 2.0 + 0.5 + 1.0 + 0.5 + 1.0 + 0.5 + 0.5 + 1.5 + 1.5
    assert sum(float(t) for t in terms.values()) == pytest.approx(0.02 * weights, rel=1e-4)


def test_a_clip_may_be_turned_as_a_whole(robot: RobotModel) -> None:
    """Robot and clip both walk ahead, but the clip's ahead is turned by 1 rad.

    No error once that turn is named.
    """
    cos, sin = np.cos(1.0), np.sin(1.0)
    state = make_state(robot, base_quat=quat(yaw=1.0), lin_vel=[0.5 * cos, 0.5 * sin, 0.0])
    want = frame(robot, lin_vel=[0.5, 0.0, 0.0])
    assert max(errors_of(state, want, yaw=1.0).values()) < 1e-5
    unturned = errors_of(state, want)
    assert unturned["heading"] == pytest.approx(1.0, abs=1e-5)
    assert unturned["lin_vel"] == pytest.approx(0.0, abs=1e-5)


def test_feet_are_where_they_are_from_the_base_wherever_that_is() -> None:
    """1 m ahead of a base that looks along +y, 0.2 m to its right, 0.05 m above the floor."""
    feet = feet_in_heading(
        jnp.array(quat(yaw=np.pi / 2)), jnp.array([3.0, 4.0, 0.4]), jnp.array([[3.2, 5.0, 0.05]])
    )
    np.testing.assert_allclose(feet, [[1.0, -0.2, 0.05]], atol=1e-6)


def test_feet_and_loads(wildrobot: RobotModel) -> None:
    want = frame(wildrobot)
    off = want.replace(feet=want.feet + jnp.array([[0.03, 0.0, 0.04], [0.0, 0.0, 0.0]]))
    errors = errors_of(make_state(wildrobot), off, load=jnp.array([0.5, 0.4]))
    assert errors["feet"] == pytest.approx(0.05, abs=1e-6) and errors["load"] == pytest.approx(
        0.5, abs=1e-6
    )


def test_errors_by_hand(wildrobot: RobotModel) -> None:
    home = wildrobot.home_qpos[7:]
    state = make_state(
        wildrobot,
        joints=home + 0.3,
        height=0.40,
        lin_vel=[0.3, 0.4, 0.0],
        base_quat=quat(pitch=0.2),
    )
    errors = errors_of(state, frame(wildrobot, height=0.43))
    assert errors["joint_pos"] == pytest.approx(0.3, abs=1e-5)  # each joint 0.3 rad off
    assert errors["height"] == pytest.approx(0.03, abs=1e-5)
    assert errors["lin_vel"] == pytest.approx(0.5, abs=1e-5)  # 3-4-5
    assert errors["attitude"] == pytest.approx(2 * np.sin(0.1), abs=1e-5)  # chord of 0.2 rad
    term = clip_terms(wildrobot, errors)["clip_joint_pos"]
    assert float(term) == pytest.approx(0.02 * 2.0 * np.exp(-((0.3 / 0.25) ** 2)), rel=1e-4)


def test_a_term_of_weight_zero_is_not_there(wildrobot: RobotModel) -> None:
    errors = errors_of(make_state(wildrobot), frame(wildrobot))
    assert "clip_height" in clip_terms(wildrobot, errors)
    assert "clip_height" not in clip_terms(wildrobot, errors, clip_height=0.0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"horizon": []}, "horizon is"),
        ({"commands": {"vx": [0.0, 0.5]}}, "a clip brings its own command"),
        ({"reset": {"reference_fraction": 0.5}}, "every episode begins in a frame of the clips"),
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
    weights = config.rewards.weights
    assert [weights[name] for name in ("slip", "tracking_lin_vel", "clip_joint_pos")] == [
        -9.0,
        0.0,
        2.0,
    ]
    assert (config.action.filter, config.action.scale) == (1.0, 0.5)


@pytest.mark.parametrize("term", ["joint_zero", "imu_tilt", "observation_delay"])
def test_tracking_reads_exactly(term: str) -> None:
    with pytest.raises(ConfigError, match=rf"randomization is \['{term}'\].*no sensor's terms"):
        build(TrackEnvConfig, {"randomization": {term: [0.0, 0.01]}})
