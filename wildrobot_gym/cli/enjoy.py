"""`wildrobot enjoy`, `view` and `plot`: a policy in a window, on a page, and as pictures."""

from __future__ import annotations

from pathlib import Path

import tyro

from wildrobot_gym.console.error_handling import Text
from wildrobot_gym.experiments.settings import ViewSettings


def enjoy(
    policy: Text,
    /,
    settings: tyro.conf.OmitArgPrefixes[ViewSettings] = ViewSettings(),
) -> int:
    """Show a policy in a window, commanded by keys.

    This needs a screen.

    Args:
        policy: Policy to show: a .zip file, a run directory, or the name of a shipped policy.
    """
    from wildrobot_gym.console.reporter import ConsoleReporter
    from wildrobot_gym.experiments.view.view import view_in_window

    view_in_window(policy, settings, report=ConsoleReporter())
    return 0


def view(
    policy: Text,
    /,
    web: bool = False,
    export: Path | None = None,
    settings: tyro.conf.OmitArgPrefixes[ViewSettings] = ViewSettings(),
    force: bool = False,
) -> int:
    """Show a policy in the browser, in a window, or as a file.

    Args:
        policy: Policy to show: a .zip file, a run directory, or the name of a shipped policy.
        web: Show it as a page with sliders in the browser. This needs no screen.
        export: Write an HTML file that plays recorded walks in any browser, and end.
        force: Overwrite a file that exists.
    """
    from wildrobot_gym.console.reporter import ConsoleReporter
    from wildrobot_gym.experiments.view import view as views
    from wildrobot_gym.files import check_free

    reporter = ConsoleReporter()
    if export is not None:
        check_free([export], force)
        reporter.info(f"Page: {views.export_page(policy, export, settings, report=reporter)}")
    elif web:
        views.view_in_browser(policy, settings, report=reporter)
    else:
        views.view_in_window(policy, settings, report=reporter)
    return 0


def plot(policy: Text, /, out: Path = Path("plots"), command: float = 0.4) -> int:
    """Draw a policy's gait and its run's learning curves.

    Args:
        policy: Policy to draw: a .zip file, a run directory, or the name of a shipped policy.
        out: Directory for the pictures.
        command: Commanded forward speed, in m/s.
    """
    from wildrobot_gym.console.reporter import ConsoleReporter
    from wildrobot_gym.experiments.video import plot_policy

    reporter = ConsoleReporter()
    for path in plot_policy(policy, out, command):
        reporter.info(f"Picture: {path}")
    return 0
