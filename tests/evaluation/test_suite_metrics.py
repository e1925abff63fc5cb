"""The further metrics of version 2 against trajectories for which they are known."""

import dataclasses

import numpy as np
import pytest
from synthetic import DT, STEPS, standing, walking

from wildrobot_gym.evaluation.intervals import share_interval, wilson_interval
from wildrobot_gym.evaluation.metrics import episode_metrics, first_step
from wildrobot_gym.evaluation.recording import Recording
from wildrobot_gym.evaluation.suites.metrics import row_metrics
from wildrobot_gym.evaluation.suites.results import summary
from wildrobot_gym.rotations import numpy_tilt

FIRST = first_step(DT)


def of(robot, arrays, command=(0.0, 0.0, 0.0), script=None):
    """Metrics of one episode."""
    recording = Recording(**arrays) if isinstance(arrays, dict) else arrays
    commands = np.tile(np.array(command, np.float32), (STEPS, 1, 1)) if script is None else script
    return {k: v[0] for k, v in row_metrics(recording, commands, robot, DT).items()}


def test_a_straight_walk_keeps_the_metrics_of_version_1(robot):
    first = episode_metrics(walking(robot), np.array([0.5]), robot)
    found = of(robot, walking(robot), (0.5, 0.0, 0.0))
    for name, values in first.items():
        np.testing.assert_allclose(found[name], values[0], atol=1e-7, err_msg=name)
    assert found["alternation"] == 1.0
    assert np.isnan(found["final_tilt"])  # a walking robot is not told to stand


def test_alternation_counts_touchdowns_by_another_foot(robot):
    # The left foot lands every 40 steps, and the right one only in every second of these periods:
    # L R L L R L ... Of three changes from touchdown to touchdown, two are to the other foot.
    arrays = dataclasses.asdict(walking(robot))
    force = arrays["foot_force"][:, 0, 1]
    for begin in range(0, STEPS, 80):
        force[begin : begin + 40] = 17.0
    left = np.arange(24 + 80, STEPS, 40)  # touchdowns after the first that is measured
    found = of(robot, arrays, (0.5, 0.0, 0.0))["alternation"]
    touchdowns = _touchdowns(arrays["foot_force"][:, 0])
    expected = np.mean(touchdowns[1:] != touchdowns[:-1])
    assert len(left) > 5 and found == expected
    assert 0.6 < found < 0.72


def _touchdowns(force):
    """Feet that land after the first two seconds, in order, read step by step."""
    order = []
    for t in range(FIRST, STEPS):
        for foot in range(force.shape[1]):
            if force[t, foot] > 5 and force[t - 1, foot] == 0 and force[t - 2, foot] == 0:
                order.append(foot)
    return np.array(order)


@pytest.mark.parametrize("rate", [1.25, 2.5])
def test_normalized_jerk_of_a_sine_is_the_same_at_any_rate_and_amplitude(robot, rate):
    # One cycle of a sine of any size: sqrt(1/2 a^2 w^6 / 2) T^3 / (2 a) = (2 pi)^3 / 4.
    arrays = dataclasses.asdict(walking(robot, period=round(1 / (rate * DT)), swing=8))
    t = np.arange(STEPS) * DT
    w = 2 * np.pi * rate
    for joint, size in ((1, 0.3), (2, 0.1)):
        arrays["joint_pos"][:, 0, joint] = size * np.sin(w * t)
        arrays["joint_vel"][:, 0, joint] = size * w * np.cos(w * t)
    found = of(robot, arrays, (0.5, 0.0, 0.0))
    assert found["cadence"] == pytest.approx(rate)
    # A second difference of a sine is smaller by (sin(x) / x)^2 at half a step x.
    x = w * DT / 2
    assert found["normalized_jerk"] == pytest.approx(
        (2 * np.pi) ** 3 / 4 * (np.sin(x) / x) ** 2, rel=5e-3
    )


def test_a_step_now_and_then_has_no_gait_cycle_to_take_the_jerk_over(robot):
    arrays = standing(robot)
    arrays["foot_force"][300:310, 0, 0] = 0.0
    assert np.isnan(of(robot, arrays)["normalized_jerk"])


def test_jerk_starts_in_the_middle_of_a_motion(robot):
    """What comes before the first measured step, and after a fall, does not count."""
    arrays = dataclasses.asdict(walking(robot))
    t = np.arange(STEPS) * DT
    arrays["joint_pos"][:, 0, 1] = 0.3 * np.sin(2.5 * np.pi * t)
    arrays["joint_vel"][:, 0, 1] = 0.3 * 2.5 * np.pi * np.cos(2.5 * np.pi * t)
    clean = of(robot, arrays, (0.5, 0.0, 0.0))["normalized_jerk"]
    arrays["joint_vel"][: FIRST - 1 : 2] = 9.0
    assert of(robot, arrays, (0.5, 0.0, 0.0))["normalized_jerk"] == pytest.approx(clean)
    arrays["alive"][400:] = False
    arrays["joint_vel"][401::2] = 9.0
    fallen = of(robot, arrays, (0.5, 0.0, 0.0))
    assert fallen["normalized_jerk"] == pytest.approx(clean, rel=0.05)


def test_each_part_of_the_command_has_its_error(robot):
    # It turns at 0.4 rad/s and walks 0.3 m/s ahead and 0.05 m/s to the left of where it faces.
    arrays = standing(robot)
    yaw = 2.0 + 0.4 * DT * np.arange(STEPS)
    arrays["yaw"][:, 0] = (yaw + np.pi) % (2 * np.pi) - np.pi
    ahead = np.stack([np.cos(yaw), np.sin(yaw)], axis=1)
    left = np.stack([-np.sin(yaw), np.cos(yaw)], axis=1)
    arrays["base_lin_vel_w"][:, 0, :2] = 0.3 * ahead + 0.05 * left
    found = of(robot, arrays, (0.2, 0.0, 0.5))
    assert found["error_vx"] == pytest.approx(0.1)
    assert found["error_vy"] == pytest.approx(0.05)
    assert found["error_yaw_rate"] == pytest.approx(0.1)
    assert found["heading_error"] == pytest.approx(0.1 * (STEPS - 1) * DT)
    assert found["yaw_drift"] == pytest.approx(found["heading_error"])
    assert np.isnan(found["success"]) and np.isnan(found["velocity_error"])


def test_heading_error_follows_commands_that_change(robot):
    script = np.zeros((STEPS, 1, 3), np.float32)
    script[..., 0] = 0.3
    script[100:150, 0, 2] = 0.5  # a turn of 0.5 rad, in one second
    script[300:400, 0, 2] = -0.25  # and back
    arrays = standing(robot)
    turned = np.cumsum(script[:, 0, 2]) * DT
    arrays["yaw"][:, 0] = turned
    assert of(robot, arrays, script=script)["heading_error"] == pytest.approx(0.0, abs=1e-6)
    arrays["yaw"][450:, 0] -= 0.1
    assert of(robot, arrays, script=script)["heading_error"] == pytest.approx(0.1, abs=1e-6)
    # What a robot turns before it stands by command, and meanwhile, is no error of the heading.
    arrays["yaw"][200:, 0] += 0.4
    script[420:470] = 0.0
    found = of(robot, arrays, script=script)
    assert found["heading_error"] == pytest.approx(0.0, abs=1e-6)
    assert found["yaw_drift"] == pytest.approx(0.3, abs=1e-6)
    arrays["yaw"][480:, 0] += 0.2
    assert of(robot, arrays, script=script)["heading_error"] == pytest.approx(0.2, abs=1e-6)


def test_a_foot_may_pivot_in_a_turn(robot):
    arrays = standing(robot)
    arrays["foot_speed"][200:300] = 0.2
    script = np.zeros((STEPS, 1, 3), np.float32)
    assert of(robot, arrays, script=script)["slip"] == pytest.approx(100 / (STEPS - FIRST))
    script[200:300, 0, 2] = 0.3
    assert of(robot, arrays, script=script)["slip"] == 0.0


def test_standing_quietly(robot):
    found = of(robot, standing(robot))
    assert found["still"] == 1.0 and found["late_steps"] == 0.0
    assert found["settling_time"] == found["displacement"] == found["final_tilt"] == 0.0


def test_steps_and_displacement_count_from_the_third_second(robot):
    arrays = standing(robot)
    arrays["foot_force"][60:70, 0, 0] = 0.0  # a step in the first two seconds
    arrays["base_pos_w"][:FIRST, 0, 0] = 3.0
    arrays["base_pos_w"][250, 0, :2] += (0.03, 0.04)
    found = of(robot, arrays)
    assert found["still"] == 1.0
    assert found["displacement"] == pytest.approx(0.05)
    arrays["foot_force"][300:310, 0, 1] = 0.0
    assert of(robot, arrays)["late_steps"] == 1.0
    assert of(robot, arrays)["still"] == 0.0


def test_settling_time_is_when_the_rate_falls_for_good(robot):
    arrays = standing(robot)
    arrays["base_ang_vel"][:60, 0] = 0.0, 0.3, 0.4
    # A window of 25 steps that holds one step at 0.5 rad/s has an rms of 0.1: it is calm.
    assert of(robot, arrays)["settling_time"] == pytest.approx(59 * DT)
    arrays["base_ang_vel"][200:204, 0, 0] = 0.3  # rms 0.12 while all four are inside
    assert of(robot, arrays)["settling_time"] == pytest.approx(202 * DT)
    arrays["base_ang_vel"][:, 0, 0] = 0.2
    assert of(robot, arrays)["settling_time"] == pytest.approx(STEPS * DT)


def test_tilt_and_rate_are_of_the_last_second(robot):
    arrays = standing(robot)
    arrays["tilt"][:, 0], arrays["base_ang_vel"][:, 0] = 1.0, 9.0
    arrays["tilt"][-50:, 0] = 0.05
    arrays["base_ang_vel"][-50:, 0] = 0.03, 0.04, 0.0
    found = of(robot, arrays)
    assert found["final_tilt"] == pytest.approx(0.05)
    assert found["final_rate"] == pytest.approx(0.05)


def test_a_robot_that_fell_did_not_stand(robot):
    arrays = standing(robot)
    arrays["alive"][400:] = False
    found = of(robot, arrays)
    assert found["survived"] == found["still"] == 0.0
    assert np.isnan(found["final_tilt"])
    short = {name: values[:60] for name, values in arrays.items()}
    short["alive"][50:] = False
    assert of(robot, short)["still"] == 0.0  # the recording may end with the last robot


def test_tilt_of_a_quaternion():
    angle = 0.07
    quats = [[np.cos(angle / 2), np.sin(angle / 2), 0, 0], [np.cos(1.0), 0, 0, np.sin(1.0)]]
    np.testing.assert_allclose(numpy_tilt(np.array(quats)), [angle, 0.0], atol=1e-12)


def test_wilson_interval():
    # Of 64 successes in 64: n / (n + z^2) = 64 / 67.84.
    low, high = wilson_interval(64, 64)
    assert low == pytest.approx(64 / (64 + 1.959964**2), abs=1e-6) and high == 1.0
    # Of 32 in 64 it is symmetric, with half of z sqrt(n / 4 + z^2 / 4) / (n + z^2).
    low, high = wilson_interval(32, 64)
    half = 1.959964 * np.sqrt(64 / 4 + 1.959964**2 / 4) / (64 + 1.959964**2)
    assert (low, high) == pytest.approx((0.5 - half, 0.5 + half), abs=1e-6)
    assert share_interval(np.array([np.nan]))["mean"] is None


def test_summary_has_percentiles_of_numbers_and_none_of_shares():
    values = np.arange(101.0)
    assert summary("heading_error", values)["p95"] == 95.0
    assert summary("heading_error", np.array([np.nan]))["p50"] is None
    assert set(summary("survived", np.ones(4))) == {"mean", "low", "high", "n"}
