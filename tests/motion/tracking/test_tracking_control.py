"""Harness and feedback: signs, caps, switches, and the filter, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wildrobot_gym.errors import ConfigError
from wildrobot_gym.motion.tracking import Controller, Harness, TrackSettings
from wildrobot_gym.motion.tracking.control import BaseError, Controllers, FeetError, HarnessHand
from wildrobot_gym.motion.tracking.legs import Legs, read_legs
from wildrobot_gym.motion.tracking.settings import GAIN_COUNTS
from wildrobot_gym.robot import RobotModel

OFF = Controller(**dict.fromkeys(GAIN_COUNTS))
UPRIGHT = BaseError(*(np.zeros((1, 2)) for _ in range(3)), *(np.zeros(1) for _ in range(4)))
STANDING = FeetError(
    np.full((1, 2), 0.5), np.zeros((1, 2, 2)), np.ones((1, 2), bool), np.zeros((1, 2))
)
LEANING_FORWARD = replace(UPRIGHT, tilt=np.array([[0.0, 0.1]]))
KEPT = np.exp(-2 * np.pi * 4.0 * 0.02)  # of the harness's filter in one control step


@pytest.fixture(scope="module")
def legs(wildrobot: RobotModel) -> Legs:
    return read_legs(wildrobot)


def test_harness_turns_the_base_back(wildrobot: RobotModel) -> None:
    wrench, saturated = HarnessHand(wildrobot, Harness(), 1).wrench(LEANING_FORWARD)
    np.testing.assert_allclose(wrench, [[0, 0, 0, 0, -0.1 * 5.0 * (1 - KEPT), 0]])
    assert not saturated
    turned = replace(LEANING_FORWARD, yaw=np.array([np.pi / 2]))
    wrench, _ = HarnessHand(wildrobot, Harness(), 1).wrench(turned)
    np.testing.assert_allclose(wrench[0, 3:], [0.5 * (1 - KEPT), 0, 0], atol=1e-12)


def test_harness_is_slow_and_capped(wildrobot: RobotModel) -> None:
    hand = HarnessHand(wildrobot, Harness(), 1)
    first = hand.wrench(LEANING_FORWARD)[0][0, 4]
    second = hand.wrench(LEANING_FORWARD)[0][0, 4]
    assert second == pytest.approx(first * (1 + KEPT))
    fallen = replace(UPRIGHT, tilt=np.array([[3.0, 4.0]]))
    for _ in range(20):
        wrench, saturated = hand.wrench(fallen)
    assert saturated and np.linalg.norm(wrench) == pytest.approx(
        0.15 * wildrobot.weight * wildrobot.leg_length
    )
    hand.reset(np.array([True]))
    np.testing.assert_array_equal(hand.wrench(UPRIGHT)[0], 0.0)


def test_harness_lets_go_beyond_its_range(wildrobot: RobotModel) -> None:
    hand = HarnessHand(wildrobot, Harness(), 1)
    far = replace(LEANING_FORWARD, tilt_from_vertical=np.array([np.deg2rad(26)]))
    np.testing.assert_array_equal(hand.wrench(far)[0], 0.0)


def test_height_spring_is_off_unless_asked_for(wildrobot: RobotModel) -> None:
    low = replace(UPRIGHT, height=np.array([-0.01]), climb=np.array([-0.1]))
    np.testing.assert_array_equal(HarnessHand(wildrobot, Harness(), 1).wrench(low)[0], 0.0)
    spring = Harness(height_stiffness=100.0, height_damping=10.0)
    wrench, _ = HarnessHand(wildrobot, spring, 1).wrench(low)
    np.testing.assert_allclose(wrench, [[0, 0, 2.0 * (1 - KEPT), 0, 0, 0]])


def feedback(
    legs: Legs, controller: Controller, error: BaseError = UPRIGHT, feet: FeetError = STANDING
) -> np.ndarray:
    return Controllers(legs, [controller]).feedback(
        error, feet, np.zeros((1, legs.ankle.shape[1]))
    )[0]


def test_all_switches_off_do_nothing(legs: Legs) -> None:
    feet = replace(STANDING, base_place=np.full((1, 2, 2), 0.1), stance=np.array([[True, False]]))
    assert not feedback(legs, OFF, replace(LEANING_FORWARD, velocity=np.ones((1, 2))), feet).any()
    ones = np.ones((1, legs.ankle.shape[1]))
    assert not Controllers(legs, [OFF]).feed_forward(ones, ones).any()


def test_no_error_no_feedback(legs: Legs) -> None:
    assert not feedback(legs, Controller()).any()


def test_stance_strategies(legs: Legs) -> None:
    """Leaning forward, both ankles push the toes down and both hips push the thighs back, each by
    its share of the load.
    """
    feet = replace(STANDING, load_fraction=np.array([[0.75, 0.25]]))
    ankle = feedback(legs, replace(OFF, ankle=(0.2, 0.0, 0.0, 0.0)), LEANING_FORWARD, feet)
    np.testing.assert_allclose(ankle, 0.02 * (0.75 * legs.ankle[0] + 0.25 * legs.ankle[1]))
    hip = feedback(legs, replace(OFF, hip_pitch=(0.2, 0.0)), LEANING_FORWARD, feet)
    np.testing.assert_allclose(hip, 0.02 * (0.75 * legs.hip_pitch[0] + 0.25 * legs.hip_pitch[1]))
    ahead = replace(STANDING, base_place=np.tile([0.01, 0.0], (1, 2, 1)))
    assert (
        feedback(legs, replace(OFF, ankle=(0.0, 0.0, 1.0, 0.0)), UPRIGHT, ahead) @ legs.ankle.T > 0
    ).all()


def test_hip_roll_moves_the_load_after_the_base(legs: Legs) -> None:
    """Base too far left, or leaning to the left: the stance thigh is pushed to the right, which
    turns the base that way.
    """
    left = replace(STANDING, base_place=np.tile([0.0, 0.01], (1, 2, 1)))
    place = feedback(legs, replace(OFF, hip_roll=(0.0, 0.0, 1.0, 0.0)), UPRIGHT, left)
    leaning = feedback(
        legs,
        replace(OFF, hip_roll=(1.0, 0.0, 0.0, 0.0)),
        replace(UPRIGHT, tilt=np.array([[-0.01, 0.0]])),
    )
    np.testing.assert_allclose(place, leaning)
    assert (place @ legs.hip_roll.T < 0).all()


def test_the_swing_foot_follows_the_base(legs: Legs) -> None:
    fast = replace(UPRIGHT, velocity=np.array([[0.2, 0.1]]))
    feet = replace(STANDING, load_fraction=np.array([[1.0, 0.0]]), stance=np.array([[True, False]]))
    controller = replace(OFF, step_forward=(0.5, 0.0), step_sideways=(0.5, 0.0))
    np.testing.assert_allclose(
        feedback(legs, controller, fast, feet), 0.1 * legs.step[1] + 0.05 * legs.hip_roll[1]
    )
    assert not feedback(legs, controller, fast, STANDING).any()


def test_a_low_swing_foot_is_drawn_up(legs: Legs) -> None:
    feet = replace(STANDING, stance=np.array([[True, False]]), sole_height=np.array([[0.0, 0.004]]))
    np.testing.assert_allclose(
        feedback(legs, replace(OFF, clearance=(10.0,)), UPRIGHT, feet), 0.06 * legs.lift[1]
    )


def test_stiffness_differs_between_stance_and_swing(legs: Legs) -> None:
    feet = replace(STANDING, stance=np.array([[True, False]]))
    error = np.full((1, legs.ankle.shape[1]), 0.1)
    out = Controllers(legs, [replace(OFF, stiffness=(0.5, 0.2))]).feedback(UPRIGHT, feet, error)[0]
    np.testing.assert_allclose(np.abs(legs.knee) @ out, [0.05, 0.02])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Harness(cap=-1.0), r"harness\.cap is -1"),
        (lambda: Controller(ankle=(1.0,)), r"controller\.ankle.*4 gains"),
        (lambda: TrackSettings(loops=("circle",)), r"loops is \('circle',\).*neutral"),
        (lambda: TrackSettings(warps=(0.0,)), "warps"),
        (lambda: TrackSettings(turns=(1.5,)), "turns"),
        (lambda: TrackSettings(duration_s=0.0), "duration_s is 0"),
        (lambda: TrackSettings(controllers=()), "controllers"),
    ],
)
def test_settings_that_cannot_be_are_refused(make: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()  # type: ignore[operator]
