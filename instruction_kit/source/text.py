"""Plain text: each line a row, each block of lines, or the whole file.

A line ends at a line feed and nowhere else: U+2028, U+0085 and a lone carriage return are data. A line whose bytes are
not of the stated encoding is a problem of its row, never of the file.
"""

import codecs
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import PurePosixPath
from typing import TextIO

from instruction_kit.source.file import File
from instruction_kit.source.raw import MAX_SHOWN_CHARS
from instruction_kit.source.row import CUT, Row

MAX_LINE_CHARS = 2**23
"""A line beyond this is no row; it is never held whole."""
MAX_RECORD_CHARS = 2**26
"""Of what makes one row of several lines: a csv record, a block, a file."""


def lines(file: File, encoding: str) -> Iterator[str]:
    """Each line with its line feed; a byte that is not of the encoding is a lone surrogate in it."""
    with file.decoded(codec(encoding)) as text:
        while line := text.readline(MAX_LINE_CHARS):
            yield line if len(line) < MAX_LINE_CHARS or line.endswith("\n") else _skipped(line, text)


def codec(encoding: str) -> str:
    """Python's name for it; a mark at the start of UTF-8 is the file's, not the text's."""
    return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding


def _skipped(line: str, text: TextIO) -> str:
    """The rest of a line is read and forgotten; its beginning is kept, and ends as no text does."""
    while (rest := text.readline(MAX_LINE_CHARS)) and not rest.endswith("\n"):
        pass
    return f"{line[: MAX_SHOWN_CHARS + 1]}{CUT}\n"


def without_end(line: str) -> str:
    """Without the line feed, and the carriage return before it."""
    return line[:-2] if line.endswith("\r\n") else line.removesuffix("\n")


def bad_byte(text: str, encoding: str) -> str:
    """What is wrong with a text that was decoded with surrogateescape, or an empty text."""
    found = surrogate(text)
    if found and CUT in text:
        return f"a line of more than {MAX_LINE_CHARS} characters"
    return f"not valid {encoding} (byte 0x{found - 0xDC00:02X})" if found else ""


def surrogate(text: str) -> int:
    """The first lone surrogate of a text, or 0."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        return ord(text[error.start])
    return 0


def line_rows(file: File, encoding: str) -> Iterator[Row]:
    """Each line as the one column `line`, without its line end."""
    for index, text in enumerate(lines(file, encoding)):
        if problem := bad_byte(text, encoding):
            yield Row(index, None, index + 1, problem, text)
        else:
            yield Row(index, {"line": without_end(text)}, index + 1)


def block_rows(file: File, encoding: str) -> Iterator[Row]:
    """Lines that stand together, between lines of nothing but white space, as the one column `lines`."""
    for index, (place, block, chars) in enumerate(_blocks(file, encoding)):
        bad = next(((problem, text) for text in block if (problem := bad_byte(text, encoding))), None)
        if chars > MAX_RECORD_CHARS:
            yield Row(index, None, place, too_long(), block[0])
        elif bad:
            yield Row(index, None, place, *bad)
        else:
            yield Row(index, {"lines": [without_end(text) for text in block]}, place)


def _blocks(file: File, encoding: str) -> Iterator[tuple[int, list[str], int]]:
    """The line on which each begins, its lines, and its length; of one beyond all measure not all is held."""
    block: list[str] = []
    place = chars = 0
    for number, line in enumerate(chain(lines(file, encoding), [""]), start=1):
        if line.strip():
            place, chars = place or number, chars + len(line)
            if not block or chars <= MAX_RECORD_CHARS:
                block.append(line)
        elif block:
            yield place, block, chars
            block, place, chars = [], 0, 0


def too_long() -> str:
    """What is wrong with a row of several lines that never ends."""
    return f"more than {MAX_RECORD_CHARS} characters"


def file_rows(files: Sequence[tuple[str, File]], encoding: str) -> Iterator[Row]:
    """Each file as one row: `text`, and `path`, `folder` and `name` that tell where it lies."""
    for index, (name, file) in enumerate(files):
        with file.decoded(codec(encoding)) as opened:
            text = opened.read(MAX_RECORD_CHARS + 1)
        problem = bad_byte(text, encoding) if len(text) <= MAX_RECORD_CHARS else too_long()
        path = PurePosixPath(name)
        told = {"path": name, "folder": path.parent.name, "name": path.name, "text": text}
        yield Row(index, None, name, problem, text) if problem else Row(index, told, name)
