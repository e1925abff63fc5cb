"""Run a study: every arm with every seed, each run once."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from wildrobot_gym.errors import ConfigError
from wildrobot_gym.experiments.study.config import Study, load_study
from wildrobot_gym.experiments.study.processes import Processes
from wildrobot_gym.experiments.study.run import State, StudyRun
from wildrobot_gym.reporting import SILENT, Reporter

# The runs of all studies, which share them, and a directory for the table of each study.
ROOT = Path("runs") / "studies"


@dataclass(frozen=True)
class Job:
    """A run and its title: the arms that it belongs to, and its seed."""

    run: StudyRun
    title: str


@dataclass(frozen=True)
class StudyResult:
    """What has become of the runs of a study.

    Attributes:
        name: The study's name.
        study: Its settings.
        runs: Each run and its state, by arm and seed.
        signum: The signal that stopped the study; None if it ran to its end.
    """

    name: str
    study: Study
    runs: Mapping[str, Mapping[int, tuple[StudyRun, State]]]
    signum: int | None = None

    @property
    def complete(self) -> bool:
        """Whether all runs are done."""
        return all(state.name == "done" for of in self.runs.values() for _, state in of.values())


def run_study(
    file: str,
    *,
    jobs: int = 1,
    only_table: bool = False,
    processes: Processes | None = None,
    report: Reporter = SILENT,
) -> StudyResult:
    """Train and evaluate the runs of a study that are not done yet.

    Args:
        file: A shipped study's name or a YAML file.
        jobs: Number of runs at the same time, each in a separate process.
        only_table: Run nothing; report the state of what is done.
        processes: Runs the commands; its `on_signal` stops the study.
        report: Receives messages.

    Returns:
        The state of every run.

    Raises:
        ConfigError: In the study or in one of its arms, before the first run.
    """
    if jobs < 1:
        raise ConfigError(f"jobs is {jobs}; allowed: a whole number, 1 or more.")
    name, study = load_study(file)
    arms = study_runs(study)
    states: dict[Path, State] = {}
    processes = processes or Processes(report)
    if not only_table:
        work = jobs_of(study, arms)
        report.info(f"process {os.getpid()}, {len(work)} runs of {len(arms)} arms, in {ROOT}")
        with ThreadPoolExecutor(jobs) as pool:
            done = pool.map(lambda job: _run(job, processes, report), work)
            states = {job.run.folder.path: state for job, state in zip(work, done, strict=True)}
    runs = {
        arm: {
            seed: (run, states.get(run.folder.path) or run.state()) for seed, run in of_arm.items()
        }
        for arm, of_arm in arms.items()
    }
    return StudyResult(name, study, runs, processes.signum)


def study_runs(study: Study) -> dict[str, dict[int, StudyRun]]:
    """The runs of a study, by arm and seed. All settings are checked here.

    Args:
        study: The study.

    Raises:
        ConfigError: In one of the arms.
    """
    return {
        arm: {
            seed: StudyRun(ROOT, replace(config, seed=seed), study.commands, study.episodes)
            for seed in study.seeds
        }
        for arm, config in study.resolve().items()
    }


def jobs_of(study: Study, arms: Mapping[str, Mapping[int, StudyRun]]) -> list[Job]:
    """Each run once, even if it belongs to several arms.

    Args:
        study: The study.
        arms: Its runs, by arm and seed.

    Returns:
        The runs, seed by seed, so that each arm soon has a result.
    """
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


def _run(job: Job, processes: Processes, report: Reporter) -> State:
    if processes.signum is not None:
        return job.run.state()
    if job.run.state().name == "done":
        report.info(f"{job.title}: done before")
        return State("done")
    report.info(f"{job.title}: {job.run.log}")
    began = time.monotonic()
    state = job.run.execute(processes.execute)
    minutes = (time.monotonic() - began) / 60
    report.info(f"{job.title}: {state.name} after {minutes:.1f} min. {state.reason}".rstrip())
    return state
