"""`wildrobot motion analyze`: a dataset's metrics and verdict as text, JSON and plots."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from wildrobot_gym.cli.motion.printing import say, write_metrics
from wildrobot_gym.console.error_handling import Text
from wildrobot_gym.files import check_free

if TYPE_CHECKING:
    from wildrobot_gym.motion.analysis import Analysis

_BAR = 40  # characters of the histogram's longest bar
_ROWS = (  # metric, text, target, whether it is a minimum; the bound is the gate's
    ("load_mean", "mean(sum Fn) / mg", 0.90, True),
    ("load_p10", "p10(sum Fn) / mg", 0.60, True),
    ("harness_p90", "p90(harness) / mg", 0.15, False),
    ("harness_p95", "p95(harness) / mg", 0.08, False),
    ("unloaded", "unloaded frames", 0.05, False),
    ("slip", "stance slip", 0.05, False),
    ("saturation", "servo saturation", 0.05, False),
    ("alternation", "alternation", 0.20, True),
)
_ALTERNATION = 0.10  # minimum; no gate measures it


def analyze(
    dataset: Text,
    /,
    json: Path | None = None,
    plot: Path | None = None,
    robot: str | None = None,
    force: bool = False,
) -> int:
    """Print the metrics, the verdict and every clip of a dataset.

    Args:
        dataset: Reference file or the name of a shipped one.
        json: File for the metrics, JSON.
        plot: File for a page of plots, .png.
        robot: Folder with the robot.yaml, for a dataset of a robot that is not shipped.
        force: Overwrite files that exist.
    """
    from wildrobot_gym.evaluation.plots.motion import dataset_page
    from wildrobot_gym.experiments.motion.analyze import analyze_dataset

    console = Console()
    check_free([json, plot], force)
    result = analyze_dataset(dataset, robot)
    console.print(_metrics_table(result.analysis))
    console.print(velocity_table(result.analysis))
    for clip in result.report["clips"] if result.report else ():
        say(console, _clip_text(clip))
    say(console, f"{result.analysis.verdict.upper()}: {result.analysis.advice}")
    write_metrics(console, json, result.to_json())
    if plot is not None:
        say(console, f"Plot: {dataset_page(plot, result.analysis, result.report)}")
    return 0


def velocity_table(analysis: Analysis) -> Table:
    """Return a histogram of the forward velocity in the heading frame, in percent of the frames."""
    from wildrobot_gym.motion.analysis import SPEED_BINS
    from wildrobot_gym.task.features import MOVING_SPEED

    caption = (
        f"moving {analysis.moving:.0%},"
        f" stationary (under {MOVING_SPEED} m/s) {1 - analysis.moving:.0%} of the frames"
    )
    table = Table(title="forward velocity", caption=caption, box=SIMPLE_HEAD)
    for heading in ("m/s", "%"):
        table.add_column(heading, justify="right")
    table.add_column("")
    fractions = np.array(analysis.speed_counts) / max(sum(analysis.speed_counts), 1)
    for low, high, fraction in zip(SPEED_BINS[:-1], SPEED_BINS[1:], fractions, strict=True):
        if fraction > 0:
            bar = "#" * round(_BAR * fraction / fractions.max())
            table.add_row(f"{low:.1f} to {high:.1f}", f"{100 * fraction:.1f}", bar)
    return table


def _metrics_table(analysis: Analysis) -> Table:
    from wildrobot_gym.motion.analysis import GO_S, MIN_CLIPS, STOP_S
    from wildrobot_gym.motion.mining import Gates

    gates = Gates()
    table = Table(title="reference motion", box=SIMPLE_HEAD)
    table.add_column("metric")
    for name in ("measured", "bound", "target"):
        table.add_column(name, justify="right")
    table.add_row("duration, s", f"{analysis.seconds:.1f}", f"{STOP_S:.0f}", f"{GO_S:.0f}")
    table.add_row("segments", str(analysis.segments), "5", "10")
    table.add_row("source clips", str(len(analysis.seconds_of_motion)), str(MIN_CLIPS), "8")
    for metric, text, target, is_minimum in _ROWS:
        if metric in analysis.metrics:
            bound = getattr(gates, metric, _ALTERNATION)
            sign, value = ">=" if is_minimum else "<=", analysis.metrics[metric]
            table.add_row(text, f"{value:.3f}", f"{sign} {bound:g}", f"{sign} {target:g}")
    speeds = f"{analysis.speed_p5:.2f} {analysis.speed_mean:.2f} {analysis.speed_p95:.2f}"
    table.add_row("speed p5, mean, p95, m/s", speeds, "", "")
    return table


def _clip_text(clip: dict[str, Any]) -> str:
    """Return one clip's metrics, over all that was performed, and whether any of it was kept."""
    m = clip["performed"]
    if not m:
        return f"Clip: {clip['motion_id']}\n  FAIL: lost in its first step"
    rejects = ", ".join(
        f"{name} {n}" for name, n in sorted(clip["rejects"].items(), key=lambda x: -x[1]) if n
    )
    return "\n".join(
        (
            f"Clip: {clip['motion_id']}",
            f"  performed {clip['performed_s']:.1f} s, {clip['falls']} falls,"
            f" actuator saturation {m['saturation']:.1%}",
            f"  load support mean {m['load_mean']:.1%}, p10 {m['load_p10']:.1%},"
            f" p95 {m['load_p95']:.1%}",
            f"  harness mean {m['harness_mean']:.1%}, p90 {m['harness_p90']:.1%},"
            f" p95 {m['harness_p95']:.1%}, saturated {m['harness_saturated']:.1%}",
            f"  p95 pitch {m['pitch_p95']:.1f}, roll {m['roll_p95']:.1f} degrees;"
            f" stance slip {m['slip']:.1%}",
            f"  {'PASS' if clip['mined_s'] > 0 else 'FAIL'}: {clip['mined_s']:.1f} s"
            f" in {clip['segments']} segments, {clip['valid_windows']} of {clip['windows']}"
            f" windows; rejected by {rejects or 'nothing'}",
        )
    )
