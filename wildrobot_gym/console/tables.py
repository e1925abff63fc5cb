"""Tables that keep their numbers whole in a narrow terminal, where rich would cut them off."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

NAMES_WIDTH = 24  # of a column of figures' names


def number_table(
    title: str,
    names: str,
    numbers: Sequence[str],
    caption: str | None = None,
    names_width: int | None = None,
) -> Table:
    """An empty table whose first column, headed ``names``, folds where there is no room (to ``names_width`` characters),
    and whose others never do.
    """
    table = Table(title=title, caption=caption, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(names, overflow="fold", min_width=names_width)
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    return table
