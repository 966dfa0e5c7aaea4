"""One file: its bytes as they are stored, or unpacked, and their hash.

In: an address, a path or a URL. Out: an open file. `.gz`, `.bz2`, `.xz` and `.zst` are unpacked as they are read; a
file that is cut short is an error, never a shorter file.
"""

import bz2
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

from instruction_kit.errors import SourceError
from instruction_kit.source import remote
from instruction_kit.source.address import is_url


def _zstd(file: Any) -> Any:
    import pyarrow as pa

    return pa.CompressedInputStream(pa.PythonFile(file), "zstd")


UNPACKED: dict[str, Callable[[Any], Any]] = {
    ".gz": lambda file: gzip.GzipFile(fileobj=file),
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
    ".zst": _zstd,
}
"""Suffix -> what unpacks."""

_DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError)
"""What the unpackers raise over a file that is not whole; pyarrow's, for `.zst`, OSError."""


@dataclass(frozen=True)
class File:
    """One file by its address."""

    address: str

    def __str__(self) -> str:
        return self.address

    @property
    def packing(self) -> str:
        """The suffix that says how the file is packed, or an empty text."""
        suffix = PurePosixPath(self._path).suffix.lower()
        return suffix if suffix in UNPACKED else ""

    @property
    def suffix(self) -> str:
        """The suffix that says what the file holds, behind that of its packing."""
        return PurePosixPath(self._path[: len(self._path) - len(self.packing)]).suffix.lower()

    @property
    def _path(self) -> str:
        """Of a URL, what names the file: neither what it lies in nor what is asked of a server."""
        if not is_url(self.address):
            return self.address
        inner = remote.parts(self.address)[1]
        return inner.partition("?")[0] if inner.startswith("http") else inner

    @contextmanager
    def stored(self) -> Iterator[BufferedIOBase]:
        """The bytes as they lie there.

        Raises:
            SourceError: they cannot be read.

        """
        if is_url(self.address):
            with remote.opened(self.address) as file:
                yield file
            return
        try:
            with Path(self.address).open("rb") as file:
                yield file
        except OSError as error:
            raise SourceError(f"{self}: cannot be read ({error.strerror or error})") from error

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
