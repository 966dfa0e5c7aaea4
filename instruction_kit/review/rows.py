"""The rows of a task's sample: what stands on each line, and what became of it.

In: a task with a sample. Out: its lines, the examples that they gave, and of each lost line why. Rows are mapped as a
build maps them, but are called by their lines.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from instruction_kit.build.examples import Examples
from instruction_kit.build.ledger import SAME_KEY
from instruction_kit.build.rowid import HASH, ROW
from instruction_kit.build.unit import split_units, unit_examples, valid
from instruction_kit.source.raw import SPLIT
from instruction_kit.source.sample import FATE, Sample
from instruction_kit.task.task import Task

SKIPPED = "skipped"


class Row(NamedTuple):
    """An example, and the line that it comes from."""

    line: int
    """From 1; where a task groups lines, the first of them; 0 where `rows=` keeps no track of lines."""
    example: dict[str, Any]
    split: str
    name: str
    """As a build calls it, so that what is drawn for it is what a build draws."""


@dataclass(frozen=True)
class Rows:
    """One sample, read and mapped."""

    path: Path
    lines: tuple[dict[str, Any], ...]
    usable: tuple[Row, ...]
    """In the order of their lines."""
    fates: dict[int, str]
    """Line, from 1 -> what became of it, as `_fate` says it: `skipped`, `removed: …`, `rejected: field: reason`."""

    @property
    def stated(self) -> dict[int, str]:
        """Line, from 1 -> the fate that the sample states."""
        return {number: line[FATE] for number, line in enumerate(self.lines, start=1) if FATE in line}


def read_rows(task: Task) -> Rows:
    """Read the sample beside a task file.

    Raises:
        SourceError: there is none, or a line of it cannot be read.
        TaskError: it does not fit the task.

    """
    sample = Sample(task.sample_path)
    splits = sample.split_names  # what cannot be read is told here
    text = sample.path.read_text(encoding="utf-8").removesuffix("\n")
    lines = tuple(json.loads(line) for line in text.split("\n"))  # a text may hold other ends of lines
    by_line = replace(task, key=None) if task.key and task.rows is None else task
    usable: list[Row] = []
    lost: dict[int, dict[str, None]] = {}
    used: set[int] = set()
    for split in splits:
        for made in _mapped(by_line, split):
            for row in made.accepted.drop(HASH).to_dicts():
                name = row.pop(ROW)
                places = _lines_of(by_line, name, split, lines)
                usable.append(Row(places[0] if places else 0, row, split, name))
                used |= {*(places or _in_split(lines, split))}
            for row in made.rejected.to_dicts():
                for place in _lines_of(by_line, row["row"], split, lines):
                    lost.setdefault(place, {})[_rejection(row)] = None
    told = {line: "; ".join(reasons) for line, reasons in lost.items()}
    fates = {n: told.get(n, SKIPPED) for n in range(1, len(lines) + 1) if n in told or n not in used}
    return _by_key(Rows(sample.path, lines, tuple(sorted(usable, key=_line)), fates), task)


def _mapped(task: Task, split: str) -> Iterator[Examples]:
    for unit in split_units(task, split, data="sample", data_dir=None):
        yield from valid(unit_examples(unit, task))


def _rejection(row: dict[str, str | None]) -> str:
    return f"rejected: {row['field']}: {row['reason']}"


def _line(row: Row) -> int:
    return row.line


def _in_split(lines: tuple[dict[str, Any], ...], split: str) -> list[int]:
    return [number for number, line in enumerate(lines, start=1) if line[SPLIT] == split]


def _lines_of(task: Task, row: str, split: str, lines: tuple[dict[str, Any], ...]) -> list[int]:
    """The lines that a row was made of: several where a task groups them, none where they cannot be told."""
    name = row.partition("#")[0]
    if task.key:
        key = task.key
        return [n for n in _in_split(lines, split) if str(lines[n - 1].get(key)) == name]
    place = name.rpartition(":")[2]
    if name.startswith(f"{task.sample_path.name}:") and place.isdecimal():
        return [int(place) + 1]
    field = task.scope.removeprefix("group:")
    return [n for n in _in_split(lines, split) if field != task.scope and str(lines[n - 1].get(field)) == place]


def _by_key(rows: Rows, task: Task) -> Rows:
    """A row without a key is none, and of rows with one key in one split the first counts, as in a build."""
    if not task.key or task.rows is not None:
        return rows
    seen: set[tuple[str, str]] = set()
    fates, usable = dict(rows.fates), []
    for row in rows.usable:
        line = rows.lines[row.line - 1]
        key, split = line.get(task.key), line[SPLIT]
        if key is None:
            fates[row.line] = "rejected: key: missing"
        elif (split, str(key)) in seen:
            fates[row.line] = f"removed: {SAME_KEY}"
        else:
            usable.append(row._replace(name=str(key)))
            seen.add((split, str(key)))
    return replace(rows, usable=tuple(usable), fates=dict(sorted(fates.items())))
