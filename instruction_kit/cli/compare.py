"""`compare` in tables: what was compared, then a table for each split and kind of figure."""

from collections.abc import Iterator
from pathlib import Path

from rich.console import RenderableType

from instruction_kit.cli.console import RIGHT, table
from instruction_kit.evaluation.compare import Comparison
from instruction_kit.evaluation.comparison_grid import comparison_grids, run_grid
from instruction_kit.evaluation.comparison_page import comparison_page
from instruction_kit.evaluation.grid import Grid


def comparison_tables(comparison: Comparison) -> Iterator[RenderableType]:
    """The runs, then their figures."""
    yield _table(run_grid(comparison))
    yield from map(_table, comparison_grids(comparison))


def write_page(comparison: Comparison, path: Path) -> None:
    """Write the page beside its name, then rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(comparison_page(comparison), encoding="utf-8")
    part.replace(path)


def _table(grid: Grid) -> RenderableType:
    columns = [name if place < grid.num_names else f"{RIGHT}{name}" for place, name in enumerate(grid.columns)]
    return table(columns, grid.rows, title=grid.title)
