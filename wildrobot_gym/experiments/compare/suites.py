"""The suites on a comparison page: one picture, and which bars each run meets."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from wildrobot_gym.evaluation.plots.suites import suites_svg
from wildrobot_gym.evaluation.protocol import FLAT
from wildrobot_gym.evaluation.suites.results import SuiteResult, Verdict
from wildrobot_gym.evaluation.suites.table import bar_text
from wildrobot_gym.experiments.compare.parts import legend, run_table
from wildrobot_gym.experiments.compare.run import ComparedRun
from wildrobot_gym.experiments.html_document import Section

HOW_TO_READ = (
    "Top: the fraction of episodes that survive in the suite's worst row, with Wilson's 95 %"
    " interval; a stroke is the bar. Below: the same against the strength of a disturbance."
    " Where robots are disturbed by a drawn value, its range is cut into four equal parts."
    " Solid: survived while walking, dashed: success, dotted: survived while standing."
)


def suites_section(runs: Sequence[ComparedRun]) -> list[Section]:
    """The section; none where the runs went through the suite `flat` alone."""
    names = list(runs[0].suites)
    if not set(names) - {FLAT}:
        return []
    picture = suites_svg([run.suites for run in runs], "suites")
    content = (
        f"<p>{escape(HOW_TO_READ)}</p>{legend(runs)}"
        f"<figure><div class=wide tabindex=0>{picture}</div></figure>"
    )
    for name in names:
        rows = zip(*(_cells(run.suites[name]) for run in runs), strict=True)
        bars = [bar_text(verdict.bar) for verdict in runs[0].suites[name].verdicts]
        passed = sum(run.suites[name].passed for run in runs)
        heading = f"{name}: {passed} of {len(runs)} meet all bars"
        table = run_table(f"Bars of {name}, worst row", runs, list(zip(bars, rows, strict=True)))
        content += f"<details><summary>{escape(heading)}</summary>{table}</details>"
    return [Section("suites", "Suites", content)]


def _cells(result: SuiteResult) -> list[str]:
    return [_cell(verdict) for verdict in result.verdicts]


def _cell(verdict: Verdict) -> str:
    value = "-" if verdict.value is None else f"{verdict.value:.3f}"
    mark = "<mark>met</mark>" if verdict.met else "missed"
    return f"<b>{value}</b> <small>{escape(verdict.row)}</small> {mark}"
