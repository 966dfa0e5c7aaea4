"""What every source gives: ranges that can be read apart, and batches of raw rows.

A range is the unit of reading. Ranges follow from the layout of the source alone (a text file is one, a Parquet file
one per row group), never from the number of workers. A row that cannot be read at all is a problem with its index, so
that frame and problems together account for every row.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import polars as pl
from pydantic import ValidationError

from instruction_kit.errors import SourceError, nearest

INDEX = "_index"
"""Column of every raw frame: 0-based position of the row in its range's file or split."""

RESERVED = (INDEX, "_file")
"""Names of columns that the kit itself adds to raw rows."""

SPLIT = "_split"
"""Column of every frame that a task maps, for a source whose columns mean another thing in train than in test."""

BATCH_ROWS = 20_000
BATCH_SIZE = 2**26
"""Rows held in memory at a time, and their characters or bytes: whichever is reached first."""

MAX_SHOWN_CHARS = 200
"""Of what stood where a row was rejected."""

Split = Literal["train", "validation", "test", "exemplars"]
EXEMPLARS: Split = "exemplars"
"""Rows that are only ever shown before a question."""
SPLITS: tuple[Split, ...] = ("train", "validation", "test", EXEMPLARS)


@dataclass(frozen=True)
class Where:
    """Against what a source's relative paths resolve."""

    task_folder: Path | None = None
    data_dir: Path | None = None

    def resolve(self, path: str) -> Path:
        """Relative to `data_dir`, else to the folder of the task file, else to the current folder."""
        return (self.data_dir or self.task_folder or Path()) / path


@dataclass(frozen=True)
class Range:
    """One part of one split that is read at one go."""

    split: str
    name: str
    """What the user calls it: a file as the task names it, or the source's split."""
    content: str
    """Hash of the bytes, or the resolved revision with its split."""
    number: int = 0
    """Row group, or number of the part within the split."""
    place: str = field(default="", compare=False)
    """How the source finds the part again on this machine; it enters no hash and no file."""


class Problem(NamedTuple):
    """A row that could not be read."""

    number: int
    """Its index: 0-based position in the range's file or split."""
    reason: str
    text: str = ""
    """What stands there, shortened."""
    place: str = ""
    """Where in the file it stands, where the index does not say so."""


@dataclass(frozen=True)
class Batch:
    """Raw rows in the source's own columns plus `_index`, and the rows that could not be read."""

    frame: pl.DataFrame
    problems: tuple[Problem, ...] = ()
    anew: bool = False
    """The rows of the range begin once more, with types that all of them settled; batches before this one are void."""
    class_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """ClassLabel columns -> the names that the source itself declares, in its order."""


def refusal(error: ValidationError, *, keys: Iterable[str]) -> str:
    """What is wrong with the declaration of a source, all of it, in words."""
    told = []
    for detail in error.errors():
        where = ".".join(str(part) for part in detail["loc"] if part != "[key]")
        said = f"no key {where}; {nearest(where, keys)}" if detail["type"] == "extra_forbidden" else detail["msg"]
        own = detail["type"] in ("extra_forbidden", "value_error")
        told.append(said.removeprefix("Value error, ") if own else f"{where}: {said}")
    return "; ".join(told)


def check_columns(names: Iterable[str], *, where: str) -> None:
    """A column under a name of the kit's own would be overwritten.

    Raises:
        SourceError: there is one.

    """
    for name in names:
        if name in RESERVED:
            raise SourceError(f"{where}: the column {name} bears a name that the kit uses for its own; rename it")


def rows_at_once(rows: int, num_bytes: int) -> int:
    """How many rows of a table of this size to hold.

    >>> rows_at_once(1_000_000, 1_000_000_000), rows_at_once(100, 2**30)
    (20000, 6)
    """
    return max(1, min(BATCH_ROWS, BATCH_SIZE * rows // max(1, num_bytes)))


class Source(Protocol):
    """The one interface of Hub, Files, Frame and sample."""

    @property
    def split_names(self) -> Sequence[str]:
        """Which of the splits there are."""

    def ranges(self, split: str, where: Where) -> list[Range]:
        """The parts of one split, in order."""

    def read(self, part: Range, where: Where, columns: frozenset[str] | None) -> Iterator[Batch]:
        """Read one part; `columns` are the ones wanted, None means all."""
