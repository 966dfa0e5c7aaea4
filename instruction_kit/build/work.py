"""What each kind of unit does: functions of the job and the unit alone, so that any process may do any of them.

In: a job, and a scan unit, a render unit or a shard unit. Out: what became of it, small enough to be handed on. What
they write is whole or not there and has a receipt, so a unit that is done is not done again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from instruction_kit.build.commit import read_receipt, receipt, write_frame
from instruction_kit.build.drawn import drawn_rows, pool_rows
from instruction_kit.build.job import Job
from instruction_kit.build.manifest import Shard, shard_record
from instruction_kit.build.pool import pools
from instruction_kit.build.render import Renderer, drawn_examples
from instruction_kit.build.scan import Scan, scan
from instruction_kit.build.shard import ShardUnit, merge, shard_units, write_runs
from instruction_kit.build.unit import ScanUnit


@dataclass(frozen=True)
class RenderUnit:
    """The drawn rows of one scan."""

    scan: Scan
    shards: Mapping[str, int]
    """Home of its pairs -> in how many shards they come."""

    def __str__(self) -> str:
        return f"render {self.scan.unit.task} {self.scan.unit.split}"


def scan_unit(job: Job, unit: ScanUnit) -> Scan:
    """Read, map and check one range, or take it from the cache."""
    return scan(unit, task=job.mixture.chosen[unit.task], root=job.cache)


def render_unit(job: Job, unit: RenderUnit) -> dict[str, Any]:
    """Render what was drawn of one scan into runs; the result is what became of it, in numbers."""
    done = unit.scan
    folder = runs_folder(job.work, done)
    if (values := _rendered(folder)) is not None:
        return values
    task = job.mixture.chosen[done.unit.task]
    shown = pools(job.mixture, task, pool_rows(job.work, task.name))
    renderer = Renderer(job.mixture, task, split=done.unit.split, pools=shown)
    pairs = renderer.pairs(*drawn_examples(done.examples, drawn_rows(job.work, done)))
    runs = write_runs(folder, pairs, shard_units(unit.shards))
    lost = folder / LOST
    write_frame(lost, pl.DataFrame(renderer.ledger.lost, schema={"row": pl.String, "reason": pl.String}))
    values = renderer.ledger.numbers()
    receipt(folder / RECEIPT, {LOST: lost, **{run: folder / run for run in runs}}, values)
    return values


RECEIPT, LOST = "receipt.json", "lost.parquet"
"""Of a render unit: its numbers, and the rows that no phrasing could take."""


def runs_folder(work: Path, done: Scan) -> Path:
    """Where the runs of one scan lie."""
    return work / "runs" / done.unit.key


def _rendered(folder: Path) -> dict[str, Any] | None:
    """Numbers of a render unit that is done; its receipt names its own files."""
    mark = folder / RECEIPT
    return read_receipt(mark, {path.name: path for path in folder.glob("*.parquet")}) if mark.is_file() else None


def shard_unit(job: Job, unit: ShardUnit) -> Shard | None:
    """Merge the runs of one shard into its file; nothing where no pair goes there."""
    mark = job.work / "shards" / f"{unit.run}.json"
    files = {"shard": job.out / unit.path}
    if (values := read_receipt(mark, files)) is None:
        runs = sorted((job.work / "runs").glob(f"*/{unit.run}"))
        values = {"rows": merge(unit, runs, job.out)}
        if not values["rows"]:
            return None
        receipt(mark, files, values)
    return shard_record(job.out, unit.path, config=unit.config, split=unit.split, rows=values["rows"])
