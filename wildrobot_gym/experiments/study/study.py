"""Run a study: every arm with every seed, each run once."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from wildrobot_gym.errors import ConfigError, RunError
from wildrobot_gym.experiments.study.config import Study, load_study
from wildrobot_gym.experiments.study.processes import Stop, on_accelerator
from wildrobot_gym.experiments.study.run import State, StudyRun
from wildrobot_gym.reporting import SILENT, Reporter

# The runs of all studies, which share them, and a directory for the table of each study.
ROOT = Path("runs") / "studies"
CORES_OF_A_RUN = 4  # a choice: physics takes all cores, learning a few of them
LOST_WORKER_S = 120.0  # in which a training whose worker died writes its last checkpoint and ends


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
    jobs: int | None = None,
    executor: Executor | None = None,
    only_table: bool = False,
    stop: Stop | None = None,
    report: Reporter = SILENT,
) -> StudyResult:
    """Train and evaluate the runs of a study that are not done yet.

    Args:
        file: A shipped study's name or a YAML file.
        jobs: Number of runs at the same time on this machine. By default one where JAX's default
            device is an accelerator, else as many as fit the cores.
        executor: Runs them in place of this machine's processes. Its workers must see the files
            under the same paths.
        only_table: Run nothing; report the state of what is done.
        stop: Its `on_signal` stops the study.
        report: Receives messages.

    Returns:
        The state of every run.

    Raises:
        ConfigError: In the study or in one of its arms, before the first run.
    """
    if jobs is not None and (jobs < 1 or executor is not None):
        raise ConfigError(
            f"jobs is {jobs}; allowed: a whole number, 1 or more. An executor has its own number."
        )
    name, study = load_study(file)
    arms = study_runs(study)
    states: dict[Path, State] = {}
    stop = stop or Stop(ROOT, report)
    if not only_table:
        work = jobs_of(study, arms)
        report.info(f"process {os.getpid()}, {len(work)} runs of {len(arms)} arms, in {ROOT}")
        wait_s = 0.0 if executor is None else LOST_WORKER_S
        with contextlib.ExitStack() as held:
            held.callback(stop.file.unlink, missing_ok=True)
            pool = executor or held.enter_context(ThreadPoolExecutor(jobs or _jobs_that_fit()))
            states = _run_all(work, pool, partial(_execute, stop.file, wait_s), report)
    runs = {
        arm: {
            seed: (run, states.get(run.folder.path) or run.state()) for seed, run in of_arm.items()
        }
        for arm, of_arm in arms.items()
    }
    return StudyResult(name, study, runs, stop.signum)


def _jobs_that_fit() -> int:
    if on_accelerator():  # a run takes all of it
        return 1
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, cores // CORES_OF_A_RUN)


def study_runs(study: Study) -> dict[str, dict[int, StudyRun]]:
    """The runs of a study, by arm and seed. All settings are checked here.

    Args:
        study: The study.

    Raises:
        ConfigError: In one of the arms.
    """
    root, cwd = ROOT.absolute(), Path.cwd()
    evaluated = study.commands, study.episodes, study.suite
    return {
        arm: {
            seed: StudyRun(root, replace(config, seed=seed), *evaluated, cwd)
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


def _run_all(
    work: Sequence[Job],
    pool: Executor,
    execute: Callable[[StudyRun], tuple[State, float]],
    report: Reporter,
) -> dict[Path, State]:
    """The state of each run by its directory, after all have ended."""
    states: dict[Path, State] = {}
    begun: dict[Future[tuple[State, float]], Job] = {}
    for job in work:
        if job.run.state().name == "done":
            report.info(f"{job.title}: done before")
            states[job.run.folder.path] = State("done")
        else:
            report.info(f"{job.title}: {job.run.log}")
            begun[pool.submit(execute, job.run)] = job
    for future in as_completed(begun):
        job = begun[future]
        try:
            state, seconds = future.result()
            after = f"{state.name} after {seconds / 60:.1f} min. {state.reason}".rstrip()
        except Exception as error:  # each executor has its own for a worker that is lost for good
            state = State("failed", f"{type(error).__name__}: {error}")
            after = f"failed. {state.reason}"
        report.info(f"{job.title}: {after}")
        states[job.run.folder.path] = state
    return states


def _execute(stop: Path, wait_s: float, run: StudyRun) -> tuple[State, float]:
    """Execute a run, on any machine that has the study's directory; its state and seconds."""
    began = time.monotonic()
    if not run.cwd.is_dir():
        raise RunError(f"This worker has no directory {run.cwd}, which a cluster's machines share.")
    return run.execute(stop, wait_s), time.monotonic() - began
