"""`wildrobot eval`: print the metrics of a policy, and write them as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import tyro
from rich.markup import escape
from rich.table import Table

from wildrobot_gym.console.error_handling import Text
from wildrobot_gym.console.exit_codes import NO_PICTURE
from wildrobot_gym.console.reporter import ConsoleReporter
from wildrobot_gym.console.tables import NAMES_WIDTH, number_table
from wildrobot_gym.errors import WildRobotError
from wildrobot_gym.evaluation.formatting import (
    STYLE_HEADINGS,
    SUITE_HEADINGS,
    WALK_HEADINGS,
    cell,
    episodes_measured,
)
from wildrobot_gym.evaluation.protocol import FLAT
from wildrobot_gym.experiments.settings import EvaluateSettings, RecordSettings

HEADING_WIDTH = 12  # characters; a narrow terminal shows five columns

if TYPE_CHECKING:
    from wildrobot_gym.evaluation.benchmark import WalkResult
    from wildrobot_gym.evaluation.suites.results import SuiteResult


def evaluate(
    policy: Text,
    /,
    settings: tyro.conf.OmitArgPrefixes[EvaluateSettings] = EvaluateSettings(),
    json: Path | None = None,
    video: Path | None = None,
) -> int:
    """Evaluate a policy by the walk benchmark, or by a suite of it.

    The suite flat also compares the gait with reference motion. Exit code 3 says that the
    evaluation is complete, but that this machine cannot draw the video.

    Args:
        policy: Policy to evaluate: a .zip file, a run directory, or the name of a shipped policy.
        json: Write the metrics to this JSON file.
        video: Write a video of the policy to this .mp4 file.
    """
    from wildrobot_gym.experiments import evaluate as library
    from wildrobot_gym.experiments.video import record_video
    from wildrobot_gym.files import write_json

    reporter = ConsoleReporter()
    result = library.evaluate(policy, settings, report=reporter)
    if result.walk is not None:
        reporter.console.print(walk_table(result.walk))
    for suite in result.suites.values():
        if suite.suite.name != FLAT:
            reporter.console.print(suite_table(suite))
        reporter.console.print(bar_table(suite))
    if result.style is not None:
        reporter.console.print(style_table(result.style))
    if json is not None:
        write_json(json, result.to_json())
        reporter.info(f"Results: {json}")
    if video is not None:
        middle = sorted(settings.commands)[len(settings.commands) // 2]
        try:
            record_video(result.policy, video, RecordSettings(command=middle), report=reporter)
        except WildRobotError as error:
            reporter.warning(f"The evaluation is complete, but there is no video: {error}")
            return NO_PICTURE
        reporter.info(f"Video: {video}")
    return 0


def walk_table(result: WalkResult) -> Table:
    """Metrics as rows, commands as columns: the mean, and under it half of its interval."""
    walk = result.to_json()
    title = f"walk benchmark {walk['protocol']}, {walk['episodes_per_command']} episodes a command"
    columns = {f"{command} m/s": metrics for command, metrics in walk["commands"].items()}
    columns["overall"] = walk["overall"]
    caption = "± half of the 95 % bootstrap interval"
    table = number_table(title, "metric", list(columns), caption, NAMES_WIDTH)
    for name, heading in WALK_HEADINGS.items():
        table.add_row(heading, *(cell(metrics[name], "\n") for metrics in columns.values()))
    measured = [episodes_measured(metrics) for metrics in columns.values()]
    if any(n < of for n, of in measured):
        table.add_row("episodes measured", *(f"{n} of {of}" for n, of in measured))
    return table


def suite_table(result: SuiteResult) -> Table:
    """Rows of a suite: whether robots survived, and the metrics that have a bar."""
    suite, names = result.suite, result.suite.metrics
    title = f"suite {suite.name}, {result.episodes} episodes a row"
    headings = [fill(SUITE_HEADINGS[name], HEADING_WIDTH, break_long_words=False) for name in names]
    caption = "± half of the 95 % interval; of a share, Wilson's"
    longest = max(len(row.row.name) for row in result.rows)
    table = number_table(title, "row", headings, caption, longest)
    for row in result.rows:
        table.add_row(row.row.name, *(cell(row.summary[name], "\n") for name in names))
    return table


def bar_table(result: SuiteResult) -> Table:
    """Which bars are met, each in the row that decides."""
    table = number_table(f"bars of {result.suite.name}", "metric", ("bar", "found", "row", ""))
    for verdict in result.verdicts:
        bar, value = verdict.bar, verdict.value
        of = "" if bar.of == "mean" else f", {bar.of}"
        word = "[green]met[/]" if verdict.met else "[red]missed[/]"
        found = "-" if value is None else f"{value:.3f}"
        table.add_row(SUITE_HEADINGS[bar.metric] + of, bar.limits, found, verdict.row, word)
    return table


def style_table(metrics: Mapping[str, Any]) -> Table:
    """Style metrics of the policy, and of the reference's other motions in its place."""
    from wildrobot_gym.experiments.style_eval import compared_with

    others = "other motions: motions of the same reference at similar speed, in the policy's place"
    caption = escape(f"compared with {compared_with(metrics)}; {others}")
    title = escape(f"style, compared with {metrics['reference']}")
    table = number_table(title, "metric", ("policy", "other motions"), caption, NAMES_WIDTH)
    of_others = metrics["other_motions"] or {}
    for name, heading in STYLE_HEADINGS.items():
        table.add_row(heading, cell(metrics[name]), cell(of_others.get(name)))
    return table
