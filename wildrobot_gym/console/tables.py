"""Tables that keep their numbers complete in a narrow terminal, where rich would cut them off."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

NAMES_WIDTH = 24
"""Width of a column of metric names, in characters."""


def number_table(
    title: str,
    names: str,
    numbers: Sequence[str],
    caption: str | None = None,
    names_width: int | None = None,
) -> Table:
    """An empty table of numbers.

    Where the terminal is too narrow, the first column folds. The columns of numbers never do.

    Args:
        title: Title above the table.
        names: Heading of the first column.
        numbers: Headings of the columns of numbers.
        caption: Text below the table.
        names_width: Smallest width of the first column, in characters.
    """
    table = Table(title=title, caption=caption, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(names, overflow="fold", min_width=names_width)
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    return table
