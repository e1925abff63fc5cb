"""`wildrobot study`: run what is left of a study, and print its table."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.measure import Measurement

from wildrobot_gym.console.error_handling import Text
from wildrobot_gym.console.exit_codes import RUN_FAILED
from wildrobot_gym.console.reporter import ConsoleReporter
from wildrobot_gym.console.signals import stop_signals
from wildrobot_gym.console.tables import number_table

if TYPE_CHECKING:
    from wildrobot_gym.experiments.study.report import StudyTable


def study(
    file: Text,
    /,
    jobs: int | None = None,
    dask: str | None = None,
    table: bool = False,
    out: Path | None = None,
) -> int:
    """Run what is left of a study, and print its table.

    A study trains every arm with every seed, and evaluates the final policies. The same command
    resumes a study that was stopped. The exit code is 1 where a run failed.

    Args:
        file: Study to run: a shipped study's name (amp, loss, history, ...) or a YAML file.
        jobs: Number of runs at the same time, each in a separate process (default: one on an
            accelerator, else one for every four cores).
        dask: Run on a Dask cluster: its scheduler's address, such as tcp://10.0.0.1:8786, or its
            scheduler file (.json).
        table: Only print the table of the runs that are done.
        out: Directory for the table; runs/studies/<study> by default.
    """
    from wildrobot_gym.console.output import training_console
    from wildrobot_gym.experiments.study.cluster import dask_executor
    from wildrobot_gym.experiments.study.processes import Stop
    from wildrobot_gym.experiments.study.report import StudyTable
    from wildrobot_gym.experiments.study.study import ROOT, run_study

    reporter = ConsoleReporter(training_console())
    stop = Stop(ROOT, reporter)
    with contextlib.ExitStack() as held:
        executor = None
        if dask is not None and not table:
            executor = held.enter_context(dask_executor(dask, report=reporter))
        held.enter_context(stop_signals(stop.on_signal))
        result = run_study(
            file, jobs=jobs, executor=executor, only_table=table, stop=stop, report=reporter
        )
        found = StudyTable.of(result)
        print_table(found, reporter)
        table_file, results_file = found.write(out or ROOT / result.name)
    reporter.info(f"Table: {table_file}, metrics of every run: {results_file}")
    if result.signum is not None:
        reporter.info("Stopped. The same command resumes the study.")
        return 128 + result.signum
    return 0 if table or result.complete else RUN_FAILED


def print_table(found: StudyTable, reporter: ConsoleReporter) -> None:
    """Print the metrics of all arms, with the difference to the baseline under each, and notes."""
    arms, console = list(found.arms), reporter.console
    table = number_table(f"study {found.result.name}", "metric", [escape(arm) for arm in arms])
    table.add_row("runs done", *found.done.values())
    for metric, heading in found.headings.items():
        cells = []
        for arm in arms:
            value, difference = found.value(arm, metric), found.difference(arm, metric)
            mark = "bold" if found.arms[arm].differs(metric) else "dim"
            cells.append(f"{value}\n[{mark}]{difference}[/]" if difference else value)
        table.add_row(heading, *cells)
    # rich would cut off the cells of a table that is wider than the terminal.
    table.width = Measurement.get(console, console.options.update(width=10_000), table).maximum
    console.print(table, crop=False, highlight=False)
    for note in found.notes():
        reporter.info(note)
