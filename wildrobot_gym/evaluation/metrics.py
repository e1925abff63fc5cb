"""The metrics of the walk benchmark, version 1: pure functions from a recording.

Each metric is one number per episode, an array (env,). It is NaN where it has no meaning: there is
no clearance without a swing, and nothing to measure after an early fall.
"""

from __future__ import annotations

import warnings

import numpy as np
from jaxtyping import Bool, Float

from wildrobot_gym.evaluation.gait_events import GaitEvents, find_events
from wildrobot_gym.evaluation.recording import Recording
from wildrobot_gym.robot import SATURATION_FRACTION, RobotModel
from wildrobot_gym.task.contact import SLIP_SPEED
from wildrobot_gym.task.walk import SUCCESS_VELOCITY_ERROR

SETTLING_S = 2.0  # to start walking; the measurement begins here
# A fall must leave this much time to measure. Otherwise the gait metrics are NaN.
MEASURED_S = 1.0
MIN_DISTANCE = 0.05  # m; below it there is no cost of transport and no drift ratio

SUCCESS_CADENCE = (0.5, 3.0)  # touchdowns a second, each foot
SUCCESS_CLEARANCE = 0.015  # m, for WildRobot's legs
SUCCESS_SLIP = 0.15

Metrics = dict[str, Float[np.ndarray, " env"]]


def episode_metrics(
    recording: Recording,
    command_vx: Float[np.ndarray, " env"],
    robot: RobotModel,
    control_dt: float = 0.02,
) -> Metrics:
    """All metrics of each episode.

    Args:
        recording: The episodes.
        command_vx: Commanded forward speed of each, in m/s.
        robot: The robot.
        control_dt: Seconds between control steps.
    """
    weight = robot.weight
    events = find_events(recording.foot_force, recording.sole_height, weight, control_dt)
    measured = measured_steps(recording, control_dt)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # means over nothing are NaN on purpose
        metrics: Metrics = {"survived": recording.alive.all(axis=0).astype(float)}
        metrics |= velocity_and_drift(recording, measured, command_vx, control_dt)
        metrics |= steps(recording, events, measured, robot, control_dt)
        metrics |= support_and_slip(recording, events, measured)
        metrics |= effort(recording, measured, robot, control_dt)
    too_short = measured.sum(axis=0) < round(MEASURED_S / control_dt)
    for name, values in metrics.items():
        if name != "survived":
            values[too_short] = np.nan
    metrics["success"] = success(metrics, SUCCESS_CLEARANCE * robot.size)
    return metrics


def first_step(control_dt: float) -> int:
    """The first control step that is measured."""
    return round(SETTLING_S / control_dt)


def measured_steps(recording: Recording, control_dt: float) -> Bool[np.ndarray, "time env"]:
    """The steps that count: from `first_step` up to a fall."""
    measured = recording.alive.copy()
    measured[: first_step(control_dt)] = False
    return measured


def forward_velocity(recording: Recording) -> Float[np.ndarray, "time env"]:
    """Base velocity along the heading, m/s."""
    vx, vy = recording.base_lin_vel_w[..., 0], recording.base_lin_vel_w[..., 1]
    return np.cos(recording.yaw) * vx + np.sin(recording.yaw) * vy


def velocity_and_drift(
    recording: Recording, measured: np.ndarray, command_vx: np.ndarray, control_dt: float
) -> Metrics:
    """velocity_error, forward_velocity, drift_lateral and drift_heading.

    Velocities are in m/s. The lateral drift is a fraction of the forward displacement. The drift of
    heading is absolute, in rad.
    """
    velocity = mean_over_time(forward_velocity(recording), measured)
    first = np.minimum(first_step(control_dt), recording.num_steps - 1)
    last = np.maximum(
        recording.alive.sum(axis=0) - 1, first
    )  # alive is true from the start up to a fall
    envs = np.arange(recording.num_envs)
    moved = recording.base_pos_w[last, envs, :2] - recording.base_pos_w[first, :, :2]
    yaw = np.unwrap(recording.yaw, axis=0)
    cos, sin = np.cos(yaw[first]), np.sin(yaw[first])
    forward, lateral = cos * moved[:, 0] + sin * moved[:, 1], -sin * moved[:, 0] + cos * moved[:, 1]
    return {
        "velocity_error": np.abs(velocity - command_vx),
        "forward_velocity": velocity,
        "drift_lateral": np.where(
            np.abs(forward) > MIN_DISTANCE, np.abs(lateral / forward), np.nan
        ),
        "drift_heading": np.abs(yaw[last, envs] - yaw[first]),
    }


def steps(
    recording: Recording,
    events: GaitEvents,
    measured: np.ndarray,
    robot: RobotModel,
    control_dt: float,
) -> Metrics:
    """cadence (1/s, of each foot and mean), clearance (m), step_length (m), symmetry of steps."""
    touchdown = events.touchdown & measured[..., None]
    duration = np.maximum(measured.sum(axis=0), 1) * control_dt
    cadence = touchdown.sum(axis=0) / duration[:, None]
    metrics = {"cadence": cadence.mean(axis=1)}
    metrics |= {
        f"cadence_{side_name(f)}": cadence[:, i].copy() for i, f in enumerate(robot.foot_names)
    }
    peaks = np.where(touchdown, events.swing_peak, np.nan)
    metrics["clearance"] = np.nanmedian(
        np.moveaxis(peaks, 1, 0).reshape(recording.num_envs, -1), axis=1
    )
    lengths, times = _steps_of_feet(recording, touchdown, control_dt)
    all_lengths = [np.concatenate(row) for row in lengths]
    metrics["step_length"] = np.array([row.mean() if len(row) else np.nan for row in all_lengths])
    metrics["symmetry_time"] = _asymmetry(times)
    metrics["symmetry_length"] = _asymmetry(lengths)
    return metrics


def support_and_slip(recording: Recording, events: GaitEvents, measured: np.ndarray) -> Metrics:
    """support_single, support_double, support_none and slip.

    The first three are fractions of the time. The slip is the fraction of the time under load in
    which a foot slides faster than 0.10 m/s.
    """
    feet_down = events.loaded.sum(axis=-1)
    return {
        "support_single": mean_over_time(feet_down == 1, measured),
        "support_double": mean_over_time(feet_down >= 2, measured),
        "support_none": mean_over_time(feet_down == 0, measured),
        "slip": slip(recording, events, measured),
    }


def slip(
    recording: Recording, events: GaitEvents, counted: Bool[np.ndarray, "time env"]
) -> Float[np.ndarray, " env"]:
    """Fraction of the time under load in which a foot slides, over the steps that count."""
    loaded = events.loaded & counted[..., None]
    sliding = loaded & (recording.foot_speed > SLIP_SPEED)
    return sliding.sum(axis=(0, 2)) / loaded.sum(axis=(0, 2))


def effort(
    recording: Recording, measured: np.ndarray, robot: RobotModel, control_dt: float
) -> Metrics:
    """saturation, cost_of_transport, smoothness_action and smoothness_angular_velocity.

    The cost of transport counts the distance walked forward. The smoothness is the mean squared
    change of the action, and the rms angular velocity of the base in rad/s.
    """
    saturated = np.abs(recording.torque) >= SATURATION_FRACTION * robot.force_limit
    work = (np.abs(recording.torque * recording.joint_vel).sum(axis=-1) * measured).sum(
        axis=0
    ) * control_dt
    distance = np.abs((forward_velocity(recording) * measured).sum(axis=0) * control_dt)
    change = np.diff(recording.action, axis=0, prepend=recording.action[:1])
    squared_rate = (recording.base_ang_vel**2).sum(axis=-1)
    weight = robot.weight
    return {
        "saturation": mean_over_time(saturated.mean(axis=-1), measured),
        "cost_of_transport": np.where(distance > MIN_DISTANCE, work / (weight * distance), np.nan),
        "smoothness_action": mean_over_time((change**2).mean(axis=-1), measured),
        "smoothness_angular_velocity": np.sqrt(mean_over_time(squared_rate, measured)),
    }


def success(metrics: Metrics, clearance: float = SUCCESS_CLEARANCE) -> Float[np.ndarray, " env"]:
    """1.0 if an episode survived, kept its speed and took real steps; else, or unmeasured, 0.0."""
    low, high = SUCCESS_CADENCE
    good = (metrics["survived"] > 0) & (metrics["velocity_error"] <= SUCCESS_VELOCITY_ERROR)
    for name, values in metrics.items():
        if name.startswith("cadence_"):
            good &= (values >= low) & (values <= high)
    good &= (metrics["clearance"] >= clearance) & (metrics["slip"] <= SUCCESS_SLIP)
    return good.astype(float)


def side_name(foot: str) -> str:
    """`left` of `left_foot`, for the names of metrics."""
    return foot.removesuffix("_foot")


def mean_over_time(values: np.ndarray, measured: np.ndarray) -> Float[np.ndarray, " env"]:
    """Mean of (time, env) values over the steps that count; NaN where none does."""
    return np.where(measured, values, 0.0).sum(axis=0) / measured.sum(axis=0)


def _steps_of_feet(
    recording: Recording, touchdown: np.ndarray, control_dt: float
) -> tuple[list[list[np.ndarray]], list[list[np.ndarray]]]:
    """Lengths (m) and times (s) of the steps that each foot ends, by environment and foot.

    A step goes from a touchdown of one foot to the next touchdown of the other one. Its length is
    along the heading at its end.
    """
    lengths, times = [], []
    for env in range(recording.num_envs):
        of_foot: list[list[tuple[float, float]]] = [[] for _ in range(touchdown.shape[-1])]
        previous: tuple[int, int] | None = None
        for t, foot in np.argwhere(touchdown[:, env]):
            if previous is not None and previous[1] != foot:
                t0, foot0 = previous
                step = (
                    recording.foot_pos_w[t, env, foot, :2]
                    - recording.foot_pos_w[t0, env, foot0, :2]
                )
                yaw = recording.yaw[t, env]
                of_foot[foot].append(
                    (np.cos(yaw) * step[0] + np.sin(yaw) * step[1], (t - t0) * control_dt)
                )
            previous = (int(t), int(foot))
        pairs = [np.array(rows).reshape(-1, 2) for rows in of_foot]
        lengths.append([p[:, 0] for p in pairs])
        times.append([p[:, 1] for p in pairs])
    return lengths, times


def _asymmetry(of_feet: list[list[np.ndarray]]) -> Float[np.ndarray, " env"]:
    """|L - R| / ((L + R) / 2) of the means of both feet."""
    means = np.array(
        [[values.mean() if len(values) else np.nan for values in row] for row in of_feet]
    )
    left, right = means[:, 0], means[:, 1]
    return np.abs(left - right) / np.abs((left + right) / 2)
