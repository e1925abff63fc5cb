"""Pictures as SVG inside an HTML page: colours that the page's style sheet sets, and nothing that points out of the page."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from wildrobot_gym.evaluation.plots.gait import pyplot
from wildrobot_gym.evaluation.protocol import MAX_COMPARED

# Stand-ins that no figure uses otherwise, so that they can be found again in matplotlib's text.
INK = "#010203"

RUN_COLORS = tuple(f"#0102{0x10 + i:02x}" for i in range(MAX_COMPARED))

_SETTINGS = {
    "svg.fonttype": "none",
    "svg.hashsalt": "wildrobot",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "path.simplify_threshold": 0.5,  # pixels
    **dict.fromkeys(
        (
            "text.color",
            "axes.edgecolor",
            "axes.labelcolor",
            "xtick.color",
            "ytick.color",
            "grid.color",
        ),
        INK,
    ),
}


@dataclass(frozen=True)
class Panel:
    """A picture and its heading; the heading is plain text, the picture is HTML."""

    title: str
    svg: str


@contextmanager
def drawing(width: float, height: float) -> Iterator[tuple[Any, Any]]:
    """A figure of that many inches and its axes, in the page's colours; closed at the end."""
    plt = pyplot()
    with plt.rc_context(_SETTINGS):
        figure, axis = plt.subplots(figsize=(width, height), layout="constrained")
        axis.grid(alpha=0.2, linewidth=0.6)
        axis.set_axisbelow(True)
        try:
            yield figure, axis
        finally:
            plt.close(figure)


def inline_svg(figure: Any, key: str, description: str) -> str:
    """The figure as an ``svg`` element. ``key`` is its own on the page; ``description`` is read out in the picture's place.

    Numbers are cut to a hundredth of a point, and what refers to another document (type, metadata, name spaces, which HTML
    does not need) is left out.
    """
    stream = io.StringIO()
    figure.savefig(stream, format="svg", transparent=True)
    text = stream.getvalue()
    width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text).groups()  # type: ignore[union-attr]
    body = re.sub(
        r".*?</metadata>\s*(<defs>\s*<style.*?</style>\s*</defs>)?",
        "",
        text,
        count=1,
        flags=re.DOTALL,
    )
    body = re.sub(r'<g id="[^"]*">', "<g>", body)
    body = (
        body.replace('id="', f'id="{key}-')
        .replace('xlink:href="#', f'href="#{key}-')
        .replace("url(#", f"url(#{key}-")
    )
    body = re.sub(r" font-family: [^;\"]*;", "", body).replace(INK, "currentColor")
    for i, color in enumerate(RUN_COLORS):
        body = body.replace(color, f"var(--run{i})")
    body = re.sub(
        r'\b(?:d|x|y|transform|width|height)="[^"]*"',
        lambda m: re.sub(r"(\.\d\d)\d+", r"\1", m[0]),
        body,
    )
    label = html.escape(description)
    return f'<svg role="img" aria-label="{label}" viewBox="0 0 {width} {height}">{body}'
