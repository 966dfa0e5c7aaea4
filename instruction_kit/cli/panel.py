"""One pair on the terminal: options in colour in its prompt, the answer marked in its output, how long both are.

In: a rendered pair. Out: a panel. Between prompt and output stands a template's own separator, since without colour
nothing else tells them apart.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from instruction_kit.render.listing import Listing
from instruction_kit.render.pair import Pair
from instruction_kit.render.setting import Setting
from instruction_kit.template.style import answers, block, items
from instruction_kit.template.template import Template

SEPARATOR = "|||"
MIN_WIDTH = 38
"""Of a panel that stands beside another."""
BEFORE, OPTIONS, RIGHT, OUTPUT, ANSWER = "dim", "cyan", "bold green", "green", "bold reverse green"

Counts = Callable[[str], int]


class Measure(NamedTuple):
    """What lengths are counted in."""

    unit: str
    count: Counts


def pair_panel(pair: Pair | str, template: Template, setting: Setting, *, measures: Sequence[Measure]) -> Panel:
    """A pair, or why there is none."""
    shown = Text(f"this row cannot stand here: {pair}", "red") if isinstance(pair, str) else _shown(pair, template)
    if isinstance(pair, Pair):
        told = (f"{m.count(pair.prompt)} + {m.count(pair.completion)} {m.unit}" for m in measures)
        shown.append(f"\n\n{', '.join(told)}", "dim")
    named = {"title_align": "left", "subtitle_align": "right"}
    return Panel(shown, title=Text(template.name), subtitle=Text(str(setting)), **named)  # type: ignore[arg-type]


def _shown(pair: Pair, template: Template) -> Text:
    prompt = Text(pair.prompt.rstrip("\n"))
    prompt.stylize(BEFORE, 0, pair.question_start)
    _mark_options(prompt, pair, template)
    completion = Text(pair.completion, OUTPUT)
    if pair.answer_start is not None:
        completion.stylize(ANSWER, pair.answer_start, pair.answer_end)
    return Text.assemble(prompt, "\n", (f"{SEPARATOR}\n", "dim"), completion)


def _mark_options(prompt: Text, pair: Pair, template: Template) -> None:
    """The list of the question itself, and in it the option that is right."""
    style = Listing().style_of(template)
    listed = block(pair.options, style)
    start = prompt.plain.rfind(listed, pair.question_start) if listed else -1
    if start < 0:
        return
    prompt.stylize(OPTIONS, start, start + len(listed))
    if pair.answer_start is None:
        return
    said, place = pair.completion[pair.answer_start : pair.answer_end], len(style.start)
    for item, answer in zip(items(pair.options, style), answers(pair.options, style, listed=True), strict=True):
        place = listed.index(item, place)  # one option may hold the words of another
        if answer.strip() == said:
            prompt.stylize(RIGHT, start + place, start + place + len(item))
        place += len(item)


def side_by_side(panels: Sequence[Panel], width: int) -> RenderableType:
    """As many beside each other as have room."""
    number = max(1, min(len(panels), width // MIN_WIDTH))
    grid = Table.grid(expand=True)
    for _ in range(number):
        grid.add_column(ratio=1)
    for first in range(0, len(panels), number):
        grid.add_row(*panels[first : first + number])
    return grid
