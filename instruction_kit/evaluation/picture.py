"""A report as a picture: one panel for each split and headline kind, one line a cluster and a task.

A hollow point is the model before tuning, a full one after it, bars are 95% intervals over rows, a tick is chance.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from instruction_kit.canvas import INK, Axes, Line2D, Rectangle, canvas, own_settings, quiet
from instruction_kit.canvas import Figure as Sheet
from instruction_kit.evaluation.grid import number
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

AFTER, BEFORE, CHANCE, BAND = "#1f5fa8", "#8a8f98", "#c0392b", "#f4f6f8"
LINE_INCHES, PANEL_INCHES, HEAD_INCHES, FOOT_INCHES, WIDTH_INCHES = 0.34, 0.95, 0.75, 0.35, 9.0
LEFT, RIGHT = 0.33, 0.83
"""Where the axes begin and end, as shares of the width: names stand to the left, figures to the right."""
NAMES_START, FIGURES_END = (0.02 - LEFT) / (RIGHT - LEFT), (0.98 - LEFT) / (RIGHT - LEFT)
"""Where a line begins and ends, in widths of the axes."""
OFFSET = 0.15
"""How far before and after stand apart within a line, so that their bars do not cover each other."""


class Panel(NamedTuple):
    """One pair of axes."""

    result: SplitResult
    kind: Kind
    lines: list["Line"]

    @property
    def inches(self) -> float:
        """Its height."""
        return PANEL_INCHES + LINE_INCHES * len(self.lines)


class Line(NamedTuple):
    """One line of a panel; a heading has no result."""

    name: str
    level: int
    result: TaskResult | GroupResult | None


def draw(report: Report, path: str | Path) -> None:
    """Draw the report into a PNG file."""
    panels = list(_panels(report))
    height = HEAD_INCHES + FOOT_INCHES + sum(panel.inches for panel in panels)
    with own_settings():
        sheet = canvas(WIDTH_INCHES, height)
        top = height - HEAD_INCHES
        for panel in panels:
            bottom = top - panel.inches
            low = (bottom + 0.6) / height
            axes = sheet.add_axes((LEFT, low, RIGHT - LEFT, (panel.inches - PANEL_INCHES) / height))
            title = TITLES[panel.result.split]
            sheet.text(0.02, (top - 0.2) / height, title, fontsize=11, fontweight="bold", color=INK, va="center")
            _draw_panel(axes, panel)
            top = bottom
        _draw_frame(sheet, report, height)
        sheet.savefig(path, format="png", dpi=150, metadata={"Software": None})


def _panels(report: Report) -> Iterator[Panel]:
    for result in report.splits:
        for group in (group for group in result.overall if group.kind.is_headline):
            yield Panel(result, group.kind, list(_lines(result, group)))


def _lines(result: SplitResult, overall: GroupResult) -> Iterator[Line]:
    """List overall, clusters and tasks; a figure that is that of the line below it is left to that line."""
    clusters = [group for group in result.clusters if group.kind == overall.kind]
    if len(clusters) > 1:
        yield Line("all tasks", 0, overall)
    for cluster in clusters:
        name = (cluster.cluster or "").replace("_", " ")
        yield Line(name, 0, cluster if cluster.num_tasks > 1 else None)
        for task in result.tasks:
            if (task.cluster, task.kind) == (cluster.cluster, cluster.kind):
                yield Line(task.task, 1, task)


def _draw_panel(axes: Axes, panel: Panel) -> None:
    axes.set_ylim(len(panel.lines) - 0.5, -0.5)
    if panel.kind.in_percent:
        axes.set_xlim(0, 1)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100"])
    else:
        axes.locator_params(axis="x", nbins=5)
    axes.set_xlabel(panel.kind.title, fontsize=8.5, color=INK)
    axes.set_yticks([])
    quiet(axes, ticks="x", grid="x")
    for place, line in enumerate(panel.lines):
        _draw_line(axes, place, line)


def _draw_line(axes: Axes, place: int, line: Line) -> None:
    weight = "normal" if line.level else "bold"
    beside = axes.get_yaxis_transform()
    if not line.level:
        corner, width = (NAMES_START - 0.01, place - 0.47), FIGURES_END - NAMES_START + 0.02
        axes.add_patch(
            Rectangle(corner, width, 0.94, transform=beside, color=BAND, clip_on=False, zorder=0, linewidth=0)
        )
    axes.text(
        NAMES_START + 0.03 * line.level,
        place,
        line.name,
        transform=beside,
        va="center",
        fontsize=9,
        fontweight=weight,
        color=INK,
    )
    if line.result is None:
        return
    figures, kind = line.result.figures, line.result.kind
    before, after = figures.get(BASELINE), figures[MODEL]
    if line.result.chance is not None:
        axes.vlines(line.result.chance, place - 0.36, place + 0.36, colors=CHANCE, linewidth=1.6, zorder=2)
    written = number(after.mean, kind)
    if before is None:
        _draw_figure(axes, place, after, full=True)
    else:
        _draw_figure(axes, place - OFFSET, before, full=False)
        _draw_figure(axes, place + OFFSET, after, full=True)
        written = f"{number(before.mean, kind)} → {written}"
    axes.text(1.04, place, written, transform=beside, va="center", fontsize=9, fontweight=weight, color=INK)


def _draw_figure(axes: Axes, place: float, figure: Figure, *, full: bool) -> None:
    color = AFTER if full else BEFORE
    if figure.low is not None and figure.high is not None:
        axes.plot(
            [figure.low, figure.high], [place, place], color=color, linewidth=1.8, solid_capstyle="butt", zorder=3
        )
    face = color if full else "white"
    axes.plot(
        figure.mean, place, "o", markersize=6, markeredgewidth=1.6, color=color, markerfacecolor=face, zorder=4,
        clip_on=False,
    )  # fmt: skip


def _draw_frame(sheet: Sheet, report: Report, height: float) -> None:
    """Write the title, the key, and what the points and bars are."""
    two = BASELINE in report.models
    title = "Before and after tuning" if two else "Measurement"
    sheet.text(0.02, 1 - 0.3 / height, title, fontsize=14, fontweight="bold", color=INK, va="center")
    keys = [
        Line2D([], [], marker="o", color=AFTER, linewidth=1.8, label="after" if two else "model"),
        Line2D([], [], marker="|", color=CHANCE, linestyle="none", markersize=11, markeredgewidth=1.6, label="chance"),
    ]
    if two:
        keys.insert(0, Line2D([], [], marker="o", color=BEFORE, markerfacecolor="white", linewidth=1.8, label="before"))
    sheet.legend(
        handles=keys, loc="center right", bbox_to_anchor=(0.98, 1 - 0.3 / height), ncols=3, frameon=False, fontsize=9
    )
    foot = "Points: mean over templates. Bars: 95% interval over rows."
    sheet.text(0.02, 0.15 / height, foot, fontsize=8, color=BEFORE, va="center")
