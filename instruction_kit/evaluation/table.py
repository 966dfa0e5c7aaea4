"""Those tables for the terminal: a report goes in, something that rich prints comes out, readable at 80 columns.

For the width some columns are left to the report's files: the number of tasks, the majority baseline, and the interval
of a change.
"""

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table

from instruction_kit.evaluation.grid import Grid, overview, task_lines
from instruction_kit.evaluation.report import Report

LEFT_OUT = {"tasks", "majority", "its 95% interval"}
NARROWEST_NAME = 24


def overview_table(report: Report) -> RenderableType:
    """Make one line for each measured split."""
    return Group(*map(_table, overview(report)))


def report_table(report: Report) -> RenderableType:
    """Make the overview, and for each split one line a cluster and a task."""
    splits = [grid for result in report.splits for grid in task_lines(report, result)]
    return Group(overview_table(report), *map(_table, splits))


def _table(grid: Grid) -> Table:
    shown = [place for place, column in enumerate(grid.columns) if column not in LEFT_OUT]
    has_levels = any(row[0].startswith(" ") for row in grid.rows)
    table = Table(
        title=f"\n{grid.title}",
        title_justify="left",
        title_style="bold",
        header_style="dim",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    for place in shown:
        name = grid.columns[place]
        if place < grid.num_names:
            table.add_column(name, overflow="fold", min_width=NARROWEST_NAME)
        else:
            table.add_column(name, justify="right", no_wrap=True)
    for row in grid.rows:
        is_group = has_levels and not row[0].startswith(" ")
        table.add_row(*(row[place] for place in shown), style="bold" if is_group else "")
    return table
