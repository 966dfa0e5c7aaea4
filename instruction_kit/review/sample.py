"""Whether a sample shows what its source is like: enough rows that differ, every class, and the dirt that it has.

In: a task and the rows of its sample. Out: findings, each with its line.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from typing import Any

from instruction_kit.review.finding import Finding, Rule
from instruction_kit.review.likeness import TOO_MUCH, runs, shared
from instruction_kit.review.rows import Rows
from instruction_kit.schema.field import Choice, Label
from instruction_kit.source.raw import SPLIT
from instruction_kit.source.sample import FATE
from instruction_kit.task.task import Task

MIN_ROWS = 24
MIN_DIRT = 3
"""Different fates that a sample states."""
MAX_RATIO = 2
"""Usable rows of the most frequent class for each of the rarest."""

Found = Iterator[Finding]


def sample_findings(task: Task, rows: Rows) -> Found:
    """Everything that can be said of one sample."""
    yield from _size(rows)
    yield from _splits(task, rows)
    yield from _columns(task, rows)
    yield from _fates(rows)
    yield from _dirt(rows)
    yield from _classes(task, rows)
    yield from _likeness(task, rows)


def _at(rows: Rows, line: int | None, rule: Rule, what: str) -> Finding:
    return Finding(str(rows.path), line, rule, what)


def _size(rows: Rows) -> Found:
    if (count := len(rows.lines)) < MIN_ROWS:
        yield _at(rows, None, "sample_size", f"{count} rows; write {MIN_ROWS} or more")


def _splits(task: Task, rows: Rows) -> Found:
    there = {line[SPLIT] for line in rows.lines}
    if lacking := [split for split in task.source.split_names if split not in there]:
        yield _at(rows, None, "sample_splits", f"no row of {' and '.join(lacking)}, which the source has")
    for number, line in enumerate(rows.lines, start=1):
        if line[SPLIT] not in task.source.split_names:
            yield _at(rows, number, "sample_splits", f"`_split` is {line[SPLIT]}, which the source has not")


def _columns(task: Task, rows: Rows) -> Found:
    own = {SPLIT, FATE}
    reads = task.reads or set(rows.lines[0]) - own  # `rows=` may read any column
    for number, line in enumerate(rows.lines, start=1):
        if lacking := sorted(reads - set(line)):
            told = f"lacks {', '.join(lacking)}; every row of the source has the same columns: write null for none"
            yield _at(rows, number, "sample_columns", told)


def _fates(rows: Rows) -> Found:
    stated = rows.stated
    for line in sorted({*stated, *rows.fates}):
        said, true = stated.get(line), rows.fates.get(line)
        if said != true:
            became = f"it is {true}" if true else "it is used"
            told = f"`_fate` says {said}, and {became}" if said else f'{became}; write "_fate": "{true}", or mend it'
            yield _at(rows, line, "sample_fate", told)


def _dirt(rows: Rows) -> Found:
    kinds = sorted(set(rows.stated.values()))
    if len(kinds) < MIN_DIRT:
        told = f"{len(kinds)} kinds of dirt ({'; '.join(kinds) or 'none'}): different values of `_fate`"
        yield _at(rows, None, "sample_dirt", f"{told}; show {MIN_DIRT} or more that the source has")


def _classes(task: Task, rows: Rows) -> Found:
    target = task.schema.target
    if isinstance(target, Label):
        counts = Counter(dict.fromkeys(task.classes, 0))
        counts.update(row.example[target.field] for row in rows.usable)
        if max(counts.values(), default=0) > MAX_RATIO * min(counts.values(), default=0):
            told = ", ".join(f"{name} {count}" for name, count in counts.items())
            yield _at(rows, None, "sample_classes", f"classes are not within {MAX_RATIO}:1 of each other: {told}")
    elif isinstance(target, Choice):
        places = {row.example[target.answer] for row in rows.usable}
        if not places >= {0, 1}:
            yield _at(rows, None, "sample_classes", "the right option is never the first, or never the second")


def _likeness(task: Task, rows: Rows) -> Found:
    found = {number: runs(_texts(_own(line))) for number, line in enumerate(rows.lines, start=1)}
    for one, other in combinations(found, 2):
        if (share := shared(found[one], found[other])) > TOO_MUCH and not _grouped(task, rows, one, other):
            told = f"shares {share:.0%} of its runs of three words with line {one}; at most {TOO_MUCH:.0%}"
            yield _at(rows, other, "sample_likeness", told)


def _own(line: dict[str, Any]) -> list[Any]:
    return [value for name, value in line.items() if name not in (SPLIT, FATE)]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _grouped(task: Task, rows: Rows, one: int, other: int) -> bool:
    """Lines of one group are one row, and may repeat what makes them one."""
    field = task.scope.removeprefix("group:")
    return field != task.scope and rows.lines[one - 1].get(field) == rows.lines[other - 1].get(field)
