"""Shards: which pair goes where, runs on disk, and the merge of the runs of one shard into its file.

In: pairs with order key and home. Out: run files, then shards. A shard holds one range of order keys, so every shard
has the mixture in its right proportions, and the files one after another are the mixture in its order. The number of
shards follows from the number of pairs, never from workers.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pyarrow as pa

from instruction_kit.build.commit import write_frame, write_table
from instruction_kit.build.render import HOME, ORDER
from instruction_kit.render.pair import PAIR_SCHEMA

SHARD_PAIRS = 100_000
BATCH_PAIRS = 20_000
TRAIN_SPLITS = ("train", "validation", "seen")


@dataclass(frozen=True)
class ShardUnit:
    """One file of the built folder."""

    config: Literal["train", "held_out"]
    split: str
    number: int
    count: int
    """Shards of this split."""

    def __str__(self) -> str:
        return f"shard {self.path}"

    @property
    def path(self) -> str:
        """Relative to the built folder."""
        return f"{self.config}/{self.split}-{self.number:05d}-of-{self.count:05d}.parquet"

    @property
    def run(self) -> str:
        """Name of this shard's run in each scan's folder of runs."""
        return f"{self.config}--{self.split}--{self.number:05d}.parquet"


def num_shards(planned: Mapping[str, int]) -> dict[str, int]:
    """Home -> in how many shards its pairs come, for the number of pairs that is planned."""
    return {home: max(1, -(-pairs // SHARD_PAIRS)) for home, pairs in planned.items()}


def shard_units(counts: Mapping[str, int]) -> dict[str, list[ShardUnit]]:
    """Home -> its shards, for the number of shards of each home."""
    units = {}
    for home, count in counts.items():
        config: Literal["train", "held_out"] = "train" if home in TRAIN_SPLITS else "held_out"
        units[home] = [ShardUnit(config, home, number, count) for number in range(count)]
    return units


def write_runs(
    folder: Path, pairs: Iterable[Mapping[str, Any]], units: Mapping[str, Sequence[ShardUnit]]
) -> dict[str, int]:
    """Write one sorted run for each shard that these pairs touch; the result is run name -> pairs."""
    schema = PAIR_SCHEMA.insert(0, pa.field(ORDER, pa.uint64()))
    parts: dict[str, list[pa.Table]] = {}
    for batch in _batched(pairs):
        by_run: dict[str, list[Mapping[str, Any]]] = {}
        for pair in batch:
            shards = units[pair[HOME]]
            by_run.setdefault(shards[(pair[ORDER] * len(shards)) >> 64].run, []).append(pair)
        for run, records in by_run.items():
            columns = {name: [record[name] for record in records] for name in schema.names}
            parts.setdefault(run, []).append(pa.table(columns, schema=schema))
    for run, tables in parts.items():
        write_frame(folder / run, _sorted(pl.DataFrame(pl.from_arrow(pa.concat_tables(tables)))))
    return {run: sum(table.num_rows for table in tables) for run, tables in sorted(parts.items())}


def _batched(pairs: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    source = iter(pairs)
    while batch := list(islice(source, BATCH_PAIRS)):
        yield batch


def _sorted(frame: pl.DataFrame) -> pl.DataFrame:
    """By order key; what shares one (the phrasings of one measured row, or a collision) by provenance."""
    return frame.sort(ORDER, "task", "row", "setting", "template", "round")


def merge(unit: ShardUnit, runs: Sequence[Path], out: Path) -> int:
    """Merge one shard's runs and commit its file; the result is its number of pairs."""
    frames = [pl.read_parquet(run) for run in runs if run.is_file()]
    if not frames:
        return 0
    merged = _sorted(pl.concat(frames)).drop(ORDER)
    write_table(out / unit.path, merged.rechunk().to_arrow().cast(PAIR_SCHEMA))
    return merged.height
