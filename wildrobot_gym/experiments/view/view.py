"""Watch a policy live: in a window, in the browser, or on a page that needs no Python."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from wildrobot_gym.env.render import NO_SCREEN, has_screen
from wildrobot_gym.errors import PhysicsError
from wildrobot_gym.experiments.evaluate import load
from wildrobot_gym.experiments.settings import ViewSettings
from wildrobot_gym.experiments.view.controls import Controls
from wildrobot_gym.experiments.view.export import page_of
from wildrobot_gym.experiments.view.session import PolicySession
from wildrobot_gym.experiments.view.web import PolicyPage
from wildrobot_gym.experiments.view.window import KEYS, PolicyWindow
from wildrobot_gym.files import write_text
from wildrobot_gym.reporting import SILENT, Reporter
from wildrobot_gym.training.policy import LoadedPolicy


class Viewer(Protocol):
    """What shows a robot until its controls say stop."""

    controls: Controls

    def run(self) -> None: ...

    def close(self) -> None: ...


def view_in_browser(
    policy: str | Path | LoadedPolicy,
    settings: ViewSettings | None = None,
    *,
    report: Reporter = SILENT,
) -> None:
    """Show a policy as a page in the browser. Several browsers may look at it.

    Args:
        policy: A loaded policy, a .zip file, a run directory, or the name of a shipped policy.
        settings: The command, and the address of the page.
        report: Receives the address.

    Raises:
        ConfigError: A setting is out of range.
        MissingPackageError: The extra `viz` is not installed.
        RunError: There is no such policy, or the address is not this machine's.
    """
    s = settings or ViewSettings()
    s.check()

    def make(session: PolicySession) -> Viewer:
        page = PolicyPage(session, s.host, s.port)
        report.info(f"Open {page.stage.url} in a browser. Ctrl-C ends the page.")
        return page

    _watch(policy, s, make)


def view_in_window(
    policy: str | Path | LoadedPolicy,
    settings: ViewSettings | None = None,
    *,
    report: Reporter = SILENT,
) -> None:
    """Show a policy in a window. Keys command it.

    Args:
        policy: A loaded policy, a .zip file, a run directory, or the name of a shipped policy.
        settings: The command, and how long to show it.
        report: Receives the list of keys.

    Raises:
        ConfigError: A setting is out of range.
        PhysicsError: There is no screen, or on a Mac no mjpython; the message says what to do.
        RunError: There is no such policy.
    """
    s = settings or ViewSettings()
    s.check()
    if not has_screen():
        raise PhysicsError(NO_SCREEN)

    def make(session: PolicySession) -> Viewer:
        window = PolicyWindow(session)
        report.info(f"Keys: {KEYS}")
        return window

    _watch(policy, s, make)


def export_page(
    policy: str | Path | LoadedPolicy,
    out: Path,
    settings: ViewSettings | None = None,
    *,
    report: Reporter = SILENT,
) -> Path:
    """Write an HTML file that plays recorded walks of a policy, without Python or network.

    Args:
        policy: A loaded policy, a .zip file, a run directory, or the name of a shipped policy.
        out: The page, .html.
        settings: The seed, and the length of each walk.
        report: Receives progress.

    Returns:
        The page that was written.

    Raises:
        ConfigError: A setting is out of range.
        MissingPackageError: The extra `viz` is not installed.
        RunError: There is no such policy, or the page cannot be written.
    """
    s = settings or ViewSettings()
    s.check()
    write_text(out, page_of(load(policy), s, report))
    return out


def _watch(
    policy: str | Path | LoadedPolicy,
    settings: ViewSettings,
    make: Callable[[PolicySession], Viewer],
) -> None:
    """Play a session in a viewer until it is closed, the time is over, or Ctrl-C."""
    command = (settings.command, settings.vy, settings.yaw_rate)
    session = PolicySession(load(policy), command, settings.seed)
    try:
        viewer = make(session)
    except BaseException:
        session.close()
        raise
    try:
        with stopped_after(viewer.controls, settings.seconds), suppress(KeyboardInterrupt):
            viewer.run()
    finally:
        viewer.close()


@contextmanager
def stopped_after(controls: Controls, seconds: float | None) -> Iterator[None]:
    """Say stop after so many seconds, unless that is None."""
    if seconds is None:
        yield
        return
    timer = threading.Timer(seconds, controls.stopped.set)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
