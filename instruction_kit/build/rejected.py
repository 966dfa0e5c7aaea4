"""Rejected rows, as `rejected/*.parquet` tells them: a line for each thing that is wrong with a row.

In: what a source could not read, or mapped rows with their problems. Out: frames of `REJECTED_SCHEMA`.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from instruction_kit.build.rowid import FILE, ROW
from instruction_kit.schema.columns import PROBLEMS
from instruction_kit.source.raw import MAX_SHOWN_CHARS, Problem

REJECTED_SCHEMA = {name: pl.String() for name in ("task", "split", "file", "row", "place", "field", "reason", "value")}
"""`rejected/*.parquet`: which row of which file, the line of one that could not be read, which field, why, and
what stood there."""


def unread_rows(problems: Sequence[Problem], *, task: str, split: str, file: str) -> pl.DataFrame:
    """Rows that the source could not read at all."""
    said: dict[str, list[str | None]] = {
        "file": [file] * len(problems),
        "row": [f"{file}:{problem.number}" for problem in problems],
        "place": [problem.place or None for problem in problems],
        "field": [""] * len(problems),
        "reason": [problem.reason for problem in problems],
        "value": [problem.text or None for problem in problems],
    }
    return _frame(said, task, split)


def rejected_rows(bad: pl.DataFrame, *, task: str, split: str) -> pl.DataFrame:
    """Mapped rows with the columns of `PROBLEMS`, and of what is shown for a field."""
    said: dict[str, list[str | None]] = {name: [] for name in ("file", "row", "place", "field", "reason", "value")}
    for row in bad.iter_rows(named=True):
        for problem in row[PROBLEMS]:
            name, _, reason = problem.partition(": ")
            shown = row.get(f"_shown_{name}", row.get(name))
            value = None if shown is None else str(shown)[:MAX_SHOWN_CHARS]
            for key, told in zip(said, (row[FILE], row[ROW], None, name, reason, value), strict=True):
                said[key].append(told)
    return _frame(said, task, split)


def _frame(said: Mapping[str, list[str | None]], task: str, split: str) -> pl.DataFrame:
    count = len(said["row"])
    return pl.DataFrame({"task": [task] * count, "split": [split] * count, **said}, schema=REJECTED_SCHEMA)
