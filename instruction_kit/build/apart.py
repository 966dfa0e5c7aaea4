"""Rows that stand apart from the pairs, each under a config of its own: rejected, overlapping, copies.

In: scans, what rendering lost, and what was found before the draw. Out: their files; those that are whole already are
kept.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import polars as pl

from instruction_kit.build.commit import write_frame
from instruction_kit.build.draw import Drawn
from instruction_kit.build.job import Job
from instruction_kit.build.manifest import Shard, shard_record
from instruction_kit.build.rejected import REJECTED_SCHEMA
from instruction_kit.build.scan import Scan
from instruction_kit.build.work import LOST, runs_folder

Apart = Literal["rejected", "overlap", "duplicates"]


def apart(job: Job, scans: Sequence[Scan], drawn: Drawn, *, kept: Mapping[str, Shard]) -> list[Shard]:
    """Write what is not kept."""
    tasks = sorted({done.unit.task for done in scans})
    rejected = [_file(job, "rejected", name, _rejected(job, name, scans), kept) for name in tasks]
    overlap = _file(job, "overlap", "overlap", drawn.overlap, kept)
    duplicates = _file(job, "duplicates", "duplicates", drawn.duplicates, kept)
    return [shard for shard in (*rejected, overlap, duplicates) if shard]


def _file(job: Job, config: Apart, split: str, rows: pl.DataFrame, kept: Mapping[str, Shard]) -> Shard | None:
    path = f"{config}/{split}-00000-of-00001.parquet"
    if path in kept or not rows.height:
        return kept.get(path)
    write_frame(job.out / path, rows)
    return shard_record(job.out, path, config=config, split=split, rows=rows.height)


def _rejected(job: Job, name: str, scans: Sequence[Scan]) -> pl.DataFrame:
    """What of a task could not be read or mapped, and what no phrasing could take."""
    mine = [done for done in scans if done.unit.task == name]
    frames = [pl.read_parquet(done.folder / "rejected.parquet") for done in mine]
    lost = [_lost(job, done) for done in mine if done.unit.parts]
    return pl.concat([pl.DataFrame(schema=REJECTED_SCHEMA), *frames, *lost])


def _lost(job: Job, done: Scan) -> pl.DataFrame:
    blank = pl.lit(None, dtype=pl.String)
    labels = {"task": pl.lit(done.unit.task), "split": pl.lit(done.unit.split), "file": pl.lit(done.unit.parts[0].name)}
    texts = {"field": pl.lit("phrasing"), "value": blank, "place": blank}
    lost = pl.read_parquet(runs_folder(job.work, done) / LOST)
    return lost.with_columns(**labels, **texts).select(list(REJECTED_SCHEMA))
