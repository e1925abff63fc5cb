"""``wildrobot eval``: a policy through the walk benchmark; a table for people and a JSON for everything else."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wildrobot_gym.console.exit_codes import NO_PICTURE
from wildrobot_gym.console.progress_bar import step_bar
from wildrobot_gym.console.tables import NAMES_WIDTH, number_table
from wildrobot_gym.errors import WildRobotError
from wildrobot_gym.evaluation.benchmark import SEED, WalkBenchmark, WalkResult
from wildrobot_gym.evaluation.formatting import ROWS, cell, episodes_measured
from wildrobot_gym.evaluation.style import style_env
from wildrobot_gym.experiments.style_eval import evaluate_style, prepare_style, style_table
from wildrobot_gym.files import write_json
from wildrobot_gym.training.policy import LoadedPolicy, load_policy
from wildrobot_gym.training.run_directory import versions


def run_eval(
    policy: str,
    commands: Sequence[float],
    episodes: int,
    backend: str,
    json_file: Path | None,
    video: Path | None,
    seed: int = SEED,
    robot: str | None = None,
    style: bool = True,
    reference: str | None = None,
    console: Console | None = None,
) -> int:
    """Evaluate and print; JSON and video where asked for. A video that cannot be drawn does not lose the evaluation.

    ``style``: compare with the motion ``reference`` too, or with the policy's own where that is None.
    """
    console = console or Console()
    loaded = load_policy(policy, robot)
    console.print(
        f"{loaded.path}, {loaded.model.num_timesteps:,} steps of training",
        highlight=False,
        markup=False,
    )
    test = (
        prepare_style(loaded, reference, console) if style else None
    )  # before minutes of benchmark
    with closing(
        WalkBenchmark(loaded.env_kwargs, commands, episodes, seed=seed, backend=backend)
    ) as benchmark:
        results = results_json(loaded, run_benchmark(loaded, benchmark, console), backend)
    console.print(results_table(results))
    results["style"] = None
    if test is not None:
        with closing(style_env(loaded.env_kwargs, backend)) as env:
            results["style"] = evaluate_style(loaded, test, env, seed, console)
    if results["style"] is not None:
        console.print(style_table(results["style"]))
    if json_file is not None:
        write_json(json_file, results)
        console.print(f"Results: {json_file}", highlight=False, markup=False)
    if video is not None:
        from wildrobot_gym.cli.watch import run_record

        middle = sorted(commands)[len(commands) // 2]
        try:
            run_record(loaded, video, command=middle, seconds=10.0, console=console)
        except WildRobotError as error:
            message = escape(f"The evaluation is complete, but there is no video: {error}")
            console.print(f"[yellow]{message}[/]", soft_wrap=True)
            return NO_PICTURE
    return 0


def run_benchmark(policy: LoadedPolicy, benchmark: WalkBenchmark, console: Console) -> WalkResult:
    """The benchmark's figures and recording of a policy, with a bar while it runs."""
    num_envs = benchmark.env.num_envs
    with step_bar(console) as progress:
        task = progress.add_task(
            f"{len(benchmark.commands)} x {benchmark.episodes} episodes",
            total=benchmark.num_steps * num_envs,
        )
        return benchmark.run(policy, lambda _: progress.advance(task, num_envs))


def results_json(policy: LoadedPolicy, result: WalkResult, backend: str) -> dict[str, Any]:
    """The structure of a results file."""
    return {
        **result.to_json(),
        "backend": backend,
        "policy": policy.description(),
        "versions": versions(),
    }


def results_table(results: dict[str, Any]) -> Table:
    """Figures as rows, commands as columns; mean, and under it half the 95 % bootstrap interval."""
    title = f"walk benchmark {results['protocol']}, {results['episodes_per_command']} episodes a command"
    columns = {f"{command} m/s": figures for command, figures in results["commands"].items()}
    columns["overall"] = results["overall"]
    table = number_table(
        title, "figure", list(columns), "± half of the 95 % bootstrap interval", NAMES_WIDTH
    )
    for figure, heading in ROWS:
        table.add_row(heading, *(cell(figures[figure], "\n") for figures in columns.values()))
    measured = [episodes_measured(figures) for figures in columns.values()]
    if any(n < of for n, of in measured):
        table.add_row("episodes measured", *(f"{n} of {of}" for n, of in measured))
    return table
