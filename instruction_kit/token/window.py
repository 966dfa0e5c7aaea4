"""A built Parquet file, read by windows of pairs.

In goes a file, out come tables of `WINDOW` pairs in their order, each pair with its position among all pairs of the
split. Where the pairs of some tasks alone are wanted, windows are made of these alone: they are those of a mixture
without the others. Memory holds two windows: one is worked on while the next is made.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

T = TypeVar("T")

WINDOW = 16_384  # pairs among which a pack's are found; another number gives other packs
WINDOW_BYTES = 2**27  # of text; fewer pairs where they are very long
READ_ROWS = 1_024


def ahead(items: Iterator[T]) -> Iterator[T]:
    """Make the next item in a thread of its own while this one is worked on."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(next, items, None)
        while (item := future.result()) is not None:
            future = pool.submit(next, items, None)
            yield item


def windows(origin: Path, columns: Sequence[str], *, first: int, tasks: Sequence[str]) -> Iterator[pa.Table]:
    """Read a file by windows that follow from the pairs of the named tasks alone, whatever its row groups.

    Args:
        origin: a Parquet file of a built folder.
        columns: which of its columns are read; each window has `position` beside them.
        first: the position of the file's first pair.
        tasks: whose pairs are read.

    """
    held: list[pa.RecordBatch] = []
    for batch in _read(origin, list(dict.fromkeys(columns)), first):
        held.append(batch.filter(pc.is_in(batch["task"], pa.array(tasks))))
        while size := _full(table := pa.Table.from_batches(held)):
            yield table.slice(0, size)
            held = table.slice(size).to_batches()
            if not held:
                break
    if held and (table := pa.Table.from_batches(held)):
        yield table


def _read(origin: Path, columns: list[str], first: int) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(origin) as parquet:
        for batch in parquet.iter_batches(batch_size=READ_ROWS, columns=columns):
            yield batch.append_column("position", pa.array(range(first, first + len(batch)), pa.int64()))
            first += len(batch)


def _full(table: pa.Table) -> int:
    """Say how many of these pairs make a window; 0 where more could still join them."""
    texts = sum(pc.binary_length(table[side]).to_numpy().astype(np.int64) for side in ("prompt", "completion"))
    fitting = min(WINDOW, max(1, int(np.searchsorted(np.cumsum(texts), WINDOW_BYTES, side="right"))))
    return fitting if fitting < len(table) or fitting == WINDOW else 0
