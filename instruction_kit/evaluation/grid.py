"""A report as tables of text: a report goes in, titled grids come out, for Markdown and for the terminal alike.

Shares are in percent with one decimal, log-likelihoods and correlations are numbers with three. A model alone has one
column; with a baseline the columns are before, after and the change.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from instruction_kit.evaluation.report import (
    BASELINE,
    MODEL,
    TITLES,
    Best,
    Figure,
    GroupResult,
    Kind,
    Report,
    SplitResult,
    TaskResult,
)

NONE = "-"
NUM_NAMED = 3
"""How many rows that were left out are named in a table; `report.json` names all."""


class Grid(NamedTuple):
    """A table of text; the first `num_names` columns are names, the others numbers."""

    title: str
    columns: tuple[str, ...]
    num_names: int
    rows: tuple[tuple[str, ...], ...]


def overview(report: Report) -> list[Grid]:
    """Make one line a split: what the whole measurement says."""
    grids = []
    for kind in dict.fromkeys(kind for result in report.splits for kind in result.kinds if kind.is_headline):
        lines = [
            (TITLES[result.split], str(group.num_tasks), str(group.num_rows), *_figures(group), *_baselines(group))
            for result in report.splits
            for group in result.overall
            if group.kind == kind
        ]
        columns = ("", "tasks", "rows", *_figure_columns(report), *_baseline_columns(kind))
        grids.append(Grid(kind.title, columns, 1, tuple(lines)))
    return grids


def task_lines(report: Report, result: SplitResult) -> list[Grid]:
    """Make one line a cluster with a line for each of its tasks below it."""
    grids = []
    for kind in (kind for kind in result.kinds if kind.is_headline):
        lines = []
        for group in (group for group in result.clusters if group.kind == kind):
            lines.append((group.cluster or "", str(group.num_rows), *_figures(group), *_baselines(group)))
            lines.extend(
                (f"  {task.task}", str(task.num_rows), *_figures(task), *_baselines(task))
                for task in _members(result, group)
            )
        columns = ("cluster, task", "rows", *_figure_columns(report), *_baseline_columns(kind))
        grids.append(Grid(f"{TITLES[result.split]}: {kind.title}", columns, 1, tuple(lines)))
    return grids


def clusters(report: Report, result: SplitResult, *, kind: Kind) -> Grid:
    """Make one line a cluster."""
    columns = ("cluster", "tasks", "rows", *_figure_columns(report), *_baseline_columns(kind))
    lines = (
        (group.cluster or "", str(group.num_tasks), str(group.num_rows), *_figures(group), *_baselines(group))
        for group in result.clusters
        if group.kind == kind
    )
    return Grid("Clusters", columns, 1, tuple(lines))


def tasks(report: Report, result: SplitResult, *, kind: Kind) -> Grid:
    """Make one line a task, with its spread over templates."""
    spread = ("templates", "lowest", "quartile", "median", "quartile", "highest", "best, chosen on others")
    columns = ("cluster", "task", "rows", *_figure_columns(report), *spread, *_baseline_columns(kind))
    lines = (
        (task.cluster, task.task, str(task.num_rows), *_figures(task), *_spread(task), *_baselines(task))
        for task in result.tasks
        if task.kind == kind
    )
    return Grid("Tasks: mean and spread over templates", columns, 2, tuple(lines))


def templates(report: Report, result: SplitResult, *, kind: Kind) -> Grid:
    """Make one line a phrasing of each task."""
    columns = ("task", "template", "setting", "rows", *_figure_columns(report))
    lines = (
        (task.task, of.template, of.setting, str(of.num_rows), *_cells(of.figures, kind, None))
        for task in result.tasks
        if task.kind == kind
        for of in task.templates
    )
    return Grid("Templates", columns, 3, tuple(lines))


def left_out(result: SplitResult) -> Grid:
    """Make one line for each reason why pairs of a task under a template were not measured."""
    lines = (
        (out.task, out.template, out.setting, out.model, out.reason, _first_names(out.rows), str(len(out.rows)))
        for out in result.left_out
    )
    columns = ("task", "template", "setting", "model", "reason", "rows", "number")
    return Grid("Left out", columns, 6, tuple(lines))


def number(value: float | None, kind: Kind, *, signed: bool = False) -> str:
    """Write a figure, in percent where it is a share.

    >>> accuracy = Kind("rank", "zero_shot", "accuracy")
    >>> number(0.5, accuracy), number(0.021, accuracy, signed=True)
    ('50.0', '+2.1')
    >>> number(-1.25, Kind("likelihood", "zero_shot", "log_likelihood"))
    '-1.250'
    """
    if value is None:
        return NONE
    sign = "+" if signed else ""
    return f"{100 * value:{sign}.1f}" if kind.in_percent else f"{value:{sign}.3f}"


def interval(figure: Figure | None, kind: Kind, *, signed: bool = False) -> str:
    """Write a 95% interval."""
    if figure is None or figure.low is None:
        return NONE
    return f"{number(figure.low, kind, signed=signed)} to {number(figure.high, kind, signed=signed)}"


def _members(result: SplitResult, group: GroupResult) -> Iterable[TaskResult]:
    return (task for task in result.tasks if task.cluster == group.cluster and task.kind == group.kind)


def _figure_columns(report: Report) -> tuple[str, ...]:
    if BASELINE in report.models:
        return ("before", "after", "95% interval", "change", "its 95% interval")
    return ("mean", "95% interval")


def _baseline_columns(kind: Kind) -> tuple[str, ...]:
    return ("chance", "majority") if _has_baselines(kind) else ()


def _has_baselines(kind: Kind) -> bool:
    return kind.measure.startswith("accuracy")


def _figures(result: TaskResult | GroupResult) -> tuple[str, ...]:
    return _cells(result.figures, result.kind, result.difference)


def _cells(figures: Mapping[str, Figure], kind: Kind, difference: Figure | None) -> tuple[str, ...]:
    """Fill the columns of `_figure_columns`; the interval is the measured model's."""
    after = figures[MODEL]
    if BASELINE not in figures:
        return (number(after.mean, kind), interval(after, kind))
    before = figures[BASELINE].mean
    change = number(after.mean - before, kind, signed=True)
    of_change = interval(difference, kind, signed=True)
    return (number(before, kind), number(after.mean, kind), interval(after, kind), change, of_change)


def _spread(task: TaskResult) -> tuple[str, ...]:
    of, best = task.spread[MODEL], task.best.get(MODEL)
    found = (of.min, of.lower_quartile, of.median, of.upper_quartile, of.max)
    return (str(len(task.templates)), *(number(value, task.kind) for value in found), _best(best, task.kind))


def _best(best: Best | None, kind: Kind) -> str:
    return NONE if best is None else number(best.figure.mean, kind)


def _baselines(result: TaskResult | GroupResult) -> tuple[str, ...]:
    if not _has_baselines(result.kind):
        return ()
    return tuple(number(value, result.kind) for value in (result.chance, result.majority))


def _first_names(rows: Sequence[str]) -> str:
    return ", ".join(rows[:NUM_NAMED]) + (", …" if len(rows) > NUM_NAMED else "")
