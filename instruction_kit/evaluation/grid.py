"""A report as tables of text: a report goes in, titled grids come out, for Markdown and for the terminal alike.

Accuracies are in percent with one decimal, log-likelihoods in nats a token with three. A model alone has one column;
with a baseline the columns are before, after and the change.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from instruction_kit.evaluation.report import (
    BASELINE,
    MODEL,
    TITLES,
    Figure,
    GroupResult,
    Measure,
    Report,
    SplitResult,
    TaskResult,
)

NAMES: Mapping[Measure, str] = {
    "accuracy": "Rank accuracy, %",
    "log_likelihood": "Log-likelihood of the reference, nats a token",
}
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
    for measure, title in NAMES.items():
        lines = [
            (TITLES[result.split], str(group.num_tasks), str(group.num_rows), *_figures(group), *_baselines(group))
            for result in report.splits
            for group in result.overall
            if group.measure == measure
        ]
        columns = ("", "tasks", "rows", *_figure_columns(report), *_baseline_columns(measure))
        grids.append(Grid(title, columns, 1, tuple(lines)))
    return [grid for grid in grids if grid.rows]


def task_lines(report: Report, result: SplitResult) -> list[Grid]:
    """Make one line a cluster with a line for each of its tasks below it."""
    grids = []
    for measure, title in NAMES.items():
        lines = []
        for group in (group for group in result.clusters if group.measure == measure):
            lines.append((group.cluster or "", str(group.num_rows), *_figures(group), *_baselines(group)))
            lines.extend(
                (f"  {task.task}", str(task.num_rows), *_figures(task), *_baselines(task))
                for task in _members(result, group)
            )
        columns = ("cluster, task", "rows", *_figure_columns(report), *_baseline_columns(measure))
        grids.append(Grid(f"{TITLES[result.split]}: {title}", columns, 1, tuple(lines)))
    return [grid for grid in grids if grid.rows]


def clusters(report: Report, result: SplitResult, *, measure: Measure) -> Grid:
    """Make one line a cluster."""
    columns = ("cluster", "tasks", "rows", *_figure_columns(report), *_baseline_columns(measure))
    lines = (
        (group.cluster or "", str(group.num_tasks), str(group.num_rows), *_figures(group), *_baselines(group))
        for group in result.clusters
        if group.measure == measure
    )
    return Grid("Clusters", columns, 1, tuple(lines))


def tasks(report: Report, result: SplitResult, *, measure: Measure) -> Grid:
    """Make one line a task, with its spread over templates."""
    spread = ("templates", "lowest", "highest", "std. dev.")
    columns = ("cluster", "task", "rows", *_figure_columns(report), *spread, *_baseline_columns(measure))
    lines = (
        (task.cluster, task.task, str(task.num_rows), *_figures(task), *_spread(task), *_baselines(task))
        for task in result.tasks
        if task.measure == measure
    )
    return Grid("Tasks: mean and spread over templates", columns, 2, tuple(lines))


def templates(report: Report, result: SplitResult, *, measure: Measure) -> Grid:
    """Make one line a phrasing of each task."""
    columns = ("task", "template", "setting", "rows", *_figure_columns(report))
    lines = (
        (task.task, of.template, of.setting, str(of.num_rows), *_cells(of.figures, measure))
        for task in result.tasks
        if task.measure == measure
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


def number(value: float | None, measure: Measure, *, signed: bool = False) -> str:
    """Write a figure, in percent where it is an accuracy.

    >>> number(0.5, "accuracy"), number(-1.25, "log_likelihood"), number(0.021, "accuracy", signed=True)
    ('50.0', '-1.250', '+2.1')
    """
    if value is None:
        return NONE
    sign = "+" if signed else ""
    return f"{100 * value:{sign}.1f}" if measure == "accuracy" else f"{value:{sign}.3f}"


def _members(result: SplitResult, group: GroupResult) -> Iterable[TaskResult]:
    return (task for task in result.tasks if task.cluster == group.cluster and task.measure == group.measure)


def _figure_columns(report: Report) -> tuple[str, ...]:
    return ("before", "after", "95% interval", "change") if BASELINE in report.models else ("mean", "95% interval")


def _baseline_columns(measure: Measure) -> tuple[str, ...]:
    return ("chance", "majority") if measure == "accuracy" else ()


def _figures(result: TaskResult | GroupResult) -> tuple[str, ...]:
    return _cells(result.figures, result.measure)


def _cells(figures: Mapping[str, Figure], measure: Measure) -> tuple[str, ...]:
    """Fill the columns of `_figure_columns`; the interval is the measured model's."""
    after = figures[MODEL]
    interval = NONE if after.low is None else f"{number(after.low, measure)} to {number(after.high, measure)}"
    if BASELINE not in figures:
        return (number(after.mean, measure), interval)
    before = figures[BASELINE].mean
    change = number(after.mean - before, measure, signed=True)
    return (number(before, measure), number(after.mean, measure), interval, change)


def _spread(task: TaskResult) -> tuple[str, ...]:
    spread = task.spread[MODEL]
    found = (spread.min, spread.max, spread.standard_deviation)
    return (str(len(task.templates)), *(number(value, task.measure) for value in found))


def _baselines(result: TaskResult | GroupResult) -> tuple[str, ...]:
    if result.measure != "accuracy":
        return ()
    return (number(result.chance, "accuracy"), number(result.majority, "accuracy"))


def _first_names(rows: Sequence[str]) -> str:
    return ", ".join(rows[:NUM_NAMED]) + (", …" if len(rows) > NUM_NAMED else "")
