"""Report on one run: its benchmark, learning curves, health, gait and a video on one page."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from amp_sbx import AMPError
from wildrobot_gym.errors import PhysicsError, RunError, WildRobotError
from wildrobot_gym.evaluation.protocol import check_protocol
from wildrobot_gym.evaluation.suites.catalog import with_flat
from wildrobot_gym.experiments.compare.run import gather, names_of
from wildrobot_gym.experiments.evaluate import Evaluator
from wildrobot_gym.experiments.report.page import page
from wildrobot_gym.experiments.settings import EvaluateSettings, RecordSettings, ReportSettings
from wildrobot_gym.experiments.style_eval import prepare_style
from wildrobot_gym.experiments.video import check_seconds, record_video
from wildrobot_gym.files import write_text
from wildrobot_gym.reporting import SILENT, Reporter
from wildrobot_gym.training.config import from_mapping
from wildrobot_gym.training.events import RunEvent
from wildrobot_gym.training.policy import LoadedPolicy, load_policy
from wildrobot_gym.training.run_directory import RunDirectory
from wildrobot_gym.training.verdicts import verdict_fractions


def write_report(
    run: str | Path,
    out: Path,
    settings: ReportSettings | None = None,
    *,
    report: Reporter = SILENT,
) -> Path:
    """Write one HTML page about a run, which loads nothing.

    The page has the evaluation with intervals, learning curves, the discriminator's health, foot
    contacts, joint cycles, torque use, the settings, and a video where this machine can draw.

    Args:
        run: A run directory, a .zip file, or the name of a shipped policy.
        out: The page, .html.
        settings: What to measure and to film.
        report: Receives messages and progress.

    Returns:
        The page that was written.

    Raises:
        ConfigError: A setting is wrong.
        RunError: There is no such policy, or the page cannot be written.
    """
    s = settings or ReportSettings()
    check_protocol(s.commands, s.episodes, seed=s.seed)
    check_seconds(s.seconds)
    suites = with_flat(s.suite)
    policy = load_policy(run)
    test = prepare_style(policy, None, report) if s.style else None
    measured = EvaluateSettings(
        commands=s.commands, episodes=s.episodes, backend=s.backend, seed=s.seed
    )
    with Evaluator(measured, report, suites) as evaluator:
        result = evaluator.evaluate(policy, test)
    name, walk = names_of([str(run)])[0], result.flat
    gathered = gather(name, policy, walk, result.to_json(), result.suites)
    verdicts, events = _health(policy)
    with tempfile.TemporaryDirectory() as folder:
        film, why = _film(policy, Path(folder) / "walk.mp4", s, report)
        text = page(gathered, verdicts, events, film, why)
    write_text(out, text)
    return out


def report_training(run: RunDirectory, report: Reporter = SILENT) -> Path | None:
    """Write report.html into the directory of a run that has just ended.

    It repeats the run's own evaluation over 10 s. A report that fails never fails the training:
    the reason becomes a warning.

    Args:
        run: The run. One that evaluates nothing (`eval.every: 0`) gets no report.
        report: Receives messages and progress.

    Returns:
        The page; None without one.
    """
    try:
        evaluation = from_mapping(run.read_config()).eval
        if not evaluation.every:
            return None
        settings = ReportSettings(
            commands=evaluation.commands, episodes=evaluation.episodes, style=False
        )
        return write_report(run.path, run.path / "report.html", settings, report=report)
    except Exception as error:
        why = error if isinstance(error, (WildRobotError, AMPError)) else repr(error)
        report.warning(f"No report: {why} `wildrobot report {run.path}` tries again.")
        return None


def _health(policy: LoadedPolicy) -> tuple[dict[str, float], Sequence[RunEvent]]:
    run = policy.run_directory
    verdicts: dict[str, float] = {}
    if run is None:
        return verdicts, ()
    with suppress(RunError):  # the page's first table says what could not be read
        verdicts = verdict_fractions(run.progress)
    return verdicts, run.events()


def _film(
    policy: LoadedPolicy, out: Path, settings: ReportSettings, report: Reporter
) -> tuple[Path | None, str]:
    """The video, or None and the reason."""
    if not settings.video:
        return None, "No video was asked for."
    middle = sorted(settings.commands)[len(settings.commands) // 2]
    shot = RecordSettings(command=middle, seconds=settings.seconds)
    try:
        return record_video(policy, out, shot, report=report).video, ""
    except PhysicsError as error:
        report.warning(f"No video: {error}")
        return None, f"No video: {error}"
