"""Each metric of the walk benchmark against a trajectory for which it is known."""

import dataclasses

import numpy as np
import pytest
from synthetic import DT, STEPS, standing, walking

from wildrobot_gym.evaluation.gait_events import find_events
from wildrobot_gym.evaluation.metrics import episode_metrics, first_step
from wildrobot_gym.evaluation.recording import Recording
from wildrobot_gym.task.contact import lowest_corner

PERIOD, SWING, SPEED = 40, 16, 0.5
MEASURED = STEPS - first_step(0.02)


@pytest.fixture(scope="module")
def metrics(robot):
    return {
        name: values[0]
        for name, values in episode_metrics(walking(robot), np.array([SPEED]), robot).items()
    }


def metrics_of(robot, arrays, command=0.0):
    result = episode_metrics(Recording(**arrays), np.full(arrays["alive"].shape[1], command), robot)
    return {name: values[0] for name, values in result.items()}


def test_speed_and_drift(metrics):
    assert metrics["forward_velocity"] == pytest.approx(SPEED)
    assert metrics["velocity_error"] == pytest.approx(0.0, abs=1e-9)
    assert metrics["drift_lateral"] == pytest.approx(0.0, abs=1e-9)
    assert metrics["drift_heading"] == 0.0


def test_cadence_counts_touchdowns_a_second_and_foot(metrics):
    # 400 measured steps hold ten periods of 40: ten touchdowns of each foot in 8 s.
    assert (
        metrics["cadence_left"] == metrics["cadence_right"] == pytest.approx(10 / (MEASURED * DT))
    )
    assert metrics["cadence"] == pytest.approx(1.25)


def test_clearance_is_the_median_peak(metrics, robot):
    # Samples lie at (k + 1/2) / 16 of the half sine; the highest is sin(pi * 7.5 / 16).
    assert metrics["clearance"] == pytest.approx(0.03 * np.sin(np.pi * 7.5 / 16))


def test_step_length_and_symmetry(metrics):
    # One period carries both feet over speed * period, so each step is half of that.
    assert metrics["step_length"] == pytest.approx(SPEED * PERIOD * DT / 2)
    assert metrics["symmetry_time"] == pytest.approx(0.0, abs=1e-9)
    assert metrics["symmetry_length"] == pytest.approx(0.0, abs=1e-9)


def test_support_fractions(metrics):
    assert metrics["support_single"] == pytest.approx(2 * SWING / PERIOD)
    assert metrics["support_double"] == pytest.approx(1 - 2 * SWING / PERIOD)
    assert metrics["support_none"] == 0.0


def test_this_walk_is_a_success(metrics):
    assert metrics["survived"] == 1.0
    assert metrics["success"] == 1.0


def test_a_turned_walk_has_the_same_metrics(robot, metrics):
    turned = episode_metrics(walking(robot, yaw=2.5), np.array([SPEED]), robot)
    for name, value in metrics.items():
        assert turned[name][0] == pytest.approx(value, abs=1e-6), name


def test_standing_survives_without_success(robot):
    metrics = metrics_of(robot, standing(robot))
    assert metrics["survived"] == 1.0
    assert metrics["velocity_error"] == 0.0
    assert metrics["success"] == 0.0
    assert np.isnan(metrics["clearance"])
    assert np.isnan(metrics["cost_of_transport"])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"peak": 0.014}, 0.0),
        ({"peak": 0.016}, 1.0),
        ({"period": 100, "swing": 40}, 1.0),
        ({"period": 120}, 0.0),
    ],
)
def test_success_bars(robot, change, expected):
    recording = walking(robot, **change)
    assert episode_metrics(recording, np.array([SPEED]), robot)["success"][0] == expected


def test_success_needs_the_speed(robot):
    metrics = episode_metrics(walking(robot), np.array([SPEED + 0.11]), robot)
    assert metrics["velocity_error"][0] == pytest.approx(0.11)
    assert metrics["success"][0] == 0.0


def test_unequal_steps(robot):
    # The right foot lands 10 steps after the left one, and the left one 30 steps after the right:
    # 0.2 and 0.6 s.
    arrays = dataclasses.asdict(walking(robot))
    arrays["foot_force"][:, 0, 1] = np.roll(arrays["foot_force"][:, 0, 0], 10)
    metrics = metrics_of(robot, arrays, SPEED)
    assert metrics["symmetry_time"] == pytest.approx((0.6 - 0.2) / 0.4)


def test_slip_is_a_fraction_of_the_time_under_load(robot):
    arrays = standing(robot)
    arrays["foot_speed"][:, 0, 0] = np.where(np.arange(STEPS) % 4 == 0, 0.11, 0.09)
    assert metrics_of(robot, arrays)["slip"] == pytest.approx(0.125)
    arrays["foot_force"][:, 0, 0] = 0.0  # what carries nothing cannot slip
    assert metrics_of(robot, arrays)["slip"] == 0.0


def test_saturation(robot):
    arrays = standing(robot)
    arrays["torque"][:, 0, :3] = 3.93, -4.0, 3.91
    assert metrics_of(robot, arrays)["saturation"] == pytest.approx(2 / robot.num_joints)


def test_cost_of_transport(robot):
    arrays = dataclasses.asdict(walking(robot))
    arrays["torque"][:, 0, 1], arrays["joint_vel"][:, 0, 1] = -2.0, 3.0
    # |tau * qd| = 6 W over m g v.
    assert metrics_of(robot, arrays, SPEED)["cost_of_transport"] == pytest.approx(
        6 / (robot.mass * 9.81 * SPEED)
    )


def test_smoothness(robot):
    arrays = standing(robot)
    arrays["action"][::2] = 0.2
    arrays["base_ang_vel"][:, 0] = 0.3, 0.0, 0.4
    metrics = metrics_of(robot, arrays)
    assert metrics["smoothness_action"] == pytest.approx(0.04)
    assert metrics["smoothness_angular_velocity"] == pytest.approx(0.5)


def test_drift(robot):
    arrays = dataclasses.asdict(walking(robot))
    arrays["base_pos_w"][:, 0, 1] = 0.1 * arrays["base_pos_w"][:, 0, 0]
    metrics = metrics_of(robot, arrays, SPEED)
    assert metrics["drift_lateral"] == pytest.approx(0.1)
    arrays["yaw"][:, 0] = np.linspace(-3.0, 3.5, STEPS)  # over the wrap at pi
    span = 6.5 * (MEASURED - 1) / (STEPS - 1)
    assert metrics_of(robot, arrays, SPEED)["drift_heading"] == pytest.approx(span)


def test_a_fall_ends_the_measurement(robot):
    arrays = dataclasses.asdict(walking(robot))
    arrays["alive"][300:] = False
    arrays["base_lin_vel_w"][300:] = 99.0
    metrics = metrics_of(robot, arrays, SPEED)
    assert metrics["survived"] == 0.0
    assert metrics["success"] == 0.0
    assert metrics["velocity_error"] == pytest.approx(0.0, abs=1e-9)


def test_an_early_fall_has_no_gait_metrics(robot):
    arrays = standing(robot)
    arrays["alive"][60:] = False
    metrics = metrics_of(robot, arrays)
    assert metrics["survived"] == 0.0
    assert all(np.isnan(v) for name, v in metrics.items() if name not in ("survived", "success"))


def test_contact_flicker_is_no_touchdown():
    force = np.array([10, 0, 10, 0, 0, 10, 0, 0, 0, 10], float)[:, None, None]
    height = np.array([0, 9, 0, 1, 2, 0, 3, 5, 4, 0], float)[:, None, None]
    events = find_events(force, height, weight=33.0, control_dt=DT)
    assert np.flatnonzero(events.touchdown).tolist() == [5, 9]
    assert events.swing_peak[5, 0, 0] == 2.0
    assert events.swing_peak[9, 0, 0] == 5.0
    other_rate = find_events(
        force, height, weight=33.0, control_dt=0.028
    )  # one such step is shorter than 40 ms
    assert np.flatnonzero(other_rate.touchdown).tolist() == [5, 9]


def test_load_threshold_is_a_tenth_of_the_weight():
    force = np.array([0, 0, 3.2, 0, 0, 3.4], float)[:, None, None]
    events = find_events(force, np.zeros_like(force), weight=33.0, control_dt=DT)
    assert np.flatnonzero(events.touchdown).tolist() == [5]


def one_pad(robot, points, radius):
    """A robot with one foot and one pad."""
    return dataclasses.replace(
        robot,
        foot_names=("foot",),
        pad_names=("pad",),
        pad_points=np.array([points]),
        pad_radius=np.array([radius]),
        pad_ids_of_foot=np.array([[0]]),
    )


def test_lowest_corner_of_a_tilted_sole(wildrobot):
    corners = [[x, y, 0.0] for x in (-0.04, 0.04) for y in (-0.03, 0.03)]
    sole = one_pad(wildrobot, corners, 0.0)
    ball = one_pad(wildrobot, [[0.0, 0.0, 0.02]], 0.02)  # its site is under it
    angle, site = 0.2, np.array([[[0.0, 0.0, 0.1]]])
    pitch = np.array([[[np.cos(angle / 2), 0.0, np.sin(angle / 2), 0.0]]])
    height = lowest_corner(sole, site, pitch)
    assert height[0, 0] == pytest.approx(0.1 - 0.04 * np.sin(angle))
    roll = np.array([[[np.cos(angle / 2), np.sin(angle / 2), 0.0, 0.0]]])
    assert lowest_corner(sole, site, roll)[0, 0] == pytest.approx(0.1 - 0.03 * np.sin(angle))
    height = lowest_corner(ball, site, roll)
    assert height[0, 0] == pytest.approx(0.1 + 0.02 * np.cos(angle) - 0.02)


def test_a_recording_that_begins_in_a_swing_has_the_part_that_it_shows(robot):
    """The left foot is on its way down, the right one stands; the first swing counts, too."""
    force = np.full((8, 1, 2), robot.weight)
    height = np.zeros((8, 1, 2))
    height[:5, 0, 0], force[:5, 0, 0] = [0.030, 0.024, 0.015, 0.008, 0.002], 0.0
    events = find_events(force, height, robot.weight, DT)
    assert np.argwhere(events.touchdown).tolist() == [[5, 0, 0]]
    assert events.swing_peak[5, 0, 0] == 0.030
    # In the air for one step only, as far as the recording shows: no landing, so no peak.
    late = find_events(force[4:], height[4:], robot.weight, DT)
    assert not late.touchdown.any() and np.isnan(late.swing_peak).all()
    # Another episode's heights do not reach into this one.
    twice = find_events(np.tile(force, (1, 2, 1)), np.tile(height, (1, 2, 1)), robot.weight, DT)
    np.testing.assert_array_equal(twice.swing_peak[:, 0], twice.swing_peak[:, 1])
    np.testing.assert_array_equal(twice.swing_peak[:, 0], events.swing_peak[:, 0])
