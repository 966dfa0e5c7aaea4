"""How long the pairs of a task are about to be, before any is rendered.

In: how much text the fields of a task's rows hold, which a scan counts as it reads. Out: tokens of a pair in each
setting, from a row of average length under each phrasing. A token is taken for four bytes of UTF-8, whichever
tokenizer it will be; what was written in the end is counted alike and stands beside it in the manifest.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import cycle
from typing import TYPE_CHECKING, Any

import polars as pl

from instruction_kit.build.rowid import HASH, ROW
from instruction_kit.exemplar.arrangement import ARRANGEMENTS, Shown
from instruction_kit.render.listing import Listing
from instruction_kit.render.render import Prompting, render
from instruction_kit.render.setting import Setting, parse_setting
from instruction_kit.schema.columns import frame_schema
from instruction_kit.schema.field import Choice, Label
from instruction_kit.schema.turn import Turn
from instruction_kit.task.task import Task
from instruction_kit.template.environment import RowProblem
from instruction_kit.template.style import STYLES, variants
from instruction_kit.template.template import Template

if TYPE_CHECKING:
    from instruction_kit.mixture import Mixture

BYTES_PER_TOKEN = 4
"""About what tokenizers make of English; UTF-8 takes more bytes for scripts of which they make more tokens."""

NUM_STYLES = 4
"""So many styles of listing options stand for all."""

Counts = tuple[int, int, int]
"""Of one field: rows that have it, texts in these (more than rows for a list), and their bytes."""


@dataclass
class Sizes:
    """What the fields of some rows hold."""

    rows: int = 0
    fields: dict[str, Counts] = field(default_factory=dict)

    def add_all(self, other: "Sizes") -> None:
        """Count those of others in."""
        self.add(other.rows, other.fields)

    def add(self, rows: int, fields: Mapping[str, Iterable[int]]) -> None:
        """Count further rows in."""
        self.rows += rows
        for name, counts in fields.items():
            before = self.fields.get(name, (0, 0, 0))
            present, texts, size = (old + new for old, new in zip(before, counts, strict=True))
            self.fields[name] = (present, texts, size)

    @classmethod
    def of(cls, frame: pl.DataFrame) -> "Sizes":
        """Those of a frame of examples."""
        found = {name: _counts(frame[name]) for name in frame.columns if name not in (ROW, HASH)}
        return cls(frame.height, {name: counts for name, counts in found.items() if counts})


def _counts(column: pl.Series) -> Counts | None:
    present = column.len() - column.null_count()
    if isinstance(column.dtype, pl.List):
        column = column.drop_nulls().explode()
    if isinstance(column.dtype, pl.Struct):
        names = [part.name for part in column.dtype.fields]
        column = column.struct.field("content") if "content" in names else column
    return (present, column.len() - column.null_count(), _bytes(column)) if column.dtype == pl.String else None


def _bytes(texts: pl.Series) -> int:
    return int(texts.str.len_bytes().sum())


def expected_tokens(mixture: "Mixture", name: str, sizes: Sizes) -> dict[str, float]:
    """Tokens of one training pair of a task, by setting; nothing where its rows hold no text that can be counted."""
    part, measure, found = mixture.part(name), _Measure(mixture, name, sizes), {}
    for key in part.settings:
        setting = parse_setting(key)
        lengths = [measure.pair(template, setting) for template in mixture.serving(name, setting)]
        if any(lengths):
            one = sum(lengths) / len(lengths)
            shots = sum(part.exemplars.num) / 2 if setting.few_shot else 0
            found[key] = min((one * (1 + shots) + _around(shots)) / BYTES_PER_TOKEN, _most(mixture))
    return found


def _around(shots: float) -> float:
    """Bytes of what parts so many exemplars, over all arrangements that pairs draw from."""
    rounds = [Shown("", "", "")] * round(shots)
    return sum(len(one.text(rounds)) for one in ARRANGEMENTS) / len(ARRANGEMENTS) if rounds else 0.0


def _most(mixture: "Mixture") -> float:
    budget = mixture.budget
    if budget is None:
        return float("inf")
    return budget.tokens if budget.tokens is not None else (budget.characters or 0) / BYTES_PER_TOKEN


class _Measure:
    """How long an average row of a task is under its templates."""

    def __init__(self, mixture: "Mixture", name: str, sizes: Sizes) -> None:
        self._task, self._joiner = mixture.chosen[name], mixture.joiner
        self._rows = _average_rows(self._task, sizes)
        self._listings = _listings(mixture, self._task)
        self._known: dict[tuple[str, bool], float] = {}

    def pair(self, template: Template, setting: Setting) -> float:
        """Bytes of a pair; 0 where the average row lacks what this phrasing prints."""
        place = (template.name, setting.options)
        if place not in self._known:
            sizes = [
                self._size(row, template, setting, listing) for row, listing in zip(cycle(self._rows), self._listings)
            ]
            self._known[place] = sum(sizes) / len(sizes)
        return self._known[place]

    def _size(self, row: Mapping[str, Any], template: Template, setting: Setting, listing: Listing) -> int:
        prompting = Prompting(self._joiner)
        try:
            pair = render(
                row, template=template, setting=setting, task=self._task, prompting=prompting, listing=listing
            )
        except RowProblem:
            return 0
        return len(pair.prompt.encode()) + len(pair.completion.encode())


def _listings(mixture: "Mixture", task: Task) -> list[Listing]:
    """Some of the styles that pairs draw from, from first to last; one where nothing is listed."""
    drawn = mixture.part(task.name).option_styles
    styles = list(STYLES) if drawn == "all" else list(drawn)
    if not task.has_options:
        return [Listing()]
    step = -(-len(styles) // NUM_STYLES)
    kinds = [variants(name) for name in styles[::step]]
    return [Listing(None, kind[place % len(kind)]) for place, kind in enumerate(kinds)]


def _average_rows(task: Task, sizes: Sizes) -> list[dict[str, Any]]:
    """Rows whose texts are as long, and whose lists hold as many, as on average; what most rows lack, they lack.

    One for each class, where the answer is one.
    """
    row: dict[str, Any] = dict.fromkeys(task.schema.model_fields)
    types = frame_schema(task.schema)
    target, turns = task.schema.target, task.schema.turns_field()
    for name, (present, texts, size) in sizes.fields.items():
        if 2 * present < sizes.rows or not texts:
            continue
        text, many = "x" * max(1, round(size / texts)), round(texts / present)
        if name == turns:
            row[name] = [Turn(role="user", content=text).model_dump()] * many
        else:
            row[name] = [text] * many if isinstance(types.get(name), pl.List) else text
    if isinstance(target, Choice):
        row[target.answer] = 0
    return [row | {target.field: name} for name in task.classes] if isinstance(target, Label) else [row]
