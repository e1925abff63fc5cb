"""Metrics as text: the headings with their units, and the parts of an interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WALK_HEADINGS = {
    "survived": "survived",
    "velocity_error": "velocity error, m/s",
    "drift_lateral": "drift, lateral / forward",
    "drift_heading": "drift of heading, rad",
    "cadence": "cadence, 1/s and foot",
    "clearance": "clearance, m",
    "step_length": "step length, m",
    "support_single": "single support",
    "support_double": "double support",
    "support_none": "no support",
    "slip": "slip",
    "symmetry_time": "asymmetry, step time",
    "symmetry_length": "asymmetry, step length",
    "saturation": "saturation",
    "cost_of_transport": "cost of transport",
    "smoothness_action": "action change squared",
    "smoothness_angular_velocity": "base turning, rad/s rms",
    "success": "success",
}
SUITE_HEADINGS = WALK_HEADINGS | {
    "error_vx": "error of vx, m/s",
    "error_vy": "error of vy, m/s",
    "error_yaw_rate": "error of yaw rate, rad/s",
    "yaw_drift": "drift of yaw, rad",
    "heading_error": "heading error, rad",
    "alternation": "alternation",
    "normalized_jerk": "normalized jerk",
    "late_steps": "steps after 2 s",
    "still": "no step after 2 s",
    "displacement": "displacement, m",
    "settling_time": "settling time, s",
    "final_tilt": "final tilt, rad",
    "final_rate": "final rate, rad/s",
}
STYLE_HEADINGS = {
    "two_sample_auc": "two-sample AUC",
    "dtw": "time warping distance, rad",
    "frechet": "Fréchet distance, rad",
    "amp_reward": "style reward",
}


def episodes_measured(metrics: Mapping[str, Any]) -> tuple[int, int]:
    """Number of episodes whose gait was measured, and of all episodes.

    An episode with an early fall counts in `survived` and `success` alone.
    """
    return metrics["velocity_error"]["n"], metrics["survived"]["n"]


def mean_text(interval: Mapping[str, Any] | None, digits: int = 3) -> str:
    """The mean; "-" if there is none."""
    return "-" if interval is None or interval["mean"] is None else f"{interval['mean']:.{digits}f}"


def half_text(interval: Mapping[str, Any] | None, digits: int = 3) -> str:
    """Half of the interval as `±0.050`; "" if there is none."""
    if interval is None or interval["mean"] is None:
        return ""
    return f"±{(interval['high'] - interval['low']) / 2:.{digits}f}"


def cell(interval: Mapping[str, Any] | None, between: str = " ") -> str:
    """Mean and half of the interval, in rich's markup."""
    half = half_text(interval)
    return mean_text(interval) + (f"{between}[dim]{half}[/]" if half else "")


def range_text(interval: Mapping[str, Any] | None, digits: int = 3) -> str:
    """The interval as `0.200 ... 0.300`; "" if there is none."""
    if interval is None or interval["mean"] is None:
        return ""
    return f"{interval['low']:.{digits}f} ... {interval['high']:.{digits}f}"
