"""What the rows of a real dataset should become, worked out from the bytes of its files in plain Python.

None of the kit's readers is used, so that a row that is lost, shifted or mislabelled cannot agree with it by accident.
The modules `local_rows_<subject>` have a `Dataset` for each task of `examples/local_files`; `test_local_files` holds
all of them against what the kit reads and builds.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Expected:
    """One row as it should come out, or why it should not."""

    row: str
    shown: tuple[str, ...] = ()
    """Beginnings of its fields, word for word; a prompt must hold them, too."""
    answers: tuple[str, ...] = ()
    """The right output, or all references."""
    options: tuple[str, ...] = ()
    """What the row itself offers; classes stand in `Dataset.classes`."""
    rationale: str | None = None
    """The reasoning that leads to the answer, empty for none; None where the dataset has no such thing."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Other fields, by name."""
    fate: str = "used"
    """`used`, `skipped`, or the first reason of a rejection."""


Rows = Callable[[Path, tuple[str, ...]], Iterable[Expected]]


@dataclass(frozen=True)
class Dataset:
    """One task: how its rows are told from its files, and what is special about them."""

    rows: Rows | Mapping[str, Rows]
    """(raw folder, files of one split) -> the rows of that split, in their order; by split where a file has several."""
    classes: tuple[str, ...] = ()
    """The answer words of a task whose answer is a label, in their order."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """File of the dataset's folder that the task does not read -> why."""
    source_rows: Mapping[str, int] = field(default_factory=dict)
    """Split -> rows of its files, where the task makes other rows of them."""
    measured: str = ""
    """For a task that is held out: the split that it is measured on."""

    def rows_of(self, split: str) -> Rows:
        return self.rows[split] if isinstance(self.rows, Mapping) else self.rows


def each(rows: Callable[[Path, str], Iterator[Expected]]) -> Rows:
    """For files that are read one by one: `rows` takes the path of a file, and the file as the task names it."""
    return lambda raw, files: [row for file in matching(raw, files) for row in rows(raw / file, file)]


def matching(raw: Path, files: Iterable[str]) -> list[str]:
    """The files themselves, where a pattern stands for several."""
    return [path.relative_to(raw).as_posix() for file in files for path in sorted(raw.glob(file))]


def byte_lines(path: Path) -> list[bytes]:
    lines = path.read_bytes().split(b"\n")
    return lines[:-1] if not lines[-1] else lines


def json_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in byte_lines(path)]


def tab_rows(path: Path) -> list[list[str]]:
    """Cells between tabs, with quotes as plain characters."""
    return [line.decode().removesuffix("\r").split("\t") for line in byte_lines(path)]


def quoted_rows(path: Path, *, delimiter: str = "\t") -> list[list[str]]:
    """Cells in quotes where they hold any, or a line end."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter=delimiter))
