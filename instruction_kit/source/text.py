"""Plain text: each line a row, each block of lines, or the whole file.

A line ends at a line feed and nowhere else: U+2028, U+0085 and a lone carriage return are data. A line whose bytes are
not of the stated encoding is a problem of its row, never of the file.
"""

import codecs
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import TextIO

from instruction_kit.source.file import File
from instruction_kit.source.row import Row

MAX_LINE_CHARS = 2**23
"""A line beyond this is no row; it is never held whole."""
MAX_RECORD_CHARS = 2**26
"""Of what makes one row of several lines: a csv record, a block, a file."""
_LONG = "\ud801"
"""A lone surrogate, which no decoded line can hold."""


def lines(file: File, encoding: str) -> Iterator[str]:
    """Each line with its line feed; a byte that is not of the encoding is a lone surrogate in it."""
    with file.decoded(codec(encoding)) as text:
        while line := text.readline(MAX_LINE_CHARS):
            yield line if len(line) < MAX_LINE_CHARS or line.endswith("\n") else _skipped(text)


def codec(encoding: str) -> str:
    """Python's name for it; a mark at the start of UTF-8 is the file's, not the text's."""
    return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding


def _skipped(text: TextIO) -> str:
    """The rest of a line is read and forgotten; what stands for it is no text."""
    while (rest := text.readline(MAX_LINE_CHARS)) and not rest.endswith("\n"):
        pass
    return f"{_LONG}\n"


def without_end(line: str) -> str:
    """Without the line feed, and the carriage return before it."""
    return line[:-2] if line.endswith("\r\n") else line.removesuffix("\n")


def bad_byte(text: str, encoding: str) -> str:
    """What is wrong with a text that was decoded with surrogateescape, or an empty text."""
    found = surrogate(text)
    if found == ord(_LONG):
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
        problem = bad_byte(text, encoding)
        yield Row(index, None, problem) if problem else Row(index, {"line": without_end(text)})


def block_rows(file: File, encoding: str) -> Iterator[Row]:
    """Lines that stand together, between lines of nothing but white space, as the one column `lines`."""
    for index, block in enumerate(_blocks(file, encoding)):
        problem = block if isinstance(block, str) else next(filter(None, (bad_byte(t, encoding) for t in block)), "")
        yield Row(index, None, problem) if problem else Row(index, {"lines": [without_end(text) for text in block]})


def _blocks(file: File, encoding: str) -> Iterator[list[str] | str]:
    block: list[str] = []
    chars = 0
    for line in lines(file, encoding):
        chars += len(line)
        if line.strip() and chars <= MAX_RECORD_CHARS:
            block.append(line)
        elif line.strip():
            block.clear()
        else:
            if chars > MAX_RECORD_CHARS:
                yield too_long()
            elif block:
                yield block
            block, chars = [], 0
    if chars > MAX_RECORD_CHARS:
        yield too_long()
    elif block:
        yield block


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
        yield Row(index, None, problem) if problem else Row(index, told)
