"""Readers of text formats: plain lines, JSON Lines, CSV and TSV.

In: a path and how it is written. Out: batches. A line ends at a line feed and nowhere else: U+2028, U+0085 and a lone
carriage return are data. A line whose bytes are not of the stated encoding is a problem of that line, never of the
file.
"""

import codecs
import csv
import json
from collections import Counter, deque
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple, TextIO

from instruction_kit.errors import SourceError
from instruction_kit.source.raw import BATCH_ROWS, Batch, check_columns
from instruction_kit.source.tabulate import Tabulator

Quoting = Literal["minimal", "none"]
MAX_LINE_CHARS = 2**23
"""A line beyond this is no row; it is never held whole."""
MAX_RECORD_CHARS = 2**26
"""Of a csv record; what is longer is a quote that was never closed."""
MAX_RUNAWAYS = 20
"""Unclosed quotes that are read past; each costs the reading of what follows up to the end of the file."""
_PLAIN = "if quotes are plain characters here, state quoting='none'"
_CR, _LONG = "\ud800", "\ud801"
"""Lone surrogates, which no decoded line can hold."""


class Row(NamedTuple):
    """One parsed row, or what is wrong with it."""

    number: int
    values: dict[str, Any] | None
    problem: str = ""


def _lines(path: Path, encoding: str) -> Iterator[str]:
    codec = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
    try:
        with path.open(encoding=codec, errors="surrogateescape", newline="\n") as file:
            while line := file.readline(MAX_LINE_CHARS):
                yield line if len(line) < MAX_LINE_CHARS or line.endswith("\n") else _skipped(file)
    except UnicodeError as error:  # what no line can be blamed for, such as UTF-16 without its mark
        raise SourceError(f"{path}: cannot be read as {encoding} ({error}); state its encoding=") from error


def _skipped(file: TextIO) -> str:
    """The rest of a line is read and forgotten; what stands for it is no text."""
    while (rest := file.readline(MAX_LINE_CHARS)) and not rest.endswith("\n"):
        pass
    return f"{_LONG}\n"


def _without_end(line: str) -> str:
    """Without the line feed, and the carriage return before it."""
    return line[:-2] if line.endswith("\r\n") else line.removesuffix("\n")


def _bad_byte(text: str, encoding: str) -> str:
    """What is wrong with a text that was decoded with surrogateescape, or an empty text."""
    surrogate = _surrogate(text)
    if surrogate == ord(_LONG):
        return f"a line of more than {MAX_LINE_CHARS} characters"
    return f"not valid {encoding} (byte 0x{surrogate - 0xDC00:02X})" if surrogate else ""


def _surrogate(text: str) -> int:
    """The first lone surrogate of a text, or 0."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        return ord(text[error.start])
    return 0


def read_lines(path: Path, *, encoding: str) -> Iterator[Batch]:
    """Each line as the one column `line`, without its line end."""
    return _batches(path, _line_rows(path, encoding))


def _line_rows(path: Path, encoding: str) -> Iterator[Row]:
    for index, text in enumerate(_lines(path, encoding)):
        problem = _bad_byte(text, encoding)
        yield Row(index, None, problem) if problem else Row(index, {"line": _without_end(text)})


def read_jsonl(path: Path, *, encoding: str, columns: frozenset[str] | None) -> Iterator[Batch]:
    """One JSON object a line."""
    return _batches(path, _json_rows(path, encoding), columns)


def _json_rows(path: Path, encoding: str) -> Iterator[Row]:
    decode = json.JSONDecoder(parse_constant=_refuse_constant).decode
    for index, text in enumerate(_lines(path, encoding)):
        yield _json_row(index, text, encoding, decode)


def _json_row(index: int, text: str, encoding: str, decode: Callable[[str], Any]) -> Row:
    if problem := _bad_byte(text, encoding):
        return Row(index, None, problem)
    if not text.strip():
        return Row(index, None, "blank line")
    try:
        value = decode(text)
    except (ValueError, RecursionError) as error:
        return Row(index, None, f"not JSON ({str(error).split(':')[0].lower()})")
    if not isinstance(value, dict):
        return Row(index, None, "not a JSON object")
    if "\\u" in text and (surrogate := _surrogate(json.dumps(value, ensure_ascii=False))):
        return Row(index, None, f"lone surrogate U+{surrogate:04X}")
    return Row(index, value)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def read_csv(
    path: Path,
    *,
    delimiter: str,
    encoding: str,
    quoting: Quoting,
    header: bool,
    names: list[str] | None,
    columns: frozenset[str] | None,
) -> Iterator[Batch]:
    """Delimited cells, each as text; an empty cell is an empty text."""
    split = _split_records if quoting == "none" else _quoted_records
    return _batches(
        path, _csv_rows(path, split(path, encoding, delimiter), encoding, None if header else names), columns
    )


def _split_records(path: Path, encoding: str, delimiter: str) -> Iterator[list[str] | str]:
    for text in _lines(path, encoding):
        yield _without_end(text).split(delimiter)


def _quoted_records(path: Path, encoding: str, delimiter: str) -> Iterator[list[str] | str]:
    """Where quotes do not match, the line in which the record began is lost and the reading goes on with the next one.

    Otherwise one stray quote would take with it every line up to wherever the next quote happens to stand.
    """
    csv.field_size_limit(MAX_RECORD_CHARS)
    record, runaways = _Record(_lines(path, encoding)), 0
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
                    f"{path}: more than {MAX_RUNAWAYS} quotes open a cell and never close it; {_PLAIN}"
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


def _csv_rows(path: Path, records: Iterator[list[str] | str], encoding: str, names: list[str] | None) -> Iterator[Row]:
    if names is None:
        first = next(records, None)
        names = [] if first is None else _header(path, first, encoding)
    for number, record in enumerate(records):
        yield _csv_row(number, record, encoding, names)


def _header(path: Path, record: list[str] | str, encoding: str) -> list[str]:
    mend = "mend the header, or give header=False and columns=[…]"
    problem = record if isinstance(record, str) else _bad_byte("".join(record), encoding)
    if problem or not any(record):
        raise SourceError(f"{path}:1: the header cannot be read: {problem or 'blank line'}; {mend}")
    if twice := [name for name, number in Counter(record).items() if number > 1]:
        raise SourceError(f"{path}:1: the header names the column {twice[0]!r} twice; {mend}")
    return list(record)


def _csv_row(number: int, record: list[str] | str, encoding: str, names: list[str]) -> Row:
    if isinstance(record, str):
        return Row(number, None, record)
    if len(record) != len(names):
        cells = "blank line" if record in ([], [""]) else f"{len(record)} cells for {len(names)} columns"
        return Row(number, None, cells)
    problem = _bad_byte("".join(record), encoding)
    return Row(number, None, problem) if problem else Row(number, dict(zip(names, record, strict=True)))


def _batches(path: Path, rows: Iterator[Row], columns: frozenset[str] | None = None) -> Iterator[Batch]:
    tabulator = Tabulator(columns)
    while part := list(islice(rows, BATCH_ROWS)):
        bad = [(row.number, row.problem) for row in part if row.values is None]
        good = [(row.number, row.values) for row in part if row.values is not None]
        there = frozenset[str]().union(*(values for _, values in good))
        check_columns(there if columns is None else there & columns, where=str(path))
        batch = tabulator.batch(good)
        yield Batch(batch.frame, tuple(sorted((*batch.problems, *bad))))
