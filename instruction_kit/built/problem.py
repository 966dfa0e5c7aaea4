"""What is wrong with a built folder: where, what, and in which row.

In: nothing. Out: the record, and the rows of a frame that fail a check as records. A row's number counts from 0 within
its file, as in `load_dataset("parquet", data_files=FILE)["train"][number]`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from instruction_kit.built.pairs import NUMBER, ROW

MAX_TOLD = 3
"""Rows of one file that are told with one and the same problem; the others are counted."""


@dataclass(frozen=True)
class Problem:
    """One thing that is not as it should be."""

    file: str
    """Relative to the folder."""
    what: str
    row: int | None = None
    name: str = ""
    """`task split row`, by which the row is found in other files too."""

    def __str__(self) -> str:
        where = "" if self.row is None else f" row {self.row}" + (f" ({self.name})" if self.name else "")
        return f"{self.file}{where}: {self.what}"


def rows_with(problem: str, bad: pl.DataFrame, *, file: str) -> Iterator[Problem]:
    """The rows of a frame as problems."""
    for row in bad.select(NUMBER, *ROW).iter_rows(named=True):
        name = " ".join(str(row[key]) for key in ROW)
        yield Problem(file, problem, row[NUMBER], name)


class Told:
    """The problems so far; of one kind in one file the first few, and how many more."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], list[Problem]] = {}
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, problems: Iterable[Problem]) -> None:
        """Keep the first of each kind, count all."""
        for problem in problems:
            kind = (problem.file, problem.what)
            self._counts[kind] += 1
            kept = self._kept.setdefault(kind, [])
            if len(kept) < MAX_TOLD:
                kept.append(problem)

    @property
    def num(self) -> int:
        """How many there are, those that are only counted too."""
        return self._counts.total()

    def lines(self) -> Iterator[str]:
        """All of them in words."""
        for kind, kept in self._kept.items():
            yield from map(str, kept)
            if more := self._counts[kind] - len(kept):
                yield f"{kind[0]} {more:,} more rows: {kind[1]}"
