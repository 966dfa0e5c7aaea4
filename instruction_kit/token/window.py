"""A built Parquet file, read by windows of pairs.

In goes a file, out come record batches of `WINDOW` pairs in their order, each pair with its position among all pairs of
the split. Where the pairs of some tasks alone are wanted, windows are made of these alone: they are those of a mixture
without the others. Memory holds two windows: one is worked on while the next is made.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

T = TypeVar("T")

WINDOW = 16_384  # pairs among which a pack's are found; another number gives other packs
WINDOW_BYTES = 2**27  # of text; fewer pairs where they are very long
READ_ROWS = 1_024


@contextmanager
def system_memory() -> Iterator[None]:
    """Take Arrow's memory from the system for a while.

    Arrow's own pool gives every window fresh pages, and where the kernel makes these large ones it clears far more
    than is used: that took as long as encoding. What was made meanwhile stays valid afterwards.
    """
    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(before)


def ahead(items: Iterator[T]) -> Iterator[T]:
    """Make the next item in a thread of its own while this one is worked on."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(next, items, None)
        while (item := future.result()) is not None:
            future = pool.submit(next, items, None)
            yield item


def windows(origin: Path, columns: Sequence[str], *, first: int, tasks: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Read a file by windows that follow from the pairs of the named tasks alone, whatever its row groups.

    Args:
        origin: a Parquet file of a built folder.
        columns: which of its columns are read; each window has `position` beside them.
        first: the position of the file's first pair.
        tasks: whose pairs are read.

    """
    held: list[pa.RecordBatch] = []
    pairs = size = 0
    for batch in _read(origin, list(dict.fromkeys(columns)), first):
        wanted = pc.is_in(batch["task"], pa.array(tasks))
        read = batch if pc.all(wanted).as_py() else batch.filter(wanted)
        while len(read):
            until = _bytes_until(read)
            taken = min(int(np.searchsorted(until, WINDOW_BYTES - size, side="right")), WINDOW - pairs)
            taken = max(taken, 0 if held else 1)  # one that fits no window has one of its own
            held.append(read[:taken])
            pairs, size = pairs + taken, size + int(until[:taken].max(initial=0))
            read = read[taken:]
            if len(read) or pairs == WINDOW:
                yield pa.concat_batches(held)
                held, pairs, size = [], 0, 0
    if held:
        yield pa.concat_batches(held)


def _read(origin: Path, columns: list[str], first: int) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(origin) as parquet:
        for batch in parquet.iter_batches(batch_size=READ_ROWS, columns=columns):
            yield batch.append_column("position", pa.array(np.arange(first, first + len(batch))))
            first += len(batch)


def _bytes_until(read: pa.RecordBatch) -> npt.NDArray[np.int64]:
    """Count the bytes of text up to the end of each pair."""
    return np.cumsum(sum(pc.binary_length(read[side]).to_numpy().astype(np.int64) for side in ("prompt", "completion")))
