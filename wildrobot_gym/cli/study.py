"""``wildrobot study``: arms times seeds, trained, judged, and put into one table."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from wildrobot_gym.console.exit_codes import RUN_FAILED
from wildrobot_gym.console.output import training_console
from wildrobot_gym.console.signals import stop_signals
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.experiments.study.config import Study, load_study
from wildrobot_gym.experiments.study.report import write_report
from wildrobot_gym.experiments.study.run import Processes, State, StudyRun

ROOT = (
    Path("runs") / "studies"
)  # the runs of all studies, which share them, and a folder for the table of each


@dataclass(frozen=True)
class Job:
    """A run, and what to call it."""

    run: StudyRun
    title: str


def run_study(
    file: str, jobs: int, table: bool, out: Path | None, console: Console | None = None
) -> int:
    """Run what is left of a study, then print and write the table of what is done; the exit code.

    Raises:
        ConfigError: in the study or any of its arms, before the first run begins. RunError: the table cannot be written.
    """
    console = console or training_console()
    if jobs < 1:
        raise ConfigError(f"--jobs {jobs}; allowed: 1 or more.")
    name, study = load_study(file)
    arms = study_runs(study)
    states: dict[Path, State] = {}
    signum = None
    if not table:
        processes = Processes()
        with stop_signals(processes.on_signal):
            work = jobs_of(study, arms)
            console.print(
                f"process {os.getpid()}, {len(work)} runs of {len(arms)} arms, in {ROOT}",
                highlight=False,
            )
            with ThreadPoolExecutor(jobs) as pool:
                done = pool.map(lambda job: _go(job, processes, console), work)
                states = {job.run.folder.path: state for job, state in zip(work, done, strict=True)}
        signum = processes.signum
    everything = {
        arm: {seed: (run, _state(run, states)) for seed, run in runs.items()}
        for arm, runs in arms.items()
    }
    write_report(name, study, everything, out or ROOT / name, console)
    if signum is not None:
        console.print("Stopped. The same command goes on with the study.")
        return 128 + signum
    return RUN_FAILED if any(state.name != "done" for state in states.values()) else 0


def study_runs(study: Study) -> dict[str, dict[int, StudyRun]]:
    """The runs by arm and seed; all settings are checked here."""
    return {
        arm: {
            seed: StudyRun(ROOT, replace(config, seed=seed), study.commands, study.episodes)
            for seed in study.seeds
        }
        for arm, config in study.resolve().items()
    }


def jobs_of(study: Study, arms: Mapping[str, Mapping[int, StudyRun]]) -> list[Job]:
    """Each run once, however many arms it is of; seed by seed, so that each arm has a figure early."""
    titles: dict[Path, list[str]] = {}
    found: dict[Path, StudyRun] = {}
    for seed in study.seeds:
        for arm, runs in arms.items():
            run = runs[seed]
            found[run.folder.path] = run
            titles.setdefault(run.folder.path, []).append(arm)
    return [
        Job(run, f"{', '.join(titles[path])}, seed {run.config.seed}")
        for path, run in found.items()
    ]


def _go(job: Job, processes: Processes, console: Console) -> State:
    if processes.signum is not None:
        return job.run.state()
    if job.run.state().name == "done":
        console.print(f"{job.title}: done before", highlight=False, markup=False)
        return State("done")
    console.print(f"{job.title}: {job.run.log}", highlight=False, markup=False, soft_wrap=True)
    began = time.monotonic()
    state = job.run.go(processes.execute)
    text = (
        f"{job.title}: {state.name} after {(time.monotonic() - began) / 60:.1f} min. {state.reason}"
    )
    console.print(text.rstrip(), highlight=False, markup=False, soft_wrap=True)
    return state


def _state(run: StudyRun, states: Mapping[Path, State]) -> State:
    return states.get(run.folder.path) or run.state()
