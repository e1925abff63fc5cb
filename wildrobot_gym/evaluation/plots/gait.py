"""Plots of a gait over time and of a run's learning curves. They need no screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from wildrobot_gym.errors import RunError
from wildrobot_gym.evaluation.gait_events import find_events
from wildrobot_gym.evaluation.metrics import first_step, forward_velocity, side_name
from wildrobot_gym.evaluation.progress import STEPS, read_columns
from wildrobot_gym.evaluation.recording import Recording
from wildrobot_gym.extras import require
from wildrobot_gym.robot import RobotModel

SHOWN_S = 4.0
CURVES = (  # column of progress.csv, title
    ("rollout/ep_rew_mean", "reward of an episode"),
    ("rollout/success_rate", "success rate"),
    ("task/forward_velocity", "forward velocity, m/s"),
    ("task/velocity_error", "velocity error, m/s"),
    ("rollout/ep_len_mean", "episode length, steps"),
    ("amp/reward_mean", "AMP reward"),
    ("amp/disc_acc", "discriminator accuracy"),
    ("amp/disc_auc", "discriminator AUC"),
    ("amp/held_out_auc", "discriminator AUC, held-out reference"),
    ("amp/feature_auc", "AUC of the column that separates best"),
    ("eval/success", "evaluation: success"),
    ("eval/velocity_error", "evaluation: velocity error, m/s"),
    ("time/fps", "steps per second"),
)


def pyplot() -> Any:
    """matplotlib's pyplot, for files only."""
    require("matplotlib", "viz").use("Agg")
    return require("matplotlib.pyplot", "viz")


def gait_plot(
    path: str | Path, recording: Recording, robot: RobotModel, command_vx: float, control_dt: float
) -> Path:
    """Plot foot contacts, sole heights, joint angles and velocity of the first environment.

    The plot ends with a fall, and its title says so.

    Args:
        path: The picture.
        recording: The recording.
        robot: The robot.
        command_vx: Commanded forward speed, in m/s.
        control_dt: Seconds between control steps.

    Raises:
        RunError: The file cannot be written.
    """
    plt = pyplot()
    events = find_events(recording.foot_force, recording.sole_height, robot.weight, control_dt)
    standing = int(recording.alive[:, 0].sum())  # alive is true from the start up to a fall
    span = round(SHOWN_S / control_dt)
    begin = max(min(first_step(control_dt), standing - span), 0)
    shown = slice(begin, min(begin + span, standing))
    time = np.arange(recording.num_steps)[shown] * control_dt
    figure, axes = plt.subplots(4, 1, figsize=(10, 11), sharex=True, layout="constrained")
    if standing < recording.num_steps:
        figure.suptitle(f"fallen after {standing * control_dt:.1f} s")
    for i, foot in enumerate(robot.foot_names):
        loaded = events.loaded[shown, 0, i]
        axes[0].fill_between(time, i + 0.1, i + 0.9, where=loaded, step="mid", color=f"C{i}")
        axes[1].plot(
            time, 1000 * recording.sole_height[shown, 0, i], color=f"C{i}", label=side_name(foot)
        )
    axes[0].set_yticks(
        [i + 0.5 for i in range(len(robot.foot_names))], [side_name(f) for f in robot.foot_names]
    )
    axes[0].set_title("feet that carry load")
    axes[1].set_title("height of the sole's lowest corner, mm")
    axes[1].legend(loc="upper right")
    for j, name in enumerate(robot.joint_names):
        axes[2].plot(time, recording.joint_pos[shown, 0, j], label=name, linewidth=1)
    axes[2].set_title("joint angles, rad")
    axes[2].legend(loc="upper right", ncols=3, fontsize="small")
    axes[3].plot(time, forward_velocity(recording)[shown, 0], label="forward velocity")
    axes[3].axhline(command_vx, color="black", linestyle="--", label="command")
    axes[3].set_title("velocity along the heading, m/s")
    axes[3].legend(loc="upper right")
    axes[3].set_xlabel("time, s")
    return save_figure(figure, path)


def learning_curves(path: str | Path, progress_csv: str | Path) -> Path:
    """Plot the curves of `read_curves` side by side.

    Args:
        path: The picture.
        progress_csv: The run's progress.csv.

    Raises:
        RunError: A file cannot be read or written, or there is nothing to draw.
    """
    curves = read_curves(progress_csv)
    plt = pyplot()
    lines = (len(curves) + 1) // 2
    figure, axes = plt.subplots(
        lines, 2, figsize=(11, 2.4 * lines), squeeze=False, layout="constrained"
    )
    for axis in axes.flat[len(curves) :]:
        axis.set_axis_off()
    for axis, (column, points) in zip(axes.flat, curves.items(), strict=False):
        axis.plot(*points.T, marker=marker_of(points), linewidth=1)
        axis.set_title(dict(CURVES)[column], fontsize="medium")
        axis.set_xlabel("environment steps", fontsize="small")
        axis.grid(alpha=0.3)
    return save_figure(figure, path)


def read_curves(progress_csv: str | Path) -> dict[str, Float[np.ndarray, "point 2"]]:
    """Read the learning curves of a run.

    Args:
        progress_csv: The run's progress.csv.

    Returns:
        Environment steps and values, for each column of `CURVES` with values.

    Raises:
        RunError: The file is missing or damaged, or there is nothing to draw.
    """
    columns = read_columns(progress_csv)
    curves = {}
    for name, _ in CURVES:
        known = np.isfinite(columns.get(name, np.nan))
        if known.any():
            curves[name] = np.stack([columns[STEPS], columns[name]], axis=1)[known]
    if not curves:
        raise RunError(f"{progress_csv} has no metrics to draw yet.")
    return curves


def marker_of(points: Float[np.ndarray, "point 2"]) -> str | None:
    """A marker if there are few points, as in evaluations."""
    return "." if len(points) < 30 else None


def save_figure(figure: Any, path: str | Path) -> Path:
    """Write a figure and close it; RunError if it cannot be written."""
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=110)
    except (OSError, ValueError) as error:
        raise RunError(f"Cannot write the picture {path}: {error}.") from error
    finally:
        pyplot().close(figure)
    return path
