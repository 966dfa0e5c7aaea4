"""A comparison as tables of text: a comparison goes in, titled grids come out, for the terminal and the page alike."""

from collections.abc import Iterator

from instruction_kit.evaluation.compare import Compared, ComparedSplit, Comparison
from instruction_kit.evaluation.grid import Grid, interval, number
from instruction_kit.evaluation.report import TITLES, Kind


def comparison_grids(comparison: Comparison, *, every_measure: bool = False) -> Iterator[Grid]:
    """Make one table for each split and headline kind: a line for all, each cluster and each task."""
    for result in comparison.splits:
        for kind in (line.kind for line in result.overall):
            if every_measure or kind.is_headline:
                yield _grid(comparison, result, kind)


def run_grid(comparison: Comparison) -> Grid:
    """Make one line a run: what it measured, and how much of that every run did."""
    columns = ("run", "model", "mixture", "pairs", "not in all runs")
    rows = (
        (
            one.name,
            one.run.models["model"] if one.run else "?",
            one.run.dataset[:16] if one.run else "?",
            f"{one.num_pairs:,}",
            f"{one.not_shared:,}",
        )
        for one in comparison.runs
    )
    return Grid("Runs", columns, 3, tuple(rows))


def levels(result: ComparedSplit, kind: Kind) -> Iterator[tuple[str, int, Compared]]:
    """Name and level of all, each cluster, and each of its tasks."""
    yield from (("all tasks", 0, line) for line in result.overall if line.kind == kind)
    for cluster in (line for line in result.clusters if line.kind == kind):
        yield cluster.cluster or "", 0, cluster
        for task in result.tasks:
            if (task.cluster, task.kind) == (cluster.cluster, kind):
                yield task.task or "", 1, task


def _grid(comparison: Comparison, result: ComparedSplit, kind: Kind) -> Grid:
    first, *others = [one.name for one in comparison.runs]
    told = [column for name in others for column in (f"{name} less {first}", "its 95% interval")]
    lines = []
    for name, level, line in levels(result, kind):
        figures = [number(line.figures[run].mean, kind) for run in (first, *others)]
        changes = [
            text
            for run in others
            for text in (
                number(line.differences[run].mean, kind, signed=True),
                interval(line.differences[run], kind, signed=True),
            )
        ]
        chance = [number(line.chance, kind)] if kind.measure.startswith("accuracy") else []
        lines.append((f"{'  ' * level}{name}", str(line.num_rows), *figures, *changes, *chance))
    columns = ("cluster, task", "rows", first, *others, *told)
    chance_column = ("chance",) if kind.measure.startswith("accuracy") else ()
    return Grid(f"{TITLES[result.split]}: {kind.title}", (*columns, *chance_column), 1, tuple(lines))
