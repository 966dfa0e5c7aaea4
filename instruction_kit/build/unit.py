"""Units of scanning: pieces of a source that can be read apart, and the examples that each makes.

In: a task. Out: the units of a split, and what became of the rows of each, batch by batch. Units follow from the
source's layout alone, never from who reads them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

import polars as pl

from instruction_kit.build.examples import Examples, Mapper
from instruction_kit.build.rowid import FILE
from instruction_kit.errors import TaskError
from instruction_kit.library import text_hash
from instruction_kit.source.raw import Batch, Range
from instruction_kit.task.task import Task

B = TypeVar("B", Batch, Examples)


@dataclass(frozen=True)
class ScanUnit:
    """One piece of scanning: a range, or a whole split where the task's `rows` needs it at once."""

    task: str
    split: str
    number: int
    parts: tuple[Range, ...]
    data: Literal["source", "sample"]
    data_dir: Path | None
    key: str

    def __str__(self) -> str:
        return f"scan {self.task} {self.split}"


def split_units(
    task: Task, split: str, *, data: Literal["source", "sample"], data_dir: Path | None, code: str = ""
) -> list[ScanUnit]:
    """The units of one split; `code` is what their keys hold beside contents."""
    parts = task.reading(data).ranges(split, task.where(data_dir))
    data = data if task.path else "source"
    if len(parts) != len({(part.name, part.number) for part in parts}):
        raise TaskError(f"task {task.name}: {split} names a file twice: {', '.join(part.name for part in parts)}")
    groups = [(part,) for part in parts] if task.scope == "row" else [tuple(parts)]
    units = []
    for number, group in enumerate(groups or [()]):  # a split without rows is accounted for, too
        contents = [f"{part.name}|{part.content}|{part.number}" for part in group]
        key = text_hash(code, task.name, data, split, *contents)
        units.append(ScanUnit(task.name, split, number, group, data, data_dir, key))
    return units


def unit_examples(unit: ScanUnit, task: Task) -> Iterator[Examples]:
    """Read and map one unit, batch by batch; what is `anew` makes all before it void.

    Raises:
        SourceError: the source cannot be read.
        TaskError: a column that the task reads is not there, or the source's class names are not the task's.

    """
    mapper = Mapper(task, unit.split)
    if task.scope == "row":
        for part in unit.parts:
            for batch in _batches(unit, task, part):
                yield mapper.examples(batch, file=part.name, columns=partial(_columns, unit, task, part))
        return
    batches = [(part.name, batch) for part in unit.parts for batch in valid(_batches(unit, task, part))]
    for name, batch in batches:
        yield mapper.unreadable(batch.problems, file=name)
    if frames := [batch.frame for _, batch in batches if batch.frame.height]:
        whole = pl.concat(frames, how="diagonal_relaxed")
        yield mapper.examples(Batch(whole, class_names=batches[0][1].class_names), file=unit.parts[0].name)


def valid(batches: Iterator[B]) -> list[B]:
    """All of them but those that are void."""
    kept: list[B] = []
    for batch in batches:
        if batch.anew:
            kept.clear()
        kept.append(batch)
    return kept


def _columns(unit: ScanUnit, task: Task, part: Range) -> pl.Schema:
    """All columns that the source has, in whatever row: only asked where a batch lacks one that the task reads."""
    found: dict[str, pl.DataType] = {}
    for batch in valid(task.reading(unit.data).read(part, task.where(unit.data_dir), None)):
        for name, dtype in batch.frame.schema.items():
            found[name] = dtype if found.get(name, pl.Null()) == pl.Null else found[name]
    return pl.Schema(found)


def _batches(unit: ScanUnit, task: Task, part: Range) -> Iterator[Batch]:
    source, where = task.reading(unit.data), task.where(unit.data_dir)
    for batch in source.read(part, where, task.reads):
        yield replace(batch, frame=batch.frame.with_columns(pl.lit(part.name).alias(FILE)))
