"""What the tests of file formats share: the rows of a source, with none lost and none told twice."""

from pathlib import Path
from typing import Any

import pytest

from instruction_kit import Files
from instruction_kit.build.unit import valid
from instruction_kit.errors import SourceError
from instruction_kit.source.raw import INDEX, Problem, Where


def rows_of(source: Files, folder: Path, *, split: str = "train", wanted: frozenset[str] | None = None):
    """The rows of a split, and its problems, of which each range has its own numbers."""
    rows: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for part in source.ranges(split, Where(folder)):
        batches = valid(source.read(part, Where(folder), wanted))
        told = [problem for batch in batches for problem in batch.problems]
        numbers = [number for batch in batches for number in batch.frame[INDEX]] + [problem.number for problem in told]
        assert len(numbers) == len(set(numbers)), "a row is told twice"
        rows += [row for batch in batches for row in batch.frame.drop(INDEX).to_dicts()]
        problems += told
    return rows, [(problem.number, problem.reason) for problem in problems]


def refused(source: Files, folder: Path, *, split: str = "train") -> str:
    with pytest.raises(SourceError) as error:
        rows_of(source, folder, split=split)
    return str(error.value)
