"""Files that are either whole or not there: written beside their final name, synced, renamed, with a receipt.

In: a path and what to write. Out: the file, and its hash. One builder at a time owns a folder.
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from instruction_kit.errors import BuildError
from instruction_kit.library import text_hash


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def committed(path: Path) -> Iterator[Path]:
    """Give a path to write to; after the block it is synced and takes its final name.

    Raises:
        BuildError: the disk is full, or the folder cannot be written to; nothing is left behind.

    """
    beside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        beside.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise BuildError(f"{path}: cannot be written: {error}; mend that and build again") from error
    finally:
        beside.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write a text file at one go."""
    with committed(path) as beside:
        beside.write_text(text, encoding="utf-8")


def write_table(path: Path, table: pa.Table) -> None:
    """Write a Parquet file whose bytes follow from the table alone."""
    with committed(path) as beside:
        pq.write_table(table, beside, compression="zstd", row_group_size=20_000)


def write_frame(path: Path, frame: pl.DataFrame) -> None:
    """Write a Polars frame as Parquet."""
    write_table(path, frame.rechunk().to_arrow())


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON that reads well and diffs well."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def receipt(path: Path, files: Mapping[str, Path], values: Mapping[str, Any]) -> None:
    """Say that a unit is done: its numbers, the hash of every file it wrote, and the hash of these."""
    said = {"values": values, "files": {name: file_hash(file) for name, file in files.items()}}
    write_json(path, {**said, "hash": _said_hash(said)})


def read_receipt(path: Path, files: Mapping[str, Path]) -> dict[str, Any] | None:
    """The numbers of a unit that is done; None if its receipt is missing, or it or a file is not what it was."""
    if not path.is_file():
        return None
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        sound = said.pop("hash") == _said_hash(said)
    except (ValueError, KeyError, TypeError, AttributeError):  # no JSON, or none of ours
        return None
    hashes = said["files"] if sound else {}
    whole = set(hashes) == set(files) and all(f.is_file() and file_hash(f) == hashes[n] for n, f in files.items())
    return dict(said["values"]) if whole and sound else None


def _said_hash(said: Mapping[str, Any]) -> str:
    return text_hash(json.dumps(said, sort_keys=True))


@contextmanager
def owned(folder: Path) -> Iterator[int]:
    """Own a folder while working in it; where only the lock is left in it at the end, it goes with the lock.

    The lock is the kernel's, so that a killed build leaves none behind: it goes with the last process that has the
    handle, which the block is given.

    Raises:
        BuildError: another build owns it, or it cannot be written to.

    """
    above = folder.parent.exists()
    lock = folder / "lock"
    try:
        handle = _locked(lock)
    except BlockingIOError:
        owner = lock.read_text(encoding="utf-8").strip() or "another process"
        told = f"{owner} is building into this folder; wait for it or name another one"
        raise BuildError(f"{folder.parent}: {told}") from None
    except OSError as error:
        raise BuildError(f"{folder.parent}: cannot be written: {error.strerror}; name another folder") from error
    try:
        os.ftruncate(handle, 0)
        os.write(handle, f"process {os.getpid()}".encode())
        yield handle
    finally:
        if [path.name for path in folder.iterdir()] == [lock.name]:
            lock.unlink()
            for path in (folder, *(() if above else (folder.parent,))):
                with suppress(OSError):  # another build began here, or there are other files
                    path.rmdir()
        os.close(handle)


@contextmanager
def workshop(folder: Path) -> Iterator[Path]:
    """An empty folder to make something in, and to rename when it is made; another process that wants it waits.

    Raises:
        BuildError: it cannot be written to.

    """
    try:
        handle = _locked(folder, folder=True)
    except OSError as error:
        raise BuildError(f"{folder}: cannot be written: {error}; set INSTRUCTION_KIT_CACHE elsewhere") from error
    try:
        for left in folder.iterdir():  # by one that was killed
            left.unlink()
        yield folder
    finally:
        if _is(folder, handle):
            shutil.rmtree(folder)
        os.close(handle)


def _locked(path: Path, *, folder: bool = False) -> int:
    """Lock a file or a folder, made if need be; once more where it went away between the opening and the locking."""
    while True:
        (path if folder else path.parent).mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_RDONLY if folder else os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:  # it went with another build that ended
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if folder else fcntl.LOCK_NB))
        except OSError:
            os.close(handle)
            raise
        if _is(path, handle):
            return handle
        os.close(handle)


def _is(path: Path, handle: int) -> bool:
    """Whether the name still stands for what was opened."""
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False
