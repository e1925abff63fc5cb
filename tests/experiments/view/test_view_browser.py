"""The pages in a real browser: headless Chromium, where it is installed."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import CHROMIUM, Tab, browser, orange, until

from wildrobot_gym.experiments.settings import ViewSettings
from wildrobot_gym.experiments.view.export import page_of
from wildrobot_gym.experiments.view.session import PolicySession
from wildrobot_gym.training.policy import load_policy

viser = pytest.importorskip("viser")
from wildrobot_gym.experiments.view.web import PolicyPage  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
]
SLIDERS = "document.querySelectorAll('[role=slider]')"


@contextmanager
def playing(page: PolicyPage) -> Iterator[PolicyPage]:
    thread = threading.Thread(target=page.run, daemon=True)
    thread.start()
    try:
        yield page
    finally:
        page.controls.stopped.set()
        thread.join(timeout=30)
        page.close()


def robot_visible(tab: Tab) -> bool:
    return orange(tab.picture()) > 400


def click(tab: Tab, text: str) -> None:
    found = f"[...document.querySelectorAll('button, label')].find(e => e.textContent === '{text}')"
    until(lambda: tab.evaluate(f"!!{found}"), text)
    tab.evaluate(f"{found}.click()")


def test_sliders_of_every_viewer_command_the_robot(clip_session, tmp_path: Path) -> None:
    with playing(PolicyPage(clip_session, port=8231)) as page:
        url = page.stage.url
        assert url.startswith("http://127.0.0.1:82")
        with pytest.raises(ConnectionRefusedError):  # no other address of this machine answers
            socket.create_connection(("127.0.0.2", page.stage.server.get_port()), timeout=10)
        with browser(tmp_path, url, url) as (first, second):
            drive(page, clip_session, first, second)


def drive(page: PolicyPage, clip_session: Any, first: Tab, second: Tab) -> None:
    """Use the sliders and buttons of two viewers."""
    for tab in (first, second):
        until(lambda tab=tab: robot_visible(tab), "the robot")
    until(lambda: first.evaluate(f"{SLIDERS}.length") >= 2, "sliders")
    first.evaluate(f"{SLIDERS}[0].focus()")
    first.key("End")
    until(lambda: clip_session.command[0] == pytest.approx(0.8), "a greater command")
    shown = f"{SLIDERS}[0].ariaValueNow"
    until(lambda: float(second.evaluate(shown)) == pytest.approx(0.8), "the other viewer")
    moving = clip_session.x
    until(lambda: clip_session.x > moving + 0.2, "motion")
    first.evaluate(f"{SLIDERS}[0].focus()")
    first.key("Home")
    until(lambda: clip_session.command[0] == 0.0, "the lowest command")
    click(second, "left")
    until(lambda: clip_session.pushes, "a push")
    assert clip_session.pushes == [(0.0, 1.0)]
    click(second, "Single step")
    until(lambda: page.controls.paused and page.controls.steps == 0, "a pause")
    steps = clip_session.steps
    time.sleep(0.5)
    assert clip_session.steps == steps
    click(first, "Single step")
    until(lambda: clip_session.steps == steps + 1, "one step")
    before = first.picture()
    assert first.errors == second.errors == []
    page.session.x += 0.5  # the camera follows: the picture stays, but for the floor
    click(first, "Single step")
    until(lambda: clip_session.steps == steps + 2, "one more step")
    time.sleep(2.0)
    assert abs(orange(first.picture()) - orange(before)) < 0.3 * orange(before)


def test_the_shipped_policy_walks_in_the_browser(tmp_path: Path) -> None:
    session = PolicySession(load_policy("walk"), (0.4, 0.0, 0.0))
    assert set(session.ranges) == {"vx"}  # it was not trained to turn
    page = PolicyPage(session, port=8241)
    page._show_ghost.value = True
    with playing(page), browser(tmp_path, page.stage.url) as (tab,):
        until(lambda: robot_visible(tab), "the robot")
        tab.evaluate(f"{SLIDERS}[0].focus()")
        tab.key("End")
        until(lambda: session.command[0] == pytest.approx(session.ranges["vx"][1]), "full speed")
        until(lambda: session.snapshot.forward_velocity > 0.5, "speed")
        snapshot = session.snapshot
        assert snapshot.ghost is not None and snapshot.score is not None
        assert {"tracking_lin_vel", "slip"} <= set(snapshot.terms)
        assert snapshot.falls == 0
        click(tab, "Plots")
        until(lambda: tab.evaluate("document.querySelectorAll('img').length") >= 4, "plots")
        lines = page._charts["Discriminator score"].lines()
        assert np.isfinite(lines["score"]).sum() > 10


def test_an_exported_page_plays_without_python(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(page_of(load_policy("walk"), ViewSettings(seconds=1.0)))
    with browser(tmp_path, file.as_uri()) as (tab,):
        until(lambda: robot_visible(tab), "the robot")
        tab.evaluate("setPlaying(false); player.time = 0; draw()")
        start = tab.picture()
        tab.evaluate("player.time = 0.8; draw()")
        later = tab.picture()
        assert (start != later).any(axis=-1).mean() > 0.01
        assert tab.evaluate("walks.length") == 5
        assert tab.errors == []
