"""A study's table: on the screen, as Markdown, and as JSON with every run's metrics."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement

from wildrobot_gym.config import to_dict
from wildrobot_gym.console.tables import number_table
from wildrobot_gym.evaluation.formatting import mean_text, range_text
from wildrobot_gym.experiments.study.config import Study, digest
from wildrobot_gym.experiments.study.metrics import (
    HEADINGS,
    MIN_PAIRS,
    ArmMetrics,
    arm_metrics,
    incomparable,
    run_metrics,
)
from wildrobot_gym.experiments.study.run import State, StudyRun
from wildrobot_gym.files import write_json, write_text

Runs = Mapping[str, Mapping[int, tuple[StudyRun, State]]]  # by arm and seed


def write_report(name: str, study: Study, runs: Runs, out: Path, console: Console) -> None:
    """Print the table of what is done; write ``table.md`` and ``results.json`` into ``out``.

    Raises:
        RunError: a file cannot be written.
    """
    metrics = {
        arm: {seed: run_metrics(run) for seed, (run, _) in of_arm.items()}
        for arm, of_arm in runs.items()
    }
    by_arm = {arm: [run for run, _ in of_arm.values()] for arm, of_arm in runs.items()}
    base = study.baseline
    arms = {
        arm: arm_metrics(metrics[arm], metrics[base], incomparable(by_arm[arm], by_arm[base]))
        for arm in runs
    }
    done = {
        arm: f"{sum(f is not None for f in of_arm.values())} of {len(of_arm)}"
        for arm, of_arm in metrics.items()
    }
    notes = _notes(study, runs)
    _print(name, study, arms, done, notes, console)
    write_json(out / "results.json", _to_json(name, study, runs, metrics, arms))
    write_text(out / "table.md", _markdown(name, study, arms, done, notes))
    console.print(
        f"Table: {out / 'table.md'}, metrics of every run: {out / 'results.json'}",
        highlight=False,
        soft_wrap=True,
    )


def _notes(study: Study, runs: Runs) -> list[str]:
    """How the table is to be read, and what failed."""
    notes = [
        f"Final policies, {study.episodes} episodes at each of {', '.join(f'{c:g}' for c in study.commands)} m/s; mean over"
        f" seeds and its 95 % bootstrap interval. Under it the difference to {study.baseline} by paired seeds; *: its interval"
        f" excludes zero (told from {MIN_PAIRS} seeds on)."
    ]
    if (
        max(sum(state.name == "done" for _, state in of_arm.values()) for of_arm in runs.values())
        <= MIN_PAIRS
    ):
        notes.append(
            "With up to three seeds an interval is from the lowest to the highest of them."
        )
    commits = {str(results["versions"].get("git")) for results in _results(runs)}
    if len(commits) > 1:
        notes.append(
            f"These runs were judged by {len(commits)} different states of the code: results.json has them."
        )
    # An arm may be another's twin: each failed run is told once for each of its arms.
    failed = [
        (arm, seed, state)
        for arm, of in runs.items()
        for seed, (_, state) in of.items()
        if state.name == "failed"
    ]
    return notes + [f"Failed: {arm}, seed {seed}: {state.reason}" for arm, seed, state in failed]


def _results(runs: Runs) -> list[dict[str, Any]]:
    found = [run.results() for of_arm in runs.values() for run, _ in of_arm.values()]
    return [results for results in found if results is not None]


def _print(
    name: str,
    study: Study,
    arms: Mapping[str, ArmMetrics],
    done: Mapping[str, str],
    notes: list[str],
    console: Console,
) -> None:
    table = number_table(f"study {name}", "metric", [escape(arm) for arm in arms])
    table.add_row("runs done", *done.values())
    for metric, heading in HEADINGS.items():
        cells = []
        for arm, found in arms.items():
            value, difference = (
                _value(found, metric),
                _difference(found, metric, arm == study.baseline),
            )
            cells.append(
                f"{value}\n[{'bold' if found.differs(metric) else 'dim'}]{difference}[/]"
                if difference
                else value
            )
        table.add_row(heading, *cells)
    # A table wider than the terminal is wrapped by the terminal; rich would cut its cells off.
    table.width = Measurement.get(console, console.options.update(width=10_000), table).maximum
    console.print(table, crop=False, highlight=False)
    for note in notes:
        console.print(note, highlight=False, markup=False, soft_wrap=True)


def _markdown(
    name: str,
    study: Study,
    arms: Mapping[str, ArmMetrics],
    done: Mapping[str, str],
    notes: list[str],
) -> str:
    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    lines = [
        f"# Study {name}",
        "",
        line(["metric", *arms]),
        "|---" * (len(arms) + 1) + "|",
        line(["runs done", *done.values()]),
    ]
    for metric, heading in HEADINGS.items():
        cells = [heading]
        for arm, found in arms.items():
            difference = _difference(found, metric, arm == study.baseline)
            difference = f"**{difference[:-1]}\\***" if found.differs(metric) else difference
            cells.append("<br>".join(filter(None, [_value(found, metric), difference])))
        lines.append(line(cells))
    return "\n".join([*lines, "", *(f"{note}\n" for note in notes)])


def _value(found: ArmMetrics, metric: str) -> str:
    """Mean and, of more than one run, interval."""
    interval, digits = found.over_seeds[metric], _digits(metric)
    return mean_text(interval, digits) + (
        f" ({range_text(interval, digits)})" if interval["n"] > 1 else ""
    )


def _difference(found: ArmMetrics, metric: str, is_baseline: bool) -> str:
    mean = found.difference[metric]["mean"]
    if is_baseline or mean is None:
        return ""
    return f"{mean:+.{_digits(metric)}f}{'*' if found.differs(metric) else ''}"


def _digits(metric: str) -> int:
    return 1 if metric == "minutes" else 3


def _to_json(
    name: str,
    study: Study,
    runs: Runs,
    metrics: Mapping[str, Mapping[int, Mapping[str, float] | None]],
    arms: Mapping[str, ArmMetrics],
) -> dict[str, Any]:
    def of_run(arm: str, seed: int) -> dict[str, Any]:
        run, state = runs[arm][seed]
        found, results = metrics[arm][seed], run.results()
        return {
            "folder": str(run.folder.path),
            "state": state.name,
            "reason": state.reason,
            "metrics": found
            and {key: value if math.isfinite(value) else None for key, value in found.items()},
            "git": results and results["versions"].get("git"),
        }

    return {
        "study": name,
        "settings": to_dict(study),
        "against": study.baseline,
        "arms": {
            arm: {
                "digest": digest(next(iter(of_arm.values()))[0].config),
                "runs": {str(seed): of_run(arm, seed) for seed in of_arm},
                "over_seeds": arms[arm].over_seeds,
                "difference": arms[arm].difference,
                "differs": [metric for metric in HEADINGS if arms[arm].differs(metric)],
            }
            for arm, of_arm in runs.items()
        },
    }
