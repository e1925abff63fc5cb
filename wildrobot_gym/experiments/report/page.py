"""The page of a report: one run, from its settings to a video of its robot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from wildrobot_gym.experiments.compare import page as compared
from wildrobot_gym.experiments.compare.run import ComparedRun
from wildrobot_gym.experiments.compare.suites import suites_section
from wildrobot_gym.experiments.html_document import Section, document, video_element
from wildrobot_gym.training.events import RunEvent

MAX_EVENTS = 200  # of the page; events.jsonl has all


def page(
    run: ComparedRun,
    verdicts: Mapping[str, float],
    events: Sequence[RunEvent],
    video: Path | None,
    no_video: str,
) -> str:
    """The whole HTML document of a report. Everything that comes from the run is escaped.

    Args:
        run: The run with its benchmark.
        verdicts: Fraction of the iterations with each verdict on the discriminator.
        events: What happened to the discriminator, oldest first.
        video: A video of the robot.
        no_video: Why there is none.
    """
    shown = (
        f"<p>{escape(no_video)}</p>" if video is None else video_element(video, "The robot walks.")
    )
    sections = [
        Section("run", "The run", compared.about([run])),
        Section("video", "Video", shown),
        Section("metrics", "Evaluation", compared.metrics([run])),
        *suites_section([run]),
        Section("health", "Health of the discriminator", _health(verdicts, events)),
        Section("curves", "Learning curves", compared.curves([run])),
        Section("gait", "Gait", compared.gait([run])),
        Section("settings", "Settings", _settings(run)),
    ]
    return document(f"WildRobot: {run.name}", sections)


def _health(verdicts: Mapping[str, float], events: Sequence[RunEvent]) -> str:
    if not verdicts and not events:
        return "<p>No verdicts: the run trained without AMP, or too briefly to judge.</p>"
    rows = [(label, f"{100 * fraction:.0f} %") for label, fraction in verdicts.items()]
    content = _table("Verdicts, by iterations", ("verdict", "iterations"), rows)
    last = events[-MAX_EVENTS:]
    if not last:
        return content
    caption = "Events" if len(last) == len(events) else f"The last {MAX_EVENTS} events"
    lines = [(f"{event.num_timesteps:,}", event.text) for event in last]
    return content + _table(caption, ("environment steps", "what"), lines)


def _settings(run: ComparedRun) -> str:
    if not run.config:
        return "<p>They are not known: the policy has no run directory.</p>"
    rows = [(key, str(value)) for key, value in run.config.items()]
    table = _table("Settings with defaults", ("setting", "value"), rows)
    return f"<details><summary>{len(rows)} settings</summary>{table}</details>"


def _table(caption: str, head: tuple[str, str], rows: Sequence[tuple[str, str]]) -> str:
    heads = "".join(f'<th scope="col">{escape(text)}</th>' for text in head)
    body = "".join(
        f'<tr><th scope="row">{escape(key)}</th><td>{escape(text)}</td></tr>' for key, text in rows
    )
    return (
        f'<div class=wide tabindex=0 role=region aria-label="{escape(caption)}">'
        f"<table><caption>{escape(caption)}</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )
