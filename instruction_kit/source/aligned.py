"""Files that are read side by side: row by row, a column for each file.

In: the rows of each file by the name of its column. Out: rows. The files belong together by position alone, so one that
is shorter than another is an error, never a shorter split.
"""

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from instruction_kit.errors import SourceError
from instruction_kit.source.row import Row, Rows


def aligned_rows(members: Mapping[str, Rows], *, where: Mapping[str, str]) -> Iterator[Row]:
    """What stands at the same place of every file; `where` says how messages name each file.

    Raises:
        SourceError: the files are not equally long.

    """
    counts = dict.fromkeys(members, 0)
    for number, rows in enumerate(zip_longest(*(rows() for rows in members.values()))):
        present = {name: row for name, row in zip(members, rows, strict=True) if row is not None}
        for name in present:
            counts[name] += 1
        if len(set(counts.values())) == 1:
            yield _together(number, present)
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{where[name]} has {count} rows" for name, count in counts.items())
        raise SourceError(f"files side by side are not equally long: {told}; a line is missing or one too many")


def _together(number: int, rows: Mapping[str, Row]) -> Row:
    for name, row in rows.items():
        if row.values is None:
            return Row(number, None, row.place, f"{name}: {row.problem}", row.text)
    return Row(number, {name: _value(row.values) for name, row in rows.items()})


def _value(values: dict[str, Any] | None) -> Any:
    """A plain line stands for itself, what has columns is an object."""
    return values["line"] if values is not None and list(values) == ["line"] else values
