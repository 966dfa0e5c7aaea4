"""Every phrasing behind exemplars: whether there are any, what they give away, and how all of it reads.

In: a task, the rows of its sample, and what its phrasings made of them in zero-shot settings. Out: what is wrong with
the prompts that a build makes of these in few-shot settings. What was looked at in a zero-shot pair is not looked at
again: exemplars that are written by hand are, and the whole.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from instruction_kit.exemplar.arrangement import ARRANGEMENTS, Shown
from instruction_kit.exemplar.prompt import CONVERSATION
from instruction_kit.render.render import Prompting
from instruction_kit.render.setting import ExemplarSource, Setting, serves
from instruction_kit.review.answer import common_outputs, given_away, pair_flaws
from instruction_kit.review.asked import Asked, Rendered
from instruction_kit.review.finding import Flaw
from instruction_kit.review.masked import Masked, Shape, masked, masked_values, shape
from instruction_kit.review.rows import Rows
from instruction_kit.review.showing import Showing
from instruction_kit.review.wording import wording_flaws
from instruction_kit.task.task import Task
from instruction_kit.template.environment import RowProblem
from instruction_kit.template.template import Template

JOINER = Prompting().joiner


class Told(NamedTuple):
    """A flaw of one phrasing, and where it shows."""

    template: str
    where: str
    """Setting, and line of a sample or of hand-written exemplars."""
    flaw: Flaw


def few_shot_flaws(task: Task, rows: Rows, made: Sequence[Rendered]) -> Iterator[Told]:
    """All of it; of exemplars from rows first."""
    sources: list[ExemplarSource] = ["rows", "file"] if task.exemplar_path else ["rows"]
    for source in sources:
        showing = Showing(task, rows, made, source)
        if source == "rows" and not showing.own.rows:
            continue  # that is told of the sample
        shapes = _Shapes(showing, rows)
        for one in made:
            setting = replace(one.setting, few_shot=True)
            if serves(one.template, setting, task=task, exemplars=source, measured=True):
                yield from _told(one, showing, _Masks(task, one.template, setting, shapes), rows)


def _told(made: Rendered, showing: Showing, masks: "_Masks", rows: Rows) -> Iterator[Told]:
    name, setting = made.template.name, masks.setting
    if showing.source == "file":
        yield from (Told(name, f"{setting}, {where}", flaw) for where, flaw in _written(showing, masks))
    common = common_outputs(pair for _, pair in made.asked)
    for asked in made.asked:
        where = f"{setting}, {rows.path.name}:{asked.row.line}"
        yield from (Told(name, where, flaw) for flaw in _flaws(asked, showing, masks, common))


class _Shapes:
    """The shapes of all rows and exemplars, numbered."""

    def __init__(self, showing: Showing, rows: Rows) -> None:
        self.examples: list[Mapping[str, Any]] = []
        """Of each shape, the first of its kind."""
        self._numbers: dict[Shape, int] = {}
        task = showing.task
        self.asked = {(row.split, row.name): self._number(row.example, task) for row in rows.usable}
        self.shown = {name: number for (split, name), number in self.asked.items() if split == showing.split}
        written = zip(showing.file.rows, showing.file.examples, strict=True)
        self.shown |= {name: self._number(example, task) for name, example in written}

    def _number(self, example: Mapping[str, Any], task: Task) -> int:
        found = self._numbers.setdefault(shape(example, task), len(self.examples))
        if found == len(self.examples):
            self.examples.append(example)
        return found


class _Masks:
    """One phrasing in one setting over each shape, and what was looked at of it."""

    def __init__(self, task: Task, template: Template, setting: Setting, shapes: _Shapes) -> None:
        self.task, self.template, self.setting, self.shapes = task, template, setting, shapes
        self._made: dict[int, Masked | None] = {}
        self._seen: set[tuple[int, ...]] = set()

    def of(self, number: int) -> Masked | None:
        """The phrasing over one shape."""
        if number not in self._made:
            options = self.setting.options
            values = masked_values(self.shapes.examples[number], self.task, template=self.template, options=options)
            self._made[number] = masked(self.template, values)
        return self._made[number]

    def flaws(self, said: Masked) -> Iterator[Flaw]:
        """What is wrong with its words."""
        listed, languages = self.setting.options and self.task.has_options, self.template.front.languages
        yield from wording_flaws(said, has_options=self.task.has_options, listed=listed, languages=languages)

    def whole(self, shown: Sequence[str], asked: int) -> Iterator[Flaw]:
        """What is wrong with the words of a question behind exemplars, looked at once for the shapes of all of them."""
        numbers = (*(self.shapes.shown[name] for name in shown), asked)
        if numbers in self._seen:
            return
        self._seen.add(numbers)
        masks = [self.of(number) for number in numbers]
        parts = [part for part in masks if part]
        if len(parts) == len(masks):
            *before, question = parts
            head = ARRANGEMENTS[0].text([Shown("", part.prompt + JOINER, part.output) for part in before])
            yield from self.flaws(Masked(head + question.prompt, question.output))


def _written(showing: Showing, masks: _Masks) -> Iterator[tuple[str, Flaw]]:
    """What is wrong with exemplars that are written by hand, as far as they can stand in this phrasing."""
    for place, name in enumerate(showing.file.rows):
        pair = showing.written(place, masks.template, masks.setting)
        if pair is None:
            continue
        flaws = [*pair_flaws(pair, masks.template, masks.setting, showing.task)]
        if said := masks.of(masks.shapes.shown[name]):
            flaws += masks.flaws(said)
        yield from ((name, flaw) for flaw in flaws)


def _flaws(asked: Asked, showing: Showing, masks: _Masks, common: Collection[str]) -> Iterator[Flaw]:
    try:
        pair = showing.pair(asked, masks.template, masks.setting)
    except RowProblem as problem:
        if str(problem) != CONVERSATION:  # such a row takes another setting
            yield Flaw("no_exemplar", f"finds no exemplar for every row: {_no_exemplar(showing)}")
        return
    yield from given_away(pair, masks.template, showing.task, common)
    shown = [one["row"] for one in pair.exemplars]
    yield from masks.whole(shown, masks.shapes.asked[asked.row.split, asked.row.name])


def _no_exemplar(showing: Showing) -> str:
    of = f"row of {showing.split}" if showing.source == "rows" else "exemplar of the file"
    return f"no other {of} has another input and can stand here"
