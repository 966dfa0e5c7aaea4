"""Charts as inline SVG: lines with marks go in, one `<svg>` comes out; no script, no font and no file is needed.

A line is a cluster or a task, a mark is one model's figure with its interval. Series differ in shape as well as in
colour. Each chart has a title and a description, each mark says its figure where one points at it, and colours are the
page's, so that they follow light and dark.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from instruction_kit.evaluation.markup import Markup, element, joined, wide

WIDTH, NAMES, FIGURES, HEAD, LINE, FOOT = 860, 250, 150, 8, 30, 34
"""Of the drawing: its width, what names and written figures take of it, and heights."""
RADIUS = 5.5
PER_MARK = 12
"""The least height that a mark of a line takes."""
SHAPES = ("circle", "square", "diamond", "triangle", "triangle down", "cross")


class Mark(NamedTuple):
    """One figure."""

    series: int
    value: float
    low: float | None
    high: float | None
    said: str
    """What it says where one points at it."""
    hollow: bool = False


class Key(NamedTuple):
    """One entry of a legend."""

    name: str
    series: int
    hollow: bool = False


class Box(NamedTuple):
    """Quartiles of several figures."""

    lower: float
    median: float
    upper: float


class Line(NamedTuple):
    """One line of a chart."""

    name: str
    level: int
    marks: tuple[Mark, ...] = ()
    written: str = ""
    """Stands to the right."""
    chance: float | None = None
    box: Box | None = None


class Scale(NamedTuple):
    """What the horizontal axis shows."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]

    def at(self, value: float) -> float:
        """Where a value stands, in units of the drawing."""
        share = (value - self.low) / (self.high - self.low)
        return NAMES + (WIDTH - NAMES - FIGURES) * min(1.0, max(0.0, share))


PERCENT = Scale(0, 1, tuple((tick / 4, f"{25 * tick}") for tick in range(5)))


def scale_of(values: Sequence[float], *, factor: float = 1.0) -> Scale:
    """A scale with round ticks around values; `factor` is 100 where they are written in percent.

    >>> scale_of([-0.12, 0.31], factor=100).ticks
    ((-0.2, '-20'), (0.0, '0'), (0.2, '20'), (0.4, '40'))
    """
    low, high = min(values) * factor, max(values) * factor
    wide = (high - low) or abs(high) or 1.0
    step = 10 ** math.floor(math.log10(wide / 2))
    step *= next(by for by in (1, 2, 5, 10) if wide / (step * by) <= 4)
    first, last = math.floor(low / step), math.ceil(high / step)
    last = max(last, first + 1)
    ticks = tuple((number * step / factor, f"{number * step:g}") for number in range(first, last + 1))
    return Scale(ticks[0][0], ticks[-1][0], ticks)


def chart(
    lines: Sequence[Line], scale: Scale, *, title: str, description: str, axis: str, zero: bool = False
) -> Markup:
    """Draw lines under one another; with `zero` a line stands where nothing differs."""
    tall = max(LINE, *(PER_MARK * len(line.marks) for line in lines if not line.box), 0)
    bottom = HEAD + tall * len(lines)
    parts = [element("title", title), element("desc", description), *_grid(scale, bottom, axis)]
    if zero:
        parts.append(_rule(scale.at(0), HEAD, bottom, "zero"))
    for place, line in enumerate(lines):
        parts += _line(line, HEAD + tall * place, tall, scale)
    return element(
        "svg", *parts, viewBox=f"0 0 {WIDTH} {bottom + FOOT}", role="img", aria_label=f"{title}. {description}"
    )


def legend(of: Sequence[Key], *, chance: bool = False) -> Markup:
    """Say which mark is which."""
    keys = [element("span", _sample(key.series, "hollow" if key.hollow else ""), key.name, class_="key") for key in of]
    if chance:
        tick = element("svg", _rule(8, 1, 15, "chance"), viewBox="0 0 16 16", aria_hidden="true")
        keys.append(element("span", tick, "chance", class_="key"))
    return element("p", *keys, class_="legend")


def _sample(series: int, kind: str) -> Markup:
    return element("svg", _shape(series, 8, 8, kind), viewBox="0 0 16 16", aria_hidden="true")


def _grid(scale: Scale, bottom: float, axis: str) -> Iterator[Markup]:
    for value, text in scale.ticks:
        yield _rule(scale.at(value), HEAD, bottom, "grid")
        yield element("text", text, x=scale.at(value), y=bottom + 15, class_="tick")
    middle = (NAMES + WIDTH - FIGURES) / 2
    yield element("text", axis, x=middle, y=bottom + 31, class_="tick")


def _line(line: Line, top: float, tall: float, scale: Scale) -> Iterator[Markup]:
    middle = top + tall / 2
    if not line.level:
        yield element("rect", x=0, y=top + 1, width=WIDTH, height=tall - 2, class_="band")
    weight = "name" if line.level else "name head"
    yield element("text", _shortened(line.name), x=8 + 16 * line.level, y=middle + 4.5, class_=weight)
    if line.box:
        low, high = scale.at(line.box.lower), scale.at(line.box.upper)
        yield element("rect", x=low, y=middle - 8, width=max(1.0, high - low), height=16, class_="box")
        yield _rule(scale.at(line.box.median), middle - 8, middle + 8, "median")
    if line.chance is not None:
        yield _rule(scale.at(line.chance), top + 4, top + tall - 4, "chance")
    rows = list(dict.fromkeys(mark.series for mark in line.marks))  # as they come, from top to bottom
    for mark in line.marks:
        above = (
            (tall - 14) * (rows.index(mark.series) / (len(rows) - 1) - 0.5) if len(rows) > 1 and not line.box else 0.0
        )
        yield _mark(mark, middle + above, scale, "small" if line.box else "hollow" if mark.hollow else "")
    yield element("text", line.written, x=WIDTH - 8, y=middle + 4.5, class_="figure")


def _mark(mark: Mark, y: float, scale: Scale, kind: str) -> Markup:
    parts = [element("title", mark.said)]
    if mark.low is not None and mark.high is not None:
        ends = {"x1": scale.at(mark.low), "x2": scale.at(mark.high), "y1": y, "y2": y}
        parts.append(element("line", **ends, class_=f"bar s{mark.series % len(SHAPES)}"))
    parts.append(_shape(mark.series, scale.at(mark.value), y, kind))
    return element("g", *parts)


def _shape(series: int, x: float, y: float, kind: str) -> Markup:
    """One mark; the class says its colour, the outline which series it is."""
    r = RADIUS * (0.65 if kind == "small" else 1)
    name = " ".join(part for part in ("mark", f"s{series % len(SHAPES)}", kind) if part)
    points = {
        "square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
        "diamond": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
        "triangle": ((0, -1.2), (1.2, 1), (-1.2, 1)),
        "triangle down": ((0, 1.2), (1.2, -1), (-1.2, -1)),
        "cross": ((-1.2, -0.4), (1.2, -0.4), (1.2, 0.4), (-1.2, 0.4)),
    }
    shape = SHAPES[series % len(SHAPES)]
    if shape == "circle" or kind == "small":
        return element("circle", cx=x, cy=y, r=r, class_=name)
    corners = " ".join(f"{x + r * across:.1f},{y + r * down:.1f}" for across, down in points[shape])
    return element("polygon", points=corners, class_=name)


def _rule(x: float, top: float, bottom: float, kind: str) -> Markup:
    return element("line", x1=x, x2=x, y1=top, y2=bottom, class_=kind)


def _shortened(name: str) -> str:
    """As much of a name as stands beside the axes; the table below has it whole."""
    return name if len(name) <= 32 else f"{name[:31]}…"


def figure_of(drawing: Markup, *keys: Markup, caption: str) -> Markup:
    """A chart with its legend and caption."""
    return element("figure", joined(*keys, wide(drawing, label=caption)), element("figcaption", caption))
