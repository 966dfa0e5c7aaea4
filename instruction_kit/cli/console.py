"""Where the command writes: results to standard output, everything about the work to standard error.

On a terminal a table is as wide as that; where a program reads it, it is as wide as it needs, so that each line of it
is a line and no name is cut in two.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from instruction_kit.command import Output, write

out = Output()
err = Output(stderr=True)

RIGHT = ">"
"""Begins the name of a column of numbers."""


def show(*parts: RenderableType) -> None:
    """Print tables and lines to standard output."""
    for part in parts:
        if out.is_terminal:
            out.print(part)
        else:
            need = Measurement.get(out, out.options.update(max_width=100_000), part).maximum
            Output(file=out.file, width=max(out.width, need), color_system=None).print(part)


def show_json(value: Any) -> None:
    """Print plain data to standard output, as UTF-8 and with nothing added."""
    write(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "") -> RenderableType:
    """Names fold and numbers do not; nothing in a cell is markup."""
    made = Table(
        header_style="dim",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    for name in columns:
        if name.startswith(RIGHT):
            made.add_column(name.removeprefix(RIGHT), justify="right", no_wrap=True)
        else:
            made.add_column(name, overflow="fold")
    for row in rows:
        made.add_row(*map(Text, row))
    return Group(Text(f"\n{title}", style="bold"), made) if title else made
