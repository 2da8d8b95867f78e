"""How commands print for people: names and values come out letter for letter and whole, however narrow the terminal is."""

from __future__ import annotations

import os
import sys

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

PIPE_WIDTH = 200
"""Columns where nobody said how many there are: in a pipe, a file, a log."""


def create_console() -> Console:
    """Standard output. Brackets and colons are what they are: names of models, addresses and keys are full of them."""
    known = (sys.stdout and sys.stdout.isatty()) or "COLUMNS" in os.environ  # a service may have no standard output
    return Console(markup=False, emoji=False, highlight=False, width=None if known else PIPE_WIDTH)


def create_table(*headings: str, numbers: tuple[str, ...] = (), title: str | None = None, caption: str | None = None) -> Table:
    """An empty table; what does not fit goes on in the next line of its cell.

    :param numbers: further headings, of columns that are aligned to the right
    :param caption: stands below it
    """
    table = Table(title=title, title_justify="left", caption=caption, caption_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for heading in numbers:
        table.add_column(heading, justify="right", overflow="fold")
    return table
