"""Parsed rows of one file become batches.

In: rows as dicts, or what is wrong with them, in the order of the file. Out: batches whose frame and problems account
for every row. Where rows choose their own types, as in JSON, all rows of a file settle them, never the first ones: as
soon as two kinds of values meet in one place the rest is asked, and where that changes a type the file is given anew.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from instruction_kit.source.raw import BATCH_ROWS, BATCH_SIZE, MAX_SHOWN_CHARS, Batch, Problem, check_columns
from instruction_kit.source.tabulate import Tabulator

CUT = "\ud801"
"""Ends the beginning of a line that is too long to hold: a lone surrogate, which no decoded line can hold."""
_SURROGATE = re.compile("[\ud800-\udfff]")


class Row(NamedTuple):
    """One parsed row, or what is wrong with it."""

    number: int
    values: dict[str, Any] | None
    place: int | str = ""
    """The line on which it begins, or the file that it is."""
    problem: str = ""
    text: str = ""
    """What stands there, where that is no row."""


Rows = Callable[[], Iterator[Row]]
"""Reads a file anew."""


def batches(rows: Rows, *, where: str, columns: frozenset[str] | None, typed: bool) -> Iterator[Batch]:
    """Rows in batches; `columns` are the ones wanted, None means all; `typed` rows choose their own types."""
    tabulator = Tabulator(columns)
    settled = not typed
    for number, part in enumerate(_parts(rows())):
        batch = _batch(part, tabulator, where=where, columns=columns)
        if not settled and tabulator.mixed:
            settled, before, tabulator = True, tabulator, _settled(rows, columns)
            if number and tabulator.contradicts(before):
                yield from _anew(rows, tabulator, where=where, columns=columns)
                return
            batch = _batch(part, tabulator, where=where, columns=columns)
        yield batch


def _settled(rows: Rows, columns: frozenset[str] | None) -> Tabulator:
    tabulator = Tabulator(columns)
    tabulator.settle([row.values for row in part if row.values is not None] for part in _parts(rows()))
    return tabulator


def _anew(rows: Rows, tabulator: Tabulator, *, where: str, columns: frozenset[str] | None) -> Iterator[Batch]:
    for number, part in enumerate(_parts(rows())):
        yield replace(_batch(part, tabulator, where=where, columns=columns), anew=number == 0)


def _parts(rows: Iterator[Row]) -> Iterator[list[Row]]:
    part: list[Row] = []
    size = 0
    for row in rows:
        part.append(row)
        size += _chars(row.values)
        if len(part) >= BATCH_ROWS or size > BATCH_SIZE:
            yield part
            part, size = [], 0
    if part:
        yield part


def _chars(value: Any) -> int:
    """Roughly what a row takes: one long document weighs as much as thousands of captions."""
    if type(value) is str:
        return len(value)
    if type(value) is dict:
        return sum(map(_chars, value.values()))
    return sum(map(_chars, value)) if type(value) is list else 0


def _batch(part: Sequence[Row], tabulator: Tabulator, *, where: str, columns: frozenset[str] | None) -> Batch:
    good = [(row.number, row.values) for row in part if row.values is not None]
    there = frozenset[str]().union(*(values for _, values in good))
    check_columns(there if columns is None else there & columns, where=where)
    batch = tabulator.batch(good)
    places = {row.number: _said(row.place) for row in part} if batch.problems else {}
    odd = [problem._replace(text=shown(problem.text), place=places[problem.number]) for problem in batch.problems]
    bad = [Problem(r.number, r.problem, shown(r.text), _said(r.place)) for r in part if r.values is None]
    return Batch(batch.frame, tuple(sorted((*odd, *bad))))


def _said(place: int | str) -> str:
    return f"line {place}" if isinstance(place, int) else place


def shown(text: str) -> str:
    r"""Shortened, and with what is no text written out.

    >>> shown("caf\udce9\n")
    'caf\\xe9'
    """
    cut = text.rstrip(f"\r\n{CUT}")
    short = cut if len(cut) <= MAX_SHOWN_CHARS else f"{cut[: MAX_SHOWN_CHARS - 1]}…"
    return _SURROGATE.sub(lambda found: _written_out(ord(found[0])), short)


def _written_out(surrogate: int) -> str:
    return f"\\x{surrogate - 0xDC00:02x}" if surrogate >= 0xDC80 else f"\\u{surrogate:04x}"
