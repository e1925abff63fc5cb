"""Pictures as SVG inside an HTML page, in the colors of its style sheet."""

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

# Placeholder colors that are found again in matplotlib's text.
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
    """A picture as HTML, and its heading as plain text."""

    title: str
    svg: str


@contextmanager
def drawing(
    width: float,
    height: float,
    mosaic: list[list[str]] | None = None,
    heights: list[float] | None = None,
) -> Iterator[tuple[Any, Any]]:
    """A figure of that size in inches and its axes, in the colors of the page.

    With a `mosaic` of names, in rows of these relative heights, the axes are a dictionary by name.
    """
    plt = pyplot()
    with plt.rc_context(_SETTINGS):
        layout = mosaic or [["only"]]
        figure, axes = plt.subplot_mosaic(
            layout, figsize=(width, height), layout="constrained", height_ratios=heights
        )
        for axis in axes.values():
            axis.grid(alpha=0.2, linewidth=0.6)
            axis.set_axisbelow(True)
        try:
            yield figure, axes if mosaic else axes["only"]
        finally:
            plt.close(figure)


def inline_svg(figure: Any, key: str, description: str) -> str:
    """A figure as an `svg` element that refers to nothing outside the page.

    Numbers are cut to a hundredth of a point.

    Args:
        figure: A matplotlib figure.
        key: A name that is unique on the page.
        description: Text that stands for the picture in a screen reader.
    """
    stream = io.StringIO()
    figure.savefig(stream, format="svg", transparent=True)
    text = stream.getvalue()
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text)
    width, height = box.groups()  # type: ignore[union-attr]
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
