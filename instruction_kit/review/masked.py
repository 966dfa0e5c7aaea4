"""A phrasing over a row whose every text is its field's own name: what it says itself, and where it puts what.

In: a template, a task, maybe an example. Out: prompt and output with marks in them. What a phrasing says depends on an
example by little: which fields are there, how long its lists are, its class, and how each text ends. Examples that have
these in common have one shape, and need to be looked at once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from instruction_kit.render.listing import Listing
from instruction_kit.schema.columns import frame_schema
from instruction_kit.schema.field import Choice, Label
from instruction_kit.task.task import Task
from instruction_kit.template.environment import RowProblem
from instruction_kit.template.language import ANSWER, OPTIONS, RATIONALE
from instruction_kit.template.style import block
from instruction_kit.template.template import Template

MARK = re.compile(r"⟦(\w+)⟧")
_STOP = re.compile(r"[.,;:!?…]\Z")
"""What may stand twice where a phrasing puts a stop of its own behind a text."""

Shape = tuple[Any, ...]


def mark(field: str) -> str:
    """What stands where a field is printed."""
    return f"⟦{field}⟧"


@dataclass(frozen=True)
class Masked:
    """Both sides of one phrasing."""

    prompt: str
    output: str

    @property
    def asked(self) -> frozenset[str]:
        """Fields that the output prints."""
        return frozenset(MARK.findall(self.output))

    @property
    def shown(self) -> frozenset[str]:
        """Fields that the prompt prints."""
        return frozenset(MARK.findall(self.prompt))


def masked(template: Template, values: Mapping[str, Any]) -> Masked | None:
    """One phrasing over masked values; None where they cannot stand in it."""
    try:
        return Masked(template.prompt(values), template.output(values))
    except RowProblem:
        return None


def whole_values(task: Task) -> dict[str, Any]:
    """A row that has every field that the task maps, and options that are only a mark."""
    example = {name: _whole(name, task) for name in task.schema.model_fields if name in task.columns}
    values = masked_values(dict.fromkeys(task.schema.model_fields) | example, task)
    return values | {OPTIONS: mark(OPTIONS) if task.has_options else ""}


def _whole(name: str, task: Task) -> Any:
    target = task.schema.target
    if isinstance(target, Label) and name == target.field:
        return task.classes[0]
    if isinstance(target, Choice) and name == target.answer:
        return 0
    kind = frame_schema(task.schema)[name]
    return ["a", "b"] if kind == pl.List(pl.String) else "a" if kind in (pl.String, pl.Unknown) else None


def masked_values(
    example: Mapping[str, Any], task: Task, *, template: Template | None = None, options: bool = False
) -> dict[str, Any]:
    """An example with a mark for every text; its class stays, since conditions may ask for it.

    With `options`, marks are listed as the template would list the row's own.
    """
    target = task.schema.target
    kept = target.field if isinstance(target, Label) else None
    values = {name: value if name == kept else _mask(name, value) for name, value in example.items()}
    if template and template.cot and not template.inverted:
        values[RATIONALE] = values[RATIONALE] or mark(RATIONALE)  # where the row has none, the model writes it
    if not task.has_options:
        return values | {OPTIONS: "", ANSWER: mark(ANSWER)}
    count = len(example[target.options]) if isinstance(target, Choice) else len(task.classes)
    shown = block([mark(OPTIONS)] * count, Listing().style_of(template)) if options and template else ""
    return values | {OPTIONS: shown, ANSWER: mark(ANSWER)}


def _mask(name: str, value: Any) -> Any:
    if isinstance(value, str):
        found = _STOP.search(value)
        return mark(name) + (found[0] if found else "")
    return [_mask(name, item) for item in value] if isinstance(value, list) else value


def shape(example: Mapping[str, Any], task: Task) -> Shape:
    """Equal for examples over which a phrasing says the same."""
    return tuple(_hashable(value) for value in masked_values(example, task).values())


def _hashable(value: Any) -> Any:
    return tuple(map(str, value)) if isinstance(value, list) else value
