"""``wildrobot motion analyze``: a dataset's dashboard and verdict, in words, as JSON, and as one page of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from wildrobot_gym.cli.evaluate import write_json
from wildrobot_gym.cli.motion_files import read_report
from wildrobot_gym.evaluation import motion_plots
from wildrobot_gym.motion import reference, storage
from wildrobot_gym.motion.analysis import GO_S, Analysis, analyze
from wildrobot_gym.paths import motion_file
from wildrobot_gym.robot import RobotModel

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


def run_analyze(dataset: str, json_file: Path | None, plot: Path | None, robot: str | None = None) -> int:
    """Print the dashboard, the decision and what became of every clip."""
    console, path = Console(), motion_file(dataset)
    _, about = storage.read(path, reference.KIND, ())
    model = RobotModel.load(robot or str(about["robot"]))
    analysis, report = analyze(model, reference.load_clips(path, model)), read_report(path)
    console.print(_dashboard(analysis))
    if report is not None:
        for clip in report["clips"]:
            console.print(_diagnosis(clip), highlight=False)
    figures = analysis.as_dict()
    console.print(f"{analysis.verdict.upper()}: {figures['advice']}", soft_wrap=True, highlight=False)
    if json_file is not None:
        write_json(json_file, {**figures, "report": report})
        console.print(f"Figures: {json_file}", highlight=False)
    if plot is not None:
        console.print(f"Picture: {motion_plots.dataset_page(plot, analysis, report)}", highlight=False)
    return 0


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
            table.add_row(text, f"{analysis.metrics[metric]:.3f}", f"{sign} {bound:g}", f"{sign} {target:g}")
    table.add_row("moving frames", f"{analysis.moving:.2f}", "", "")
    speeds = f"{analysis.speed_p5:.2f} {analysis.speed_mean:.2f} {analysis.speed_p95:.2f}"
    table.add_row("speed p5, mean, p95, m/s", speeds, "", "")
    return table


def _diagnosis(clip: dict[str, Any]) -> str:
    """The plan's diagnostic block of one clip; figures are of all that was performed, passed or not."""
    m = clip["performed"]
    if not m:
        return f"Clip: {clip['motion_id']}\n  FAIL: lost in its first step"
    rejects = ", ".join(f"{name} {n}" for name, n in sorted(clip["rejects"].items(), key=lambda x: -x[1]) if n)
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
