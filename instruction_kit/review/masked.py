"""A phrasing over a row whose every text is its field's own name: what it says itself, and where it puts what.

In: a template and a task. Out: prompt and output with marks in them. No data is read.
"""

import re
from dataclasses import dataclass
from typing import Any

import polars as pl

from instruction_kit.schema.columns import frame_schema
from instruction_kit.schema.field import Choice, Label
from instruction_kit.task.task import Task
from instruction_kit.template.environment import RowProblem
from instruction_kit.template.language import ANSWER, OPTIONS
from instruction_kit.template.template import Template

_MARK = re.compile(r"⟦(\w+)⟧")


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
        return frozenset(_MARK.findall(self.output))

    @property
    def shown(self) -> frozenset[str]:
        """Fields that the prompt prints."""
        return frozenset(_MARK.findall(self.prompt))

    @property
    def wording(self) -> list[str]:
        """What the phrasing says itself, in the pieces between fields."""
        return [piece for side in (self.prompt, self.output) for piece in re.split(r"⟦\w+⟧", side)]


def masked(template: Template, task: Task, *, options: bool = True) -> Masked | None:
    """One phrasing of a task; None where it cannot be printed so."""
    values = _values(task) | {OPTIONS: mark(OPTIONS) if options and task.has_options else "", ANSWER: mark(ANSWER)}
    try:
        return Masked(template.prompt(values), template.output(values))
    except RowProblem:
        return None


def _values(task: Task) -> dict[str, Any]:
    """Fields that the task does not map are absent; a class stays one, since conditions may ask for it."""
    schema, target = task.schema, task.schema.target
    kinds = frame_schema(schema)
    values: dict[str, Any] = {name: _value(name, kind) for name, kind in kinds.items() if name in task.columns}
    if isinstance(target, Label):
        values[target.field] = task.classes[0]
    if isinstance(target, Choice):
        values[target.options] = [mark(OPTIONS), mark(OPTIONS)]
    return dict.fromkeys(schema.model_fields) | values


def _value(name: str, kind: pl.DataType) -> Any:
    if kind == pl.List(pl.String):
        return [mark(name)]
    return mark(name) if kind in (pl.String, pl.Unknown) else 0
