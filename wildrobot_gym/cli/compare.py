"""``wildrobot compare``: policies side by side, as a table with intervals and as one HTML page with pictures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wildrobot_gym.cli.evaluate import results_json, run_benchmark
from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.errors import RunError
from wildrobot_gym.evaluation.benchmark import SEED, WalkBenchmark, evaluation_settings
from wildrobot_gym.evaluation.plots.inline_svg import MAX_RUNS
from wildrobot_gym.evaluation.style import style_env
from wildrobot_gym.experiments.compare.page import page
from wildrobot_gym.experiments.compare.run import ComparedRun, gather, names_of
from wildrobot_gym.experiments.compare.table import Cell, rows_of
from wildrobot_gym.experiments.style_eval import evaluate_style, held_against, prepare_style
from wildrobot_gym.files import check_free, write_figures, write_text
from wildrobot_gym.training.policy import load_policy


def run_compare(
    runs: Sequence[str],
    out: Path,
    commands: Sequence[float],
    episodes: int,
    backend: str,
    json_file: Path | None = None,
    force: bool = False,
    seed: int = SEED,
    style: bool = True,
    reference: str | None = None,
    console: Console | None = None,
) -> int:
    """Put every run through the walk benchmark, print the figures, write the page. What a run lacks is told, not fatal.

    ``style``: compare each with the motion ``reference`` too, or with its own where that is None.

    Raises:
        RunError: no run, too many, one twice, no such run, or a file in the way.
        ConfigError, MotionError: ``reference`` is not there or does not fit.
    """
    console = console or Console()
    if not 1 <= len(runs) <= MAX_RUNS:
        raise RunError(
            f"{len(runs)} runs are named; allowed: 1 to {MAX_RUNS} run folders, .zip files or shipped policies."
        )
    names = names_of(runs)
    check_free([out, json_file], force)
    policies = [load_policy(run) for run in runs]  # all of them before the first is run
    tests = [prepare_style(policy, reference, console) if style else None for policy in policies]
    compared: list[ComparedRun] = []
    # Runs of the same settings share environments: half of a benchmark's time is compiling.
    benchmarks: dict[str, WalkBenchmark] = {}
    style_envs: dict[str, WildRobotVectorEnv] = {}
    with ExitStack() as opened:
        for number, (name, policy, test) in enumerate(
            zip(names, policies, tests, strict=True), start=1
        ):
            told = escape(
                f"run {number}: {name}, {policy.path}, {policy.model.num_timesteps:,} steps of training"
            )
            console.print(told, highlight=False, soft_wrap=True)
            settings = json.dumps(evaluation_settings(policy.env_kwargs), sort_keys=True)
            if settings not in benchmarks:
                benchmark = WalkBenchmark(
                    policy.env_kwargs, commands, episodes, seed=seed, backend=backend
                )
                benchmarks[settings] = opened.enter_context(closing(benchmark))
            result = run_benchmark(policy, benchmarks[settings], console)
            figures = results_json(policy, result, backend) | {"style": None}
            if test is not None:
                if settings not in style_envs:
                    style_envs[settings] = opened.enter_context(
                        closing(style_env(policy.env_kwargs, backend))
                    )
                alone = replace(
                    test, reference=replace(test.reference, others=[])
                )  # a comparison does not show the others
                figures["style"] = evaluate_style(
                    policy, alone, style_envs[settings], seed, console
                )
            compared.append(gather(name, policy, result, figures))
            for lack in compared[-1].lacks:
                console.print(f"  [yellow]{escape(lack)}[/]", highlight=False, soft_wrap=True)
    console.print(overall_table(compared))
    for run in compared:
        if measured := run.figures.get("style"):
            console.print(
                f"style of {run.name}: against {held_against(measured)}",
                highlight=False,
                markup=False,
                soft_wrap=True,
            )
    write_text(out, page(compared))
    console.print(f"Page: {out}", highlight=False, soft_wrap=True, markup=False)
    write_figures(json_file, {run.name: run.figures for run in compared}, console)
    return 0


def overall_table(runs: Sequence[ComparedRun]) -> Table:
    """Figures as rows, runs as columns, over all commands; mean, 95 % interval, and which other runs it is better than."""
    first = runs[0].figures
    at = ", ".join(first["commands"])
    title = f"walk benchmark {first['protocol']}, {first['episodes_per_command']} episodes at each of {at} m/s"
    caption = "mean and 95 % bootstrap interval; better, differs: than the runs named, whose intervals lie wholly apart"
    table = Table(title=title, caption=caption, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("figure", min_width=20)
    for number, run in enumerate(runs, start=1):
        table.add_column(f"{number}: {escape(run.name)}", justify="right")
    for heading, cells in rows_of(runs):
        table.add_row(heading, *(_text(cell) for cell in cells))
    return table


def _text(cell: Cell) -> str:
    quiet = [f"[dim]{text}[/]" for text in (cell.interval, cell.of) if text]
    return "\n".join([cell.mean, *quiet, *([f"[green]{cell.mark}[/]"] if cell.mark else [])])
