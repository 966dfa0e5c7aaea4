"""A comparison as one page: figures and differences by cluster and task, and the tables.

In: a comparison. Out: HTML that needs nothing beside it.
"""

from collections.abc import Iterator

from instruction_kit.evaluation.chart import Key, Line, chart, figure_of, legend, scale_of
from instruction_kit.evaluation.compare import ComparedSplit, Comparison
from instruction_kit.evaluation.comparison_grid import comparison_grids, levels, run_grid
from instruction_kit.evaluation.grid import number
from instruction_kit.evaluation.markup import Markup, element
from instruction_kit.evaluation.page import folded, page, table_of
from instruction_kit.evaluation.report import TITLES, Kind
from instruction_kit.evaluation.report_page import mark_of, scale_for, values


def comparison_page(comparison: Comparison) -> str:
    """Write the page."""
    names = [one.name for one in comparison.runs]
    note = f"Figures are over the pairs that every run measured, differences are against {names[0]} over the same rows."
    parts: list[str] = [element("p", note), table_of(run_grid(comparison))]
    for result in comparison.splits:
        parts.append(element("h2", TITLES[result.split]))
        for kind in (line.kind for line in result.overall if line.kind.is_headline):
            parts += [element("h3", kind.title), *_charts(names, result, kind)]
    parts.append(folded("All figures", *map(table_of, comparison_grids(comparison, every_measure=True))))
    return page(" and ".join(names), *parts)


def _charts(names: list[str], result: ComparedSplit, kind: Kind) -> Iterator[Markup]:
    keys = [Key(name, series) for series, name in enumerate(names)]
    lines = [
        Line(
            name.replace("_", " ") if not level else name,
            level,
            tuple(mark_of(key, line.figures[key.name], kind, said=f"{name}, {key.name}") for key in keys),
            " · ".join(number(line.figures[key.name].mean, kind) for key in keys) if len(keys) < 4 else "",
            line.chance,
        )
        for name, level, line in levels(result, kind)
    ]
    drawing = chart(
        lines,
        scale_for(kind, [value for line in lines for value in values(line)]),
        title=kind.title,
        description=f"One line for each cluster and task; a mark with its 95% interval for {', '.join(names)}.",
        axis=kind.title,
    )
    chance = any(line.chance is not None for line in lines)
    yield figure_of(drawing, legend(keys, chance=chance), caption="Points: means over templates. Bars: 95% intervals.")
    yield _differences(names, result, kind)


def _differences(names: list[str], result: ComparedSplit, kind: Kind) -> Markup:
    keys = [Key(f"{name} less {names[0]}", series) for series, name in enumerate(names) if series]
    lines = [
        Line(
            name.replace("_", " ") if not level else name,
            level,
            tuple(
                mark_of(key, line.differences[names[key.series]], kind, said=f"{name}, {key.name}", signed=True)
                for key in keys
            ),
            " · ".join(number(line.differences[names[key.series]].mean, kind, signed=True) for key in keys)
            if len(keys) < 4
            else "",
        )
        for name, level, line in levels(result, kind)
    ]
    drawing = chart(
        lines,
        scale_of([0.0, *(value for line in lines for value in values(line))], factor=100 if kind.in_percent else 1),
        title=f"Differences: {kind.title}",
        description=f"Each run less {names[0]} over the same rows, with 95% intervals; at 0 nothing differs.",
        axis=f"difference, {kind.title}",
        zero=True,
    )
    caption = (
        f"Differences against {names[0]} over the same rows, with 95% intervals. An interval over 0 may be chance."
    )
    return figure_of(drawing, legend(keys), caption=caption)
