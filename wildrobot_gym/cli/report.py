"""`wildrobot report`: one HTML page about a run."""

from __future__ import annotations

from pathlib import Path

import tyro

from wildrobot_gym.console.error_handling import Text
from wildrobot_gym.console.reporter import ConsoleReporter
from wildrobot_gym.experiments.settings import ReportSettings


def report(
    run: Text,
    /,
    out: Path | None = None,
    settings: tyro.conf.OmitArgPrefixes[ReportSettings] = ReportSettings(),
    force: bool = False,
) -> int:
    """Write one HTML page about a run, with plots and a video.

    It has the evaluation, learning curves, gait, health of the discriminator, and settings.

    Args:
        run: Run directory, .zip file, or name of a shipped policy.
        out: HTML page to write (default: report.html in the run directory, or here).
        force: Overwrite a page that exists.
    """
    from wildrobot_gym.experiments.report.report import write_report
    from wildrobot_gym.files import check_free

    reporter = ConsoleReporter()
    page = out or (Path(run) if Path(run).is_dir() else Path()) / "report.html"
    check_free([page], force)
    reporter.info(f"Page: {write_report(run, page, settings, report=reporter)}")
    return 0
