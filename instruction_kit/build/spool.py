"""Frames that wait on disk until all have been seen, so that memory stays flat however many there are.

In: frames of one layout. Out: the same frames, one after another, as often as they are asked for.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO

import polars as pl


class Spool:
    """Frames in a file that nobody else sees."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._starts: list[int] = []

    def write(self, frame: pl.DataFrame) -> None:
        """Put one at the end."""
        self._starts.append(self._file.seek(0, 2))
        frame.write_ipc_stream(self._file)

    def frames(self) -> Iterator[pl.DataFrame]:
        """Every one, in the order in which they came."""
        for start in self._starts:
            self._file.seek(start)
            yield pl.read_ipc_stream(self._file)


@contextmanager
def spool() -> Iterator[Spool]:
    """Open one; it is gone with the block."""
    with TemporaryFile() as file:
        yield Spool(file)
