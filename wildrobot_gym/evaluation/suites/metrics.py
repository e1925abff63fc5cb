"""The further metrics of version 2: pure functions from a recording and its commands.

As in version 1, a metric is one number per episode, an array (env,), and NaN where it has no
meaning. `episode_metrics` of version 1 are part of it.
"""

from __future__ import annotations

import warnings

import numpy as np
from jaxtyping import Bool, Float

from wildrobot_gym.evaluation.gait_events import GaitEvents, find_events
from wildrobot_gym.evaluation.metrics import (
    MEASURED_S,
    SUCCESS_CADENCE,
    Metrics,
    episode_metrics,
    first_step,
    mean_over_time,
    measured_steps,
    slip,
)
from wildrobot_gym.evaluation.recording import Recording
from wildrobot_gym.robot import RobotModel

SETTLED_RATE = 0.1  # rad/s, of the base; a robot that stands turns less
SETTLED_WINDOW_S = 0.5  # over which the rate is taken, so that a tremor's zeros do not count
FINAL_S = 1.0  # the end of an episode, over which tilt and rate are averaged
# Metrics that are 0 or 1 for an episode.
SHARES = frozenset({"survived", "success", "still"})
# Metrics of version 1 that mean something for a straight walk at a constant speed alone.
OF_WALKS = (
    "velocity_error",
    "drift_lateral",
    "step_length",
    "symmetry_length",
    "cost_of_transport",
    "success",
)
# Metrics that mean something for a robot that is told to stand alone.
OF_STANDING = ("late_steps", "still", "displacement", "settling_time", "final_tilt", "final_rate")


def row_metrics(
    recording: Recording,
    commands: Float[np.ndarray, "time env 3"],
    robot: RobotModel,
    control_dt: float = 0.02,
) -> Metrics:
    """All metrics of each episode, of both versions.

    Args:
        recording: The episodes. It may end before the commands do, where all robots fell.
        commands: Command in each control step: vx and vy in m/s, yaw rate in rad/s.
        robot: The robot.
        control_dt: Seconds between control steps.
    """
    commands = commands[: recording.num_steps]
    measured = measured_steps(recording, control_dt)
    events = find_events(recording.foot_force, recording.sole_height, robot.weight, control_dt)
    metrics = episode_metrics(
        recording, commands[..., 0].mean(axis=0, dtype=float), robot, control_dt
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # means over nothing are NaN on purpose
        straight = commands[..., 2] == 0  # a foot that turns pivots
        metrics["slip"] = slip(recording, events, measured & straight)
        further = command_errors(recording, commands, measured, control_dt)
        further |= gait(recording, events, measured, metrics["cadence"], control_dt)
        further |= standing(recording, events, control_dt)
    too_short = measured.sum(axis=0) < round(MEASURED_S / control_dt)
    for values in (metrics["slip"], *further.values()):
        values[too_short] = np.nan
    further["still"][~recording.alive.all(axis=0)] = 0.0  # a robot that fell did not stand
    constant = (commands == commands[:1]).all(axis=(0, 2))
    ahead = (commands[0, :, 0] > 0) & (commands[0, :, 1:] == 0).all(axis=-1)
    stands = (commands == 0).all(axis=(0, 2))
    found = metrics | further
    for names, meant in ((OF_WALKS, constant & ahead), (OF_STANDING, stands)):
        for name in names:
            found[name][~meant] = np.nan
    return found


def command_errors(
    recording: Recording, commands: np.ndarray, measured: np.ndarray, control_dt: float
) -> Metrics:
    """error_vx and error_vy (m/s), error_yaw_rate (rad/s), yaw_drift and heading_error (rad).

    The first three are the distance of the mean velocity from the mean command, in the heading
    frame. The yaw drift is the distance at the end from the heading that the commands lead to,
    over the whole episode. The heading error is the same since the robot last stood by command:
    while it stands, it has no heading to hold.
    """
    yaw = np.unwrap(recording.yaw, axis=0)
    vx, vy = recording.base_lin_vel_w[..., 0], recording.base_lin_vel_w[..., 1]
    forward, left = np.cos(yaw) * vx + np.sin(yaw) * vy, -np.sin(yaw) * vx + np.cos(yaw) * vy
    turned = np.diff(yaw, axis=0, prepend=yaw[:1]) / control_dt
    errors = [
        np.abs(mean_over_time(velocity - commands[..., part], measured))
        for part, velocity in enumerate((forward, left, turned))
    ]
    missed = turned - commands[..., 2]
    missed[0] = 0.0  # the first recorded state is one step old
    away = np.cumsum(missed, axis=0) * control_dt
    envs, steps = np.arange(recording.num_envs), np.arange(len(yaw))[:, None]
    last = recording.alive.sum(axis=0) - 1
    standing = (commands == 0).all(axis=-1) & (steps <= last)
    stood = np.where(standing, steps, 0).max(axis=0)
    names = ("error_vx", "error_vy", "error_yaw_rate")
    return dict(zip(names, errors, strict=True)) | {
        "yaw_drift": np.abs(away[last, envs]),
        "heading_error": np.abs(away[last, envs] - away[stood, envs]),
    }


def gait(
    recording: Recording,
    events: GaitEvents,
    measured: np.ndarray,
    cadence: Float[np.ndarray, " env"],
    control_dt: float,
) -> Metrics:
    """alternation and normalized_jerk.

    The alternation is the fraction of touchdowns by another foot than the last. The jerk is that of
    all joints over one gait cycle T, without a unit: sqrt(1/2 mean(j^2)) T^3 / A (Teulings et al.
    1997), where A is the peak-to-peak amplitude of a sine with the joints' standard deviation. A
    sine has (2 pi)^3 / 4 = 62.
    """
    touchdown = events.touchdown & measured[..., None]
    alternation = np.full(recording.num_envs, np.nan)
    for env in range(recording.num_envs):
        feet = np.argwhere(touchdown[:, env])[:, 1]
        if len(feet) > 1:
            alternation[env] = np.mean(feet[1:] != feet[:-1])
    jerk = np.zeros_like(recording.joint_vel)
    jerk[1:-1] = np.diff(recording.joint_vel, n=2, axis=0) / control_dt**2
    inner = measured.copy()
    inner[1:] &= measured[:-1]  # both neighbors of a step have to count
    inner[:-1] &= measured[1:]
    inner[[0, -1]] = False
    squared = mean_over_time((jerk**2).sum(axis=-1), inner)
    pos = recording.joint_pos.astype(float)
    mean = np.where(measured[..., None], pos, 0.0).sum(axis=0) / measured.sum(axis=0)[:, None]
    variance = mean_over_time(((pos - mean) ** 2).sum(axis=-1), measured)
    stepping = cadence >= SUCCESS_CADENCE[0]  # a step now and then is no gait cycle
    period = np.where(stepping, 1 / cadence, np.nan)
    amplitude = np.sqrt(8 * variance)  # peak to peak: 2 sqrt(2) standard deviations
    normalized = np.sqrt(squared / 2) * period**3 / amplitude
    return {"alternation": alternation, "normalized_jerk": normalized}


def standing(recording: Recording, events: GaitEvents, control_dt: float) -> Metrics:
    """How quietly a robot stands.

    late_steps: touchdowns of all feet after 2 s. still: 1 where there are none. displacement:
    greatest horizontal distance of the base from where it was after 2 s, m. settling_time: from
    then on the base's angular velocity, rms over half a second, stays below 0.1 rad/s; s.
    final_tilt (rad) and final_rate (rad/s): means over the last second.
    """
    measured = measured_steps(recording, control_dt)
    late = (events.touchdown & measured[..., None]).sum(axis=(0, 2)).astype(float)
    first = min(first_step(control_dt), recording.num_steps - 1)
    moved = np.linalg.norm(
        recording.base_pos_w[..., :2] - recording.base_pos_w[first, :, :2], axis=-1
    )
    rate = np.linalg.norm(recording.base_ang_vel, axis=-1)
    final = recording.alive.copy()
    final[: -round(FINAL_S / control_dt)] = False
    return {
        "late_steps": late,
        "still": (late == 0).astype(float),
        "displacement": np.where(measured, moved, 0.0).max(axis=0),
        "settling_time": _settling_time(rate, recording.alive, control_dt),
        "final_tilt": mean_over_time(recording.tilt, final),
        "final_rate": mean_over_time(rate, final),
    }


def _settling_time(
    rate: Float[np.ndarray, "time env"], alive: Bool[np.ndarray, "time env"], control_dt: float
) -> Float[np.ndarray, " env"]:
    """When the rate falls below its limit for good, s; the whole time where it never does."""
    window = min(max(1, round(SETTLED_WINDOW_S / control_dt)), len(rate))
    total = np.cumsum(np.where(alive, rate, np.inf).astype(float) ** 2, axis=0)
    total = np.concatenate([np.zeros((1, rate.shape[1])), total])
    with np.errstate(invalid="ignore"):
        mean = (total[window:] - total[:-window]) / window
    calm = mean <= SETTLED_RATE**2  # of the window that begins at each step; NaN is not calm
    after = np.flip(np.logical_and.accumulate(np.flip(calm, axis=0), axis=0), axis=0)
    begins = np.where(after.any(axis=0), after.argmax(axis=0), len(rate))
    return begins * control_dt
