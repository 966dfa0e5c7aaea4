"""One file: its bytes as they are stored, or unpacked, and their hash.

In: a path. Out: an open file. `.gz`, `.bz2`, `.xz` and `.zst` are unpacked as they are read; a file that is cut short
is an error, never a shorter file.
"""

import bz2
import glob
import gzip
import hashlib
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path, PurePosixPath
from typing import IO, Any, TextIO, cast

import pyarrow as pa

from instruction_kit.errors import SourceError, nearest
from instruction_kit.source.raw import Where


def _zstd(file: Any) -> Any:
    return pa.CompressedInputStream(pa.PythonFile(file), "zstd")


UNPACKED: dict[str, Callable[[Any], Any]] = {
    ".gz": lambda file: gzip.GzipFile(fileobj=file),
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
    ".zst": _zstd,
}
"""Suffix -> what unpacks."""

_DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError, pa.ArrowException)
"""What the unpackers raise over a file that is not whole."""


@dataclass(frozen=True)
class File:
    """One file by its path."""

    address: str

    def __str__(self) -> str:
        return self.address

    @property
    def packing(self) -> str:
        """The suffix that says how the file is packed, or an empty text."""
        suffix = PurePosixPath(self.address).suffix.lower()
        return suffix if suffix in UNPACKED else ""

    @property
    def suffix(self) -> str:
        """The suffix that says what the file holds, behind that of its packing."""
        return PurePosixPath(self.address[: len(self.address) - len(self.packing)]).suffix.lower()

    @contextmanager
    def stored(self) -> Iterator[BufferedIOBase]:
        """The bytes as they lie there."""
        with Path(self.address).open("rb") as file:
            yield file

    @contextmanager
    def opened(self) -> Iterator[BufferedIOBase]:
        """The bytes, unpacked.

        Raises:
            SourceError: the file is not whole.

        """
        with self.stored() as file:
            if not self.packing:
                yield file
                return
            try:
                with UNPACKED[self.packing](file) as unpacked:
                    yield unpacked
            except _DAMAGE as error:
                raise SourceError(f"{self}: not a whole {self.packing} file ({error}); fetch it again") from error

    @contextmanager
    def decoded(self, encoding: str) -> Iterator[TextIO]:
        """The text; a byte that is not of the encoding becomes a lone surrogate, and no line end is another.

        Raises:
            SourceError: the file is not whole, or is of an encoding in which no single line can be blamed.

        """
        try:
            with (
                self.opened() as file,
                io.TextIOWrapper(cast("IO[bytes]", file), encoding, "surrogateescape", newline="\n") as text,
            ):
                yield text
        except UnicodeError as error:  # such as UTF-16 without its mark
            raise SourceError(f"{self}: cannot be read as {encoding} ({error}); state its encoding=") from error

    def content(self) -> str:
        """Hash of the bytes as they lie there."""
        with self.stored() as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def existing(name: str, where: Where) -> File:
    """The file of this name.

    Raises:
        SourceError: there is none; told with the nearest one beside it.

    """
    path = where.resolve(name)
    if not path.is_file():
        hint = "the folder does not exist either"
        if path.parent.is_dir():
            hint = (
                f"it is a folder; for the files in it write a pattern such as {name.rstrip('/')}/*"
                if path.is_dir()
                else nearest(path.name, [file.name for file in path.parent.iterdir()])
            )
        raise SourceError(f"{path}: no such file; {hint} ({_base(where)})")
    return File(str(path))


def _base(where: Where) -> str:
    if where.data_dir:
        return "paths are relative to data_dir"
    return "paths are relative to the folder of the task file; set data_dir (--data-dir) if the data lie elsewhere"


def is_pattern(name: str) -> bool:
    """Whether a name stands for all files that it matches."""
    return "*" in name


def matching(pattern: str, where: Where) -> list[str]:
    """The names that match a pattern, by code points: the same order on every machine.

    Raises:
        SourceError: there is none.

    """
    base = where.resolve("")
    found = [name for name in glob.glob(pattern, root_dir=base, recursive=True) if where.resolve(name).is_file()]  # noqa: PTH207 - Path.glob takes no absolute pattern
    if not found:
        raise SourceError(f"{where.resolve(pattern)}: no file matches ({_base(where)})")
    return sorted(Path(name).as_posix() for name in found)
