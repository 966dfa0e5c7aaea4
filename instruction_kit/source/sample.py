"""The sample beside a task file, `<task>.sample.jsonl`: rows that we wrote ourselves in the source's own columns.

Each line has `_split`; a line that must not survive says so in `_fate` (`skipped`, or `rejected: field: reason`), which
the tests compare with what happens. Dirt is of kinds that the real source has.
"""

from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path

import polars as pl

from instruction_kit.errors import SourceError
from instruction_kit.library import text_hash
from instruction_kit.source.file import File
from instruction_kit.source.raw import INDEX, SPLIT, SPLITS, Batch, Range, Where
from instruction_kit.source.records import jsonl_rows
from instruction_kit.source.row import batches as in_batches

FATE = "_fate"


class Sample:
    """The rows of one sample file by their `_split`."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise SourceError(f"{path}: the task has no sample; write one, or build with data: source")
        self.path = path

    @property
    def frame(self) -> pl.DataFrame:
        """The whole file, with `_split` and `_fate`.

        Raises:
            SourceError: a line is no JSON object, or its `_split` is none of train, validation, test and exemplars.

        """
        return _frame(self.path, text_hash(self.path.read_bytes()))

    @property
    def split_names(self) -> tuple[str, ...]:
        """Which of the splits there are."""
        present = set(self.frame[SPLIT])
        return tuple(split for split in SPLITS if split in present)

    def ranges(self, split: str, where: Where) -> list[Range]:
        """The rows of one split."""
        return [Range(split, self.path.name, text_hash(self.path.read_bytes()))]

    def read(self, part: Range, where: Where, columns: frozenset[str] | None) -> Iterator[Batch]:
        """Give the rows of one split; `_index` is the line in the file, from 0."""
        yield Batch(self.frame.filter(pl.col(SPLIT) == part.split).drop(SPLIT, FATE, strict=False))


@lru_cache(maxsize=256)
def _frame(path: Path, _content: str) -> pl.DataFrame:
    """A file is asked for its splits, its rows and its hashes in turn, and reads once as long as its bytes stay."""
    rows = partial(jsonl_rows, File(str(path)), "utf-8")
    batches = list(in_batches(rows, where=str(path), columns=None, typed=True))
    for problem in (problem for batch in batches for problem in batch.problems):
        raise SourceError(f"{path}:{problem.number + 1}: {problem.reason}")
    if not batches:
        raise SourceError(f"{path}: the sample is empty; write rows, or build with data: source")
    frame = pl.concat([batch.frame for batch in batches], how="diagonal_relaxed")
    split = frame[SPLIT] if SPLIT in frame.columns else pl.Series(SPLIT, [None] * frame.height, dtype=pl.String)
    wrong = frame.filter(~split.cast(pl.String, strict=False).is_in(SPLITS).fill_null(value=False))
    if wrong.height:
        raise SourceError(f"{path}:{wrong[INDEX][0] + 1}: `_split` must be one of {', '.join(SPLITS)}")
    return frame
