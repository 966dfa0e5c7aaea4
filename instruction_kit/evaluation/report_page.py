"""A report as one page: before and after by cluster and task, the spread over templates, and every table.

In: a report. Out: HTML. Every figure of a chart stands in a table below it, so that nothing is told by a drawing alone.
"""

from collections.abc import Iterator, Sequence

from instruction_kit.evaluation.chart import PERCENT, Box, Key, Line, Mark, Scale, chart, figure_of, legend, scale_of
from instruction_kit.evaluation.grid import (
    clusters,
    interval,
    left_out,
    number,
    overview,
    tasks,
    templates,
)
from instruction_kit.evaluation.markdown import READING, run_lines
from instruction_kit.evaluation.markup import Markup, element
from instruction_kit.evaluation.page import folded, items, page, table_of
from instruction_kit.evaluation.report import (
    BASELINE,
    MODEL,
    TITLES,
    Figure,
    GroupResult,
    Kind,
    Report,
    SplitResult,
    TaskResult,
)

_KEYS = {BASELINE: Key("before", 1, hollow=True), MODEL: Key("after", 0)}


def report_page(report: Report) -> str:
    """Write the page."""
    two = BASELINE in report.models
    parts: list[str] = []
    if report.run:
        names = [report.run.models[role] for role in (BASELINE, MODEL) if role in report.run.models]
        parts.append(element("p", " → ".join(names)))
    parts += map(table_of, overview(report))
    for result in report.splits:
        parts += [element("h2", TITLES[result.split]), *_split(report, result)]
    parts += [element("h2", "How to read this"), items(_reading())]
    if report.run:
        parts += [element("h2", "What was measured"), items([line.replace("`", "") for line in run_lines(report.run)])]
    return page("Before and after tuning" if two else "Measurement", *parts)


def _split(report: Report, result: SplitResult) -> Iterator[Markup]:
    for kind in result.kinds:
        if kind.is_headline:
            yield element("h3", kind.title)
            yield _levels(report, result, kind)
            yield _templates(report, result, kind)
        grids = [of(report, result, kind=kind) for of in (clusters, tasks, templates)]
        yield folded(f"{kind.title}: the figures", *map(table_of, grids))
    if result.left_out:
        yield folded("Pairs that were left out, with their reasons", table_of(left_out(result)))


def _levels(report: Report, result: SplitResult, kind: Kind) -> Markup:
    """Each cluster with its tasks: one mark a model."""
    lines = list(_lines(report, result, kind))
    where = TITLES[result.split].lower()
    keys = [_KEYS[BASELINE], _KEYS[MODEL]] if BASELINE in report.models else [Key("model", 0)]
    names = " and ".join(key.name for key in keys)
    drawing = chart(
        lines,
        scale_for(kind, [value for line in lines for value in values(line)]),
        title=f"{kind.title}, {where}",
        description=f"One line for each cluster and task, {names} with 95% intervals.",
        axis=kind.title,
    )
    chance = any(line.chance is not None for line in lines)
    return figure_of(
        drawing, legend(keys, chance=chance), caption="Points: means over templates. Bars: 95% intervals over rows."
    )


def _lines(report: Report, result: SplitResult, kind: Kind) -> Iterator[Line]:
    overall = next(group for group in result.overall if group.kind == kind)
    groups = [group for group in result.clusters if group.kind == kind]
    if len(groups) > 1:
        yield _line("all tasks", 0, overall, report)
    for group in groups:
        yield _line((group.cluster or "").replace("_", " "), 0, group, report)
        for task in result.tasks:
            if (task.cluster, task.kind) == (group.cluster, kind):
                yield _line(task.task, 1, task, report)


def _line(name: str, level: int, of: TaskResult | GroupResult, report: Report) -> Line:
    roles = [role for role in (BASELINE, MODEL) if role in report.models]
    keys = [_KEYS[role] if len(roles) > 1 else Key("model", 0) for role in roles]
    marks = tuple(
        mark_of(key, of.figures[role], of.kind, said=f"{name}, {key.name}")
        for key, role in zip(keys, roles, strict=True)
    )
    written = " → ".join(number(of.figures[role].mean, of.kind) for role in roles)
    return Line(name, level, marks, written, of.chance)


def mark_of(key: Key, figure: Figure, kind: Kind, *, said: str, signed: bool = False) -> Mark:
    """A figure as a mark, which says it in words."""
    told = f"{said}: {number(figure.mean, kind, signed=signed)}"
    if figure.low is not None:
        told += f" ({interval(figure, kind, signed=signed)})"
    return Mark(key.series, figure.mean, figure.low, figure.high, told, key.hollow)


def scale_for(kind: Kind, values: Sequence[float]) -> Scale:
    """From 0 to 100 where a figure is a share, else around what there is."""
    inside = kind.in_percent and min(values) >= 0 and max(values) <= 1
    return PERCENT if inside else scale_of(values, factor=100 if kind.in_percent else 1)


def _templates(report: Report, result: SplitResult, kind: Kind) -> Markup:
    """Each task: a small mark a template, the box from the lower to the upper quartile, its line the median."""
    lines = []
    for task in (task for task in result.tasks if task.kind == kind):
        spread = task.spread[MODEL]
        marks = tuple(
            Mark(0, of.figures[MODEL].mean, None, None, _told(of.template, of.setting, of.figures[MODEL], kind))
            for of in task.templates
        )
        box = Box(spread.lower_quartile, spread.median, spread.upper_quartile)
        ends = dict.fromkeys(number(value, kind) for value in (spread.min, spread.max))
        written = " to ".join(ends)
        lines.append(Line(task.task, 1, marks, written, task.chance, box))
    after = ", after tuning" if BASELINE in report.models else ""
    drawing = chart(
        lines,
        scale_for(kind, [mark.value for line in lines for mark in line.marks]),
        title=f"Spread over templates{after}: {kind.title}",
        description="One line for each task, one point for each template, a box from quartile to quartile.",
        axis=f"{kind.title}, one point a template",
    )
    return figure_of(
        drawing, caption=f"Spread over templates{after}: lowest to highest. Box: quartiles. Line in it: median."
    )


def _told(template: str, setting: str, figure: Figure, kind: Kind) -> str:
    return f"{template}, {setting}: {number(figure.mean, kind)}"


def values(line: Line) -> Iterator[float]:
    """Everything that a line shows."""
    for mark in line.marks:
        yield from (value for value in (mark.value, mark.low, mark.high) if value is not None)
    if line.chance is not None:
        yield line.chance


def _reading() -> list[str]:
    return [" ".join(part.split()) for part in READING.removeprefix("- ").split("\n- ")]
