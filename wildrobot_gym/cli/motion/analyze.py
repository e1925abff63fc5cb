"""``wildrobot motion analyze``: a dataset's dashboard and verdict, in words, as JSON, and as one page of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from wildrobot_gym.evaluation.plots import motion as motion_plots
from wildrobot_gym.experiments.datasets import load_dataset, read_report
from wildrobot_gym.files import check_free, write_figures
from wildrobot_gym.motion.analysis import GO_S, MOVING_SPEED, SPEED_BINS, Analysis, analyze
from wildrobot_gym.paths import motion_file

_BAR = 40  # characters of the histogram's longest bar
_DASHBOARD = (  # the plan's rows: metric, text, minimum or maximum, target, is a lower bound
    ("load_mean", "mean(sum Fn) / mg", 0.85, 0.90, True),
    ("load_p10", "p10(sum Fn) / mg", 0.60, 0.60, True),
    ("harness_p90", "p90(harness) / mg", 0.15, 0.15, False),
    ("harness_p95", "p95(harness) / mg", 0.10, 0.08, False),
    ("unloaded", "unloaded frames", 0.10, 0.05, False),
    ("slip", "stance slip", 0.15, 0.05, False),
    ("saturation", "servo saturation", 0.10, 0.05, False),
    ("alternation", "alternation", 0.10, 0.20, True),
)


def run_analyze(
    dataset: str,
    json_file: Path | None,
    plot: Path | None,
    robot: str | None = None,
    force: bool = False,
) -> int:
    """Print the dashboard, the decision and what became of every clip."""
    console = Console()
    check_free([json_file, plot], force)
    analysis, report = analyze(*load_dataset(dataset, robot)), read_report(motion_file(dataset))
    console.print(_dashboard(analysis))
    console.print(_histogram(analysis))
    if report is not None:
        for clip in report["clips"]:
            console.print(_diagnosis(clip), highlight=False, markup=False)
    figures = analysis.as_dict()
    console.print(
        f"{analysis.verdict.upper()}: {figures['advice']}", soft_wrap=True, highlight=False
    )
    write_figures(json_file, {**figures, "report": report}, console)
    if plot is not None:
        console.print(
            f"Picture: {motion_plots.dataset_page(plot, analysis, report)}", highlight=False
        )
    return 0


def run_velocities(dataset: str) -> int:
    """Print a dataset's forward velocities alone."""
    Console().print(_histogram(analyze(*load_dataset(dataset))))
    return 0


def _histogram(analysis: Analysis) -> Table:
    """Shares of frames by heading-frame forward velocity."""
    caption = f"moving {analysis.moving:.0%}, stationary (under {MOVING_SPEED} m/s) {1 - analysis.moving:.0%} of the frames"
    table = Table(title="forward velocity", caption=caption, box=SIMPLE_HEAD)
    for heading in ("m/s", "%"):
        table.add_column(heading, justify="right")
    table.add_column("")
    fractions = np.array(analysis.speed_counts) / max(sum(analysis.speed_counts), 1)
    for low, high, fraction in zip(SPEED_BINS[:-1], SPEED_BINS[1:], fractions, strict=True):
        if fraction > 0:
            table.add_row(
                f"{low:.1f} to {high:.1f}",
                f"{100 * fraction:.1f}",
                "#" * round(_BAR * fraction / fractions.max()),
            )
    return table


def _dashboard(analysis: Analysis) -> Table:
    table = Table(title="reference motion", box=SIMPLE_HEAD)
    table.add_column("figure")
    for name in ("measured", "bound", "target"):
        table.add_column(name, justify="right")
    table.add_row("duration, s", f"{analysis.seconds:.1f}", "30", f"{GO_S:.0f}")
    table.add_row("segments", str(analysis.segments), "5", "10")
    table.add_row("source clips", str(len(analysis.seconds_of_motion)), "3", "8")
    for metric, text, bound, target, is_low in _DASHBOARD:
        if metric in analysis.metrics:
            sign = ">=" if is_low else "<="
            table.add_row(
                text, f"{analysis.metrics[metric]:.3f}", f"{sign} {bound:g}", f"{sign} {target:g}"
            )
    speeds = f"{analysis.speed_p5:.2f} {analysis.speed_mean:.2f} {analysis.speed_p95:.2f}"
    table.add_row("speed p5, mean, p95, m/s", speeds, "", "")
    return table


def _diagnosis(clip: dict[str, Any]) -> str:
    """The plan's diagnostic block of one clip; figures are of all that was performed, passed or not."""
    m = clip["performed"]
    if not m:
        return f"Clip: {clip['motion_id']}\n  FAIL: lost in its first step"
    rejects = ", ".join(
        f"{name} {n}" for name, n in sorted(clip["rejects"].items(), key=lambda x: -x[1]) if n
    )
    return "\n".join(
        (
            f"Clip: {clip['motion_id']}",
            f"  performed {clip['performed_s']:.1f} s, {clip['falls']} falls, actuator saturation {m['saturation']:.1%}",
            f"  load support mean {m['load_mean']:.1%}, p10 {m['load_p10']:.1%}, p95 {m['load_p95']:.1%}",
            f"  harness mean {m['harness_mean']:.1%}, p90 {m['harness_p90']:.1%}, p95 {m['harness_p95']:.1%},"
            f" saturated {m['harness_saturated']:.1%}",
            f"  p95 pitch {m['pitch_p95']:.1f}, roll {m['roll_p95']:.1f} degrees; stance slip {m['slip']:.1%}",
            f"  {'PASS' if clip['mined_s'] > 0 else 'FAIL'}: {clip['mined_s']:.1f} s in {clip['segments']} segments,"
            f" {clip['valid_windows']} of {clip['windows']} windows; rejected by {rejects or 'nothing'}",
        )
    )
