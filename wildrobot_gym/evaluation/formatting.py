"""The benchmark's figures as text: headings, and an interval's parts, each "-" or nothing where there is no figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ROWS = (  # figure, heading
    ("survived", "survived"),
    ("velocity_error", "velocity error, m/s"),
    ("drift_lateral", "drift, lateral / forward"),
    ("drift_heading", "drift of heading, rad"),
    ("cadence", "cadence, 1/s and foot"),
    ("clearance", "clearance, m"),
    ("step_length", "step length, m"),
    ("support_single", "single support"),
    ("support_double", "double support"),
    ("support_none", "no support"),
    ("slip", "slip"),
    ("symmetry_time", "asymmetry, step time"),
    ("symmetry_length", "asymmetry, step length"),
    ("saturation", "saturation"),
    ("cost_of_transport", "cost of transport"),
    ("smoothness_action", "action change squared"),
    ("smoothness_angular_velocity", "base turning, rad/s rms"),
    ("success", "success"),
)
STYLE_ROWS = (
    ("two_sample_auc", "two-sample AUC"),
    ("dtw", "time warping distance, rad"),
    ("frechet", "Fréchet distance, rad"),
    ("amp_reward", "style reward"),
)


def episodes_measured(figures: Mapping[str, Any]) -> tuple[int, int]:
    """How many episodes could be measured, and of how many: who falls early counts in ``survived`` and ``success`` alone."""
    return figures["velocity_error"]["n"], figures["survived"]["n"]


def mean_text(interval: Mapping[str, Any] | None, digits: int = 3) -> str:
    """The mean, or "-"."""
    return "-" if interval is None or interval["mean"] is None else f"{interval['mean']:.{digits}f}"


def half_text(interval: Mapping[str, Any] | None, digits: int = 3) -> str:
    """± half of the interval."""
    if interval is None or interval["mean"] is None:
        return ""
    return f"±{(interval['high'] - interval['low']) / 2:.{digits}f}"


def cell(interval: Mapping[str, Any] | None, between: str = " ") -> str:
    """Mean and half of the interval, in rich's markup."""
    half = half_text(interval)
    return mean_text(interval) + (f"{between}[dim]{half}[/]" if half else "")


def range_text(interval: Mapping[str, Any] | None, digits: int = 3) -> str:
    """From its low to its high end."""
    if interval is None or interval["mean"] is None:
        return ""
    return f"{interval['low']:.{digits}f} ... {interval['high']:.{digits}f}"
