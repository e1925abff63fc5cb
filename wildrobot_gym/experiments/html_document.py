"""An HTML file about runs that loads nothing and runs no script."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from wildrobot_gym.experiments.stylesheet import STYLE

# The browser enforces that nothing is fetched and nothing runs.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:"


@dataclass(frozen=True)
class Section:
    """A part of a document.

    Attributes:
        key: Its anchor, unique in the document.
        heading: Its heading, as HTML.
        content: Its content, as HTML.
    """

    key: str
    heading: str
    content: str


def document(title: str, sections: Sequence[Section]) -> str:
    """The whole HTML document.

    Args:
        title: The title, as plain text.
        sections: What it shows, from top to bottom.
    """
    links = "".join(f'<li><a href="#{s.key}">{s.heading}</a></li>' for s in sections)
    body = "".join(
        f'<section id="{s.key}"><h2>{s.heading}</h2>{s.content}</section>' for s in sections
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n"
        f"<body><header><h1>{escape(title)}</h1>"
        f'<nav aria-label="Sections"><ul>{links}</ul></nav></header>'
        f"<main>{body}</main></body></html>\n"
    )


def video_element(path: Path, description: str) -> str:
    """An .mp4 file as a `video` element that holds the file's bytes."""
    data = base64.b64encode(path.read_bytes()).decode()
    return (
        f'<video controls loop muted playsinline aria-label="{escape(description)}"'
        f' src="data:video/mp4;base64,{data}"></video>'
    )
