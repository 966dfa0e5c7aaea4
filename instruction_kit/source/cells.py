"""CSV and TSV: each record a row of texts.

In: a file, its delimiter and quoting. Out: rows. A record that cannot be one costs its own line: where quotes do not
match, the reading goes on with the line after the one in which the record began.
"""

import csv
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import Literal

from instruction_kit.errors import SourceError
from instruction_kit.source.file import File
from instruction_kit.source.row import Row
from instruction_kit.source.text import MAX_RECORD_CHARS, bad_byte, lines, without_end

Quoting = Literal["minimal", "none"]
MAX_RUNAWAYS = 20
"""Unclosed quotes that are read past; each costs the reading of what follows up to the end of the file."""
_PLAIN = "if quotes are plain characters here, state quoting='none'"
_CR = "\ud800"
"""A lone surrogate, which no decoded line can hold."""


def cell_rows(
    file: File, encoding: str, *, delimiter: str, quoting: Quoting, header: bool, names: Sequence[str] | None
) -> Iterator[Row]:
    """Delimited cells, each as text; an empty cell is an empty text."""
    records = (_split_records if quoting == "none" else _quoted_records)(file, encoding, delimiter)
    if header:
        first = next(records, None)
        names = [] if first is None else _header(file, first, encoding)
    for number, record in enumerate(records):
        yield _cell_row(number, record, encoding, list(names or ()))


def _split_records(file: File, encoding: str, delimiter: str) -> Iterator[list[str] | str]:
    for text in lines(file, encoding):
        yield without_end(text).split(delimiter)


def _quoted_records(file: File, encoding: str, delimiter: str) -> Iterator[list[str] | str]:
    """Where quotes do not match, the line in which the record began is lost and the reading goes on with the next one.

    Otherwise one stray quote would take with it every line up to wherever the next quote happens to stand.
    """
    csv.field_size_limit(MAX_RECORD_CHARS)
    record, runaways = _Record(lines(file, encoding)), 0
    reader = csv.reader(record.feed(), delimiter=delimiter, strict=True)
    while True:
        try:
            yield record.cells(next(reader))
        except StopIteration:
            return
        except csv.Error as error:
            runaways += record.ran_out
            if runaways > MAX_RUNAWAYS:
                raise SourceError(
                    f"{file}: more than {MAX_RUNAWAYS} quotes open a cell and never close it; {_PLAIN}"
                ) from error
            yield f"quotes do not match ({error}); {_PLAIN}"
            record.back_to_its_second_line()
            reader = csv.reader(record.feed(), delimiter=delimiter, strict=True)


class _Record:
    """The lines that the parser has taken for the record at hand, so that they can be taken back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self.ran_out = False

    def feed(self) -> Iterator[str]:
        """The parser takes a lone carriage return for a line end, so it is shown something else."""
        chars = 0
        while line := self._again.popleft() if self._again else next(self._lines, None):
            chars = len(line) + (chars if self._taken else 0)
            self._taken.append(line)
            if chars > MAX_RECORD_CHARS and len(self._taken) > 1:
                break
            yield line.replace("\r", _CR).replace(f"{_CR}\n", "\r\n") if "\r" in line else line
        self.ran_out = True

    def cells(self, cells: list[str]) -> list[str]:
        """The record is whole."""
        has_cr = any("\r" in line for line in self._taken)
        self._taken.clear()
        return [cell.replace(_CR, "\r") for cell in cells] if has_cr else cells

    def back_to_its_second_line(self) -> None:
        """The record cannot be one."""
        self._again.extendleft(reversed(self._taken[1:]))
        self._taken.clear()
        self.ran_out = False


def _header(file: File, record: list[str] | str, encoding: str) -> list[str]:
    mend = "mend the header, or give header=False and columns=[…]"
    problem = record if isinstance(record, str) else bad_byte("".join(record), encoding)
    if problem or not any(record):
        raise SourceError(f"{file}:1: the header cannot be read: {problem or 'blank line'}; {mend}")
    if twice := [name for name, number in Counter(record).items() if number > 1]:
        raise SourceError(f"{file}:1: the header names the column {twice[0]!r} twice; {mend}")
    return list(record)


def _cell_row(number: int, record: list[str] | str, encoding: str, names: list[str]) -> Row:
    if isinstance(record, str):
        return Row(number, None, record)
    if len(record) != len(names):
        cells = "blank line" if record in ([], [""]) else f"{len(record)} cells for {len(names)} columns"
        return Row(number, None, cells)
    problem = bad_byte("".join(record), encoding)
    return Row(number, None, problem) if problem else Row(number, dict(zip(names, record, strict=True)))
