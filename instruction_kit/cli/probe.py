"""`probe`: the first rows of every split of every task's source, read and mapped, to see whether a task fits its data.

In: tasks. Out: for each split what became of its first rows, or why they could not be read. A hub is streamed, so that
nothing is downloaded whole; nothing is built or kept.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import polars as pl
from rich.table import Table

from instruction_kit.build.examples import Mapper
from instruction_kit.errors import InstructionKitError
from instruction_kit.source import Files, Frame, Hub
from instruction_kit.source.raw import Batch, Range, Where
from instruction_kit.task.task import Task


@dataclass(frozen=True)
class Probed:
    """The first rows of one split."""

    task: str
    split: str
    read: int = 0
    usable: int = 0
    skipped: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    """Reason -> rows."""
    error: str = ""

    @property
    def problem(self) -> str:
        """Why this split does not look as the task file says; empty where it does."""
        if self.error:
            return self.error
        if not self.read:
            return "no rows"
        most = max(self.rejected, key=lambda reason: self.rejected[reason], default="")
        return f"most rows are rejected: {most}" if sum(self.rejected.values()) > self.read / 2 else ""


def probe(tasks: Sequence[Task], *, rows: int, data_dir: Path | None) -> Iterator[Probed]:
    """Read up to `rows` rows of each split; a source that cannot be read is one answer among the others."""
    for task in tasks:
        for split in task.source.split_names:
            try:
                yield _probed(task, split, rows, data_dir)
            except InstructionKitError as error:
                yield Probed(task.name, split, error=str(error))


def _probed(task: Task, split: str, rows: int, data_dir: Path | None) -> Probed:
    source, where, mapper = _streamed(task.source, rows), task.where(data_dir), Mapper(task, split)
    counts: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    for part in source.ranges(split, where):
        for batch in source.read(part, where, task.reads):
            left = rows - counts["read"]
            every = partial(_columns, source, part, where)
            made = mapper.examples(_head(batch, left), file=part.name, columns=every)
            counts.update(made.counts)
            rejected.update(made.reasons)
            if counts["read"] >= rows:
                return _told(task, split, counts, rejected)
    return _told(task, split, counts, rejected)


def _told(task: Task, split: str, counts: Counter[str], rejected: Counter[str]) -> Probed:
    return Probed(task.name, split, counts["read"], counts["accepted"], counts["skipped"], dict(rejected))


def _streamed(source: Hub | Files | Frame, rows: int) -> Hub | Files | Frame:
    return source.model_copy(update={"streaming": True, "first": rows}) if isinstance(source, Hub) else source


def _head(batch: Batch, rows: int) -> Batch:
    frame = batch.frame.head(rows)
    return replace(batch, frame=frame, problems=batch.problems[: rows - frame.height])


def _columns(source: Hub | Files | Frame, part: Range, where: Where) -> pl.Schema:
    """All columns of the first rows: only asked where one is lacking."""
    return next((batch.frame.schema for batch in source.read(part, where, None)), pl.Schema())


def probe_table(found: Sequence[Probed]) -> Table:
    """One line a split."""
    table = Table("task", "split")
    for column in ("read", "usable", "skipped", "rejected"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("problem", style="red")
    for line in found:
        numbers = (line.read, line.usable, line.skipped, sum(line.rejected.values()))
        table.add_row(line.task, line.split, *map(str, numbers), line.problem)
    return table
