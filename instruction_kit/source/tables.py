"""Parquet and Arrow: tables with types of their own.

In: a file. Out: batches. Parquet is read by row group; an Arrow file or stream by its record batches, none of them held
longer than it is read.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from instruction_kit.errors import SourceError
from instruction_kit.source.file import File
from instruction_kit.source.raw import INDEX, Batch, check_columns, rows_at_once

_FILE_MARK = b"ARROW1"
"""How an Arrow file begins; a stream begins otherwise."""


def num_row_groups(file: File) -> int:
    """Of a Parquet file."""
    with _parquet(file) as table:
        return int(table.num_row_groups)


def read_parquet(file: File, group: int, columns: frozenset[str] | None) -> Iterator[Batch]:
    """One row group, in batches."""
    with _parquet(file) as table:
        wanted = _wanted(table.schema_arrow.names, columns, file)
        start = sum(table.metadata.row_group(number).num_rows for number in range(group))
        here = table.metadata.row_group(group)
        at_once = rows_at_once(here.num_rows, here.total_byte_size)
        for rows in table.iter_batches(at_once, row_groups=[group], columns=wanted):
            yield _numbered(pa.table(rows), start)
            start += rows.num_rows


def read_arrow(file: File, columns: frozenset[str] | None) -> Iterator[Batch]:
    """An Arrow file or stream, as many rows at a time as any batch has."""
    start = 0
    for rows in _record_batches(file):
        table = pa.table(rows).select(_wanted(rows.schema.names, columns, file))
        at_once = rows_at_once(rows.num_rows, rows.nbytes)
        for place in range(0, rows.num_rows, at_once):
            yield _numbered(table.slice(place, at_once), start + place)
        start += rows.num_rows


def _record_batches(file: File) -> Iterator[pa.RecordBatch]:
    with file.stored() as opened, _whole(file, "Arrow file or stream"):
        is_file = opened.read(len(_FILE_MARK)) == _FILE_MARK
        opened.seek(0)
        if not is_file:
            with pa.ipc.open_stream(opened) as stream:
                yield from stream
            return
        with pa.ipc.open_file(opened) as batches:
            for number in range(batches.num_record_batches):
                yield batches.get_batch(number)


def _wanted(names: list[str], columns: frozenset[str] | None, file: File) -> list[str]:
    wanted = [name for name in names if columns is None or name in columns]
    check_columns(wanted, where=str(file))
    return wanted


def _numbered(table: pa.Table, start: int) -> Batch:
    """The index is what gives a frame without columns its height."""
    index = pl.int_range(start, start + table.num_rows, dtype=pl.Int64, eager=True).alias(INDEX)
    return Batch(pl.DataFrame(pl.from_arrow(table)).with_columns(index))


@contextmanager
def _parquet(file: File) -> Iterator[pq.ParquetFile]:
    with file.stored() as opened, _whole(file, "Parquet file"), pq.ParquetFile(opened) as table:
        yield table


@contextmanager
def _whole(file: File, what: str) -> Iterator[None]:
    """Arrow says ArrowInvalid of some damage and OSError of other."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        said = str(error).splitlines()[0]
        raise SourceError(f"{file}: not a whole {what} ({said}); fetch it again") from error
