"""CSV and TSV: each record a row of texts.

In: a file, its delimiter and quoting. Out: rows. A record that cannot be one costs its own line: where quotes do not
match, the reading goes on with the line after the one in which the record began.
"""

import csv
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from instruction_kit.errors import SourceError
from instruction_kit.source.file import File
from instruction_kit.source.row import CUT, Row
from instruction_kit.source.text import MAX_RECORD_CHARS, bad_byte, lines, without_end

Quoting = Literal["minimal", "none"]
MAX_RUNAWAYS = 20
"""Unclosed quotes that are read past; each costs the reading of what follows up to the end of the file."""
_PLAIN = "if quotes are plain characters here, state quoting='none'"
_CR = "\ud800"
"""A lone surrogate, which no decoded line can hold."""
_CUT_LINE = f"{CUT}\n"


class _Cells(NamedTuple):
    """The cells of one record, or what is wrong with it and the line in which it began."""

    line: int
    cells: list[str]
    problem: str = ""


def cell_rows(
    file: File, encoding: str, *, delimiter: str, quoting: Quoting, header: bool, names: Sequence[str] | None
) -> Iterator[Row]:
    """Delimited cells, each as text; an empty cell is an empty text."""
    records = (_split_records if quoting == "none" else _quoted_records)(file, encoding, delimiter)
    if header:
        first = next(records, None)
        names = [] if first is None else _header(file, first, encoding)
    columns = list(names or ())
    for number, record in enumerate(records):
        if problem := record.problem or _problem(record.cells, encoding, columns):
            yield Row(number, None, record.line, problem, delimiter.join(record.cells))
        else:
            yield Row(number, dict(zip(columns, record.cells, strict=True)), record.line)


def _problem(cells: list[str], encoding: str, columns: Sequence[str]) -> str:
    if len(cells) != len(columns):
        return "blank line" if cells in ([], [""]) else f"{len(cells)} cells for {len(columns)} columns"
    return bad_byte("".join(cells), encoding)


def _header(file: File, record: _Cells, encoding: str) -> list[str]:
    mend = "mend the header, or give header=False and columns=[…]"
    problem = record.problem or bad_byte("".join(record.cells), encoding)
    if problem or not any(record.cells):
        raise SourceError(f"{file}:1: the header cannot be read: {problem or 'blank line'}; {mend}")
    if twice := [name for name, number in Counter(record.cells).items() if number > 1]:
        raise SourceError(f"{file}:1: the header names the column {twice[0]!r} twice; {mend}")
    return record.cells


def _split_records(file: File, encoding: str, delimiter: str) -> Iterator[_Cells]:
    for line, text in enumerate(lines(file, encoding), start=1):
        yield _Cells(line, without_end(text).split(delimiter))


def _quoted_records(file: File, encoding: str, delimiter: str) -> Iterator[_Cells]:
    """Where quotes do not match, the line in which the record began is lost and the reading goes on with the next one.

    Otherwise one stray quote would take with it every line up to wherever the next quote happens to stand.
    """
    csv.field_size_limit(MAX_RECORD_CHARS)
    record, runaways = _Record(lines(file, encoding)), 0
    reader = csv.reader(record.feed(), delimiter=delimiter, strict=True)
    while True:
        try:
            yield record.whole(next(reader))
        except StopIteration:
            return
        except csv.Error as error:
            runaways += record.ran_out
            if runaways > MAX_RUNAWAYS:
                raise SourceError(
                    f"{file}: more than {MAX_RUNAWAYS} quotes open a cell and never close it; {_PLAIN}"
                ) from error
            yield record.only_its_first_line(f"quotes do not match ({error}); {_PLAIN}")
            reader = csv.reader(record.feed(), delimiter=delimiter, strict=True)


class _Record:
    """The lines that the parser has taken for the record at hand, so that they can be taken back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self._line = 1
        self.ran_out = False

    def feed(self) -> Iterator[str]:
        """The parser takes a lone carriage return for a line end, so it is shown something else."""
        chars = 0
        while line := self._again.popleft() if self._again else next(self._lines, None):
            chars = len(line) + (chars if self._taken else 0)
            self._taken.append(line)
            if chars > MAX_RECORD_CHARS and len(self._taken) > 1:
                break
            if line.endswith(_CUT_LINE):
                line = _CUT_LINE  # quotes in its beginning would open a cell that its end closes
            yield line.replace("\r", _CR).replace(f"{_CR}\n", "\r\n") if "\r" in line else line
        self.ran_out = True

    def whole(self, cells: list[str]) -> _Cells:
        """The record ends with the last line that was taken."""
        has_cr = any("\r" in line for line in self._taken)
        record = _Cells(self._line, [cell.replace(_CR, "\r") for cell in cells] if has_cr else cells)
        self._line += len(self._taken)
        self._taken.clear()
        return record

    def only_its_first_line(self, problem: str) -> _Cells:
        """The record cannot be one; what follows its first line is read anew."""
        first, *rest = self._taken
        record = _Cells(self._line, [without_end(first)], problem)
        self._line += 1
        self._again.extendleft(reversed(rest))
        self._taken.clear()
        self.ran_out = False
        return record
