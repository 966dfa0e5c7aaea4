"""What a row is called, from which every choice about it follows.

In: raw rows. Out: the same with the column `ID`. An id follows from the source row alone: were it a count within the
batch, the size of a batch would choose rows.
"""

from collections.abc import Sequence

import polars as pl

from instruction_kit.errors import TaskError
from instruction_kit.source.raw import INDEX
from instruction_kit.task.task import Task

FILE, ID = "_file", "_id"
ROW, HASH = "row", "hash"
"""Columns of accepted examples: the id, and its hash."""


def with_ids(raw: pl.DataFrame, task: Task, *, split: str, file: str) -> pl.DataFrame:
    """`key`, else file (or split) and index; what `rows=` makes of one row after the first is numbered.

    Raises:
        TaskError: `rows=` dropped what names a row.

    """
    if FILE not in raw.columns:
        raw = raw.with_columns(pl.lit(file).alias(FILE))
    if task.key:
        key = pl.col(task.key).cast(pl.String)  # an empty cell names nothing
        return raw.with_columns(pl.when(key.str.strip_chars() != "").then(key).alias(ID))
    named = raw.with_columns(_name(raw.columns, task, split).alias(ID))
    if task.rows is None:
        return named
    number = pl.int_range(pl.len()).over(ID)
    numbered = pl.format("{}#{}", pl.col(ID), number)
    return named.with_columns(pl.when(number > 0).then(numbered).otherwise(pl.col(ID)).alias(ID))


def _name(columns: Sequence[str], task: Task, split: str) -> pl.Expr:
    grouped = task.scope.removeprefix("group:")
    if INDEX in columns:
        return pl.format("{}:{}", pl.col(FILE), pl.col(INDEX))
    if task.scope == "row":
        where = task.path or f"task {task.name}"
        raise TaskError(f"{where}: rows= drops {INDEX}, by which rows are named; keep it, or give key=")
    return pl.format("{}:{}", pl.lit(split), pl.col(grouped) if grouped in columns else pl.int_range(pl.len()))
