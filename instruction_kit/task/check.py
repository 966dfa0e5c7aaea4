"""What is wrong with a task's declaration, as far as it can be read.

In: what was said, by key, without what has not even the right type. Out: every problem in words. Each question is asked
wherever its own keys can be read, so that one problem never hides another.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import polars as pl

from instruction_kit.errors import nearest
from instruction_kit.schema.field import Label
from instruction_kit.schema.schema import Schema
from instruction_kit.source.raw import EXEMPLARS
from instruction_kit.task.column import COLUMN, Column, as_column

NAME = re.compile(r"[a-z0-9_]+")


def problems(said: Mapping[str, Any]) -> Iterator[str]:
    """Everything that can be told from these keys of a task."""
    yield from name_problems(said.get("name") or "unnamed", said.get("cluster") or "unnamed")
    columns = said.get("columns")
    if columns is not None:
        yield from _column_problems(columns)
        if schema := said.get("schema"):
            yield from _field_problems(schema, columns)
            readable = {name: value for name, value in columns.items() if _is_column(value)}
            yield from _class_problems(schema, readable, said.get("answers", {}))
    if "source" in said:
        yield from _split_problems(said["source"].split_names, said.get("evaluate"))
    if "scope" in said:
        yield from _scope_problems(said["scope"], has_rows=said.get("rows") is not None)


def classes_of(schema: type[Schema], columns: Mapping[str, Any]) -> tuple[str, ...]:
    """The classes of a task whose answer is a label, in the order in which options list them; else none."""
    if not isinstance(schema.target, Label):
        return ()
    column = as_column(columns[schema.target.field])
    return column.classes or get_args(schema.model_fields[schema.target.field].annotation)


def words_of(classes: tuple[str, ...], answers: Mapping[str, str]) -> tuple[str, ...]:
    """The answer words of the classes, in their order."""
    return tuple(answers.get(name, name) for name in classes)


def _is_column(value: object) -> bool:
    return isinstance(value, str | pl.Expr | Column)


def name_problems(name: str, cluster: str) -> Iterator[str]:
    """Names become folders, splits and columns, so their alphabet is small; an empty one is refused too."""
    for kind, value in (("task", name), ("cluster", cluster)):
        if not NAME.fullmatch(value):
            yield f"the {kind} name {value!r} may only hold a-z, 0-9 and _"


def _column_problems(columns: Mapping[str, Any]) -> Iterator[str]:
    for name, value in columns.items():
        if not _is_column(value):
            yield f"{name}: {value!r} is no column; {COLUMN}"


def _field_problems(schema: type[Schema], columns: Mapping[str, Any]) -> Iterator[str]:
    fields = schema.model_fields
    for name in columns:
        if name not in fields:
            yield f"{schema.__name__} has no field {name}; {nearest(name, fields)}"
    missing = [name for name, field in fields.items() if field.is_required() and name not in columns]
    if missing:
        yield f"columns lacks {', '.join(missing)}, which {schema.__name__} requires"


def _class_problems(schema: type[Schema], columns: Mapping[str, Any], answers: Mapping[str, str]) -> Iterator[str]:
    if not isinstance(schema.target, Label) or schema.target.field not in columns:
        return
    field, classes = schema.target.field, classes_of(schema, columns)
    if not classes:
        yield f'the classes of {field} are not known: map it with labels("…", [classes])'
        return
    allowed = get_args(schema.model_fields[field].annotation)
    for name in classes:
        if allowed and name not in allowed:
            yield f"{name} is no {field} of {schema.__name__}; {nearest(name, allowed)}"
    yield from _answer_problems(classes, answers)


def _answer_problems(classes: tuple[str, ...], answers: Mapping[str, str]) -> Iterator[str]:
    for name in answers:
        if name not in classes:
            yield f"answers has {name}, which is no class; {nearest(name, classes)}"
    words = words_of(classes, answers)
    if len(set(words)) != len(words):
        yield f"two classes have the same answer words: {', '.join(words)}"
    for name, word in zip(classes, words, strict=True):
        if not word.strip():
            yield f"the answer words of {name} are blank"


def _split_problems(splits: tuple[str, ...], evaluate: str | None) -> Iterator[str]:
    asked = [split for split in splits if split != EXEMPLARS]
    if evaluate is not None and evaluate not in asked:
        yield f"evaluate={evaluate!r} is none of its splits; {nearest(evaluate, asked)}"
    if not asked:
        yield "its source has exemplars alone; name the split that is trained on or measured, too"


def _scope_problems(scope: str, *, has_rows: bool) -> Iterator[str]:
    if scope not in ("row", "split") and not scope.startswith("group:"):
        yield f'scope={scope!r}: use "row", "split" or "group:<column>"'
    elif scope != "row" and not has_rows:
        yield f"scope={scope!r} says what rows= needs to see, and there is no rows="
