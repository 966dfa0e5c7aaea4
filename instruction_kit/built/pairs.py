"""The pairs of a built folder: lazily, all at once, or file by file in batches.

In: a folder and shards of its manifest. Out: frames. Nothing is read here that the caller does not ask for.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from instruction_kit.build.manifest import Manifest, Shard
from instruction_kit.errors import BuildError
from instruction_kit.render.pair import PAIR_SCHEMA

BATCH_ROWS = 20_000
ROWS_AT_ONCE = 2_000_000
"""Pairs whose rows are told apart at a time."""
ROW = ("task", "split", "row")
"""What names a row of a source."""
CONFIG, HOME = "config", "home"
"""Columns beside those of the files: the config and the split of the built mixture that a pair stands in."""
NUMBER = "_number"
"""Column of a pair's number in its file."""

_EMPTY = pl.DataFrame(pl.from_arrow(PAIR_SCHEMA.empty_table())).lazy()


def pair_shards(shards: Iterable[Shard]) -> list[Shard]:
    """Those that hold pairs; others say what is not there, and why."""
    return [shard for shard in shards if shard.config in ("train", "held_out")]


def check_there(folder: Path, manifest: Manifest) -> None:
    """Refuse a folder that lacks pairs, before any work.

    Raises:
        BuildError: a file is missing.

    """
    for shard in pair_shards(manifest.shards):
        if not (folder / shard.path).is_file():
            raise BuildError(f"{folder / shard.path}: is missing; {_VERIFY.format(folder)}")


_VERIFY = "instruction-kit verify {} tells what is wrong"


@contextmanager
def pairs_of(folder: Path, manifest: Manifest) -> Iterator[list[Shard]]:
    """The shards that hold pairs, for work in the block that reads them.

    Raises:
        BuildError: a file is missing, or turns out in the block to be something else.

    """
    check_there(folder, manifest)
    try:
        yield pair_shards(manifest.shards)
    except (pa.ArrowException, pl.exceptions.PolarsError) as error:
        why = str(error).splitlines()[0]
        raise BuildError(f"{folder}: its pairs cannot be read ({why}); {_VERIFY.format(folder)}") from error


def scan_pairs(folder: Path, shards: Sequence[Shard], *splits: str) -> pl.LazyFrame:
    """The pairs of these splits, of all where none is named."""
    frames = [_EMPTY.with_columns(pl.lit("").alias(CONFIG), pl.lit("").alias(HOME))]
    for shard in pair_shards(shards):
        if shard.split in splits or not splits:
            pairs = pl.scan_parquet(folder / shard.path)
            frames.append(pairs.with_columns(pl.lit(shard.config).alias(CONFIG), pl.lit(shard.split).alias(HOME)))
    return pl.concat(frames)


def batches(path: Path, *, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
    """A file of pairs piece by piece, each pair with its number."""
    start = 0
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH_ROWS, columns=None if columns is None else list(columns)):
            frame = pl.DataFrame(pl.from_arrow(batch)).with_row_index(NUMBER, offset=start)
            start += frame.height
            yield frame


def count_rows(folder: Path, shards: Sequence[Shard], *by: str) -> pl.DataFrame:
    """Different rows of sources in each group of pairs, as `rows`.

    Rows are told apart in parts of a bounded size, so that memory does not grow with the folder.
    """
    num_parts = -(-sum(shard.rows for shard in pair_shards(shards)) // ROWS_AT_ONCE) or 1
    keys = tuple(dict.fromkeys((*by, "task", "split")))
    counts = []
    for part in range(num_parts):
        here = scan_pairs(folder, shards).filter(pl.col("row").hash() % num_parts == part)
        counts.append(here.group_by(keys).agg(pl.col("row").n_unique().alias("rows")).collect(engine="streaming"))
    return pl.concat(counts).group_by(by).agg(pl.col("rows").sum())
