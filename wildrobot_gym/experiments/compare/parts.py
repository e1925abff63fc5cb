"""Parts of a comparison page: tables, legends and grids of pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from wildrobot_gym.evaluation.plots.inline_svg import Panel
from wildrobot_gym.experiments.compare.run import ComparedRun
from wildrobot_gym.experiments.compare.table import Cell


def run_table(
    caption: str,
    columns: Sequence[ComparedRun],
    rows: Iterable[tuple[str, Iterable[str]]],
    runs: Sequence[ComparedRun] | None = None,
) -> str:
    """A table. Headings are text, cells are HTML; `runs` are all runs, where `columns` are some."""
    order = list(runs or columns)
    head = "".join(f'<th scope="col">{chip(order.index(run), run)}</th>' for run in columns)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + "</tr>"
        for name, cells in rows
    )
    return (
        f'<div class=wide tabindex=0 role=region aria-label="{escape(caption)}">'
        f"<table><caption>{escape(caption)}</caption>"
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def cell_html(cell: Cell) -> str:
    """A cell: mean, interval, number of episodes and mark."""
    interval = f"<small>{escape(cell.interval)}</small>" if cell.interval else ""
    of = f"<br><small>{escape(cell.of)}</small>" if cell.of else ""
    mark = f"<mark>{escape(cell.mark)}</mark>" if cell.mark else ""
    return f"<b>{escape(cell.mean)}</b> {interval}{of}{mark}"


def legend(runs: Sequence[ComparedRun], notes: Sequence[str] | None = None, more: str = "") -> str:
    """Names and colors of the runs, each with a note; `more` items are HTML."""
    texts = [f": {escape(note)}" for note in notes] if notes else [""] * len(runs)
    items = "".join(
        f"<li>{chip(i, run)}{note}</li>"
        for i, (run, note) in enumerate(zip(runs, texts, strict=True))
    )
    return f"<ul class=legend>{items}{more}</ul>"


def chip(number: int, run: ComparedRun) -> str:
    """Color, number and name of a run."""
    color = f'<span class=chip style="background:var(--run{number})" aria-hidden="true"></span>'
    return f"{color}{number + 1} {escape(run.name)}"


def grid(panels: Sequence[Panel]) -> str:
    """Pictures beside each other, each with its heading."""
    figures = "".join(
        f"<figure>{panel.svg}<figcaption>{escape(panel.title)}</figcaption></figure>"
        for panel in panels
    )
    return f"<div class=grid>{figures}</div>"
