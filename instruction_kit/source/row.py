"""Parsed rows of one file become batches.

In: rows as dicts, or what is wrong with them, in the order of the file. Out: batches whose frame and problems account
for every row.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from instruction_kit.source.raw import BATCH_ROWS, Batch, check_columns
from instruction_kit.source.tabulate import Tabulator


class Row(NamedTuple):
    """One parsed row, or what is wrong with it."""

    number: int
    values: dict[str, Any] | None
    problem: str = ""


def batches(rows: Iterator[Row], *, where: str, columns: frozenset[str] | None) -> Iterator[Batch]:
    """Rows in batches; `columns` are the ones wanted, None means all."""
    tabulator = Tabulator(columns)
    while part := list(islice(rows, BATCH_ROWS)):
        bad = [(row.number, row.problem) for row in part if row.values is None]
        good = [(row.number, row.values) for row in part if row.values is not None]
        there = frozenset[str]().union(*(values for _, values in good))
        check_columns(there if columns is None else there & columns, where=where)
        batch = tabulator.batch(good)
        yield Batch(batch.frame, tuple(sorted((*batch.problems, *bad))))
