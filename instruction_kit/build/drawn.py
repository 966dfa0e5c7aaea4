"""What Draw fixed, in two files of the work folder: whoever renders a unit reads its own rows from them.

In: the draw and its scans. Out: the files; and of these the drawn rows of one scan, or the exemplar rows of one task.
So however many units there are, and in however many processes, no row is handed over more than once.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from instruction_kit.build.commit import write_frame
from instruction_kit.build.draw import DRAWN_SCHEMA, POOL_SCHEMA, Drawn
from instruction_kit.build.leakage import SCAN
from instruction_kit.build.scan import Scan

if TYPE_CHECKING:
    from instruction_kit.mixture import Mixture

ROWS, POOLS = "rows.parquet", "pools.parquet"
OF, EXAMPLES = "_of", "_examples"
"""Columns that say which scan or task a row is of, and for exemplars in which file it lies."""


def write_drawn(work: Path, mixture: "Mixture", drawn: Drawn, scans: Sequence[Scan]) -> None:
    """Write both files."""
    rows = [drawn.rows[done.unit.key].with_columns(pl.lit(done.unit.key).alias(OF)) for done in scans]
    write_frame(work / ROWS, pl.concat([pl.DataFrame(schema={**DRAWN_SCHEMA, OF: pl.String()}), *rows]))
    pools = [_placed(mixture, name, pool, scans) for name, pool in drawn.pools.items()]
    schema = {**POOL_SCHEMA, EXAMPLES: pl.String(), OF: pl.String()}
    write_frame(work / POOLS, pl.concat([pl.DataFrame(schema=schema), *pools]))


def _placed(mixture: "Mixture", name: str, pool: pl.DataFrame, scans: Sequence[Scan]) -> pl.DataFrame:
    """The exemplar rows of one task in the order of the files in which they lie."""
    split = mixture.chosen[name].exemplar_split(mixture.data)
    files = {s.unit.number: str(s.examples) for s in scans if (s.unit.task, s.unit.split) == (name, split)}
    placed = pool.select(list(POOL_SCHEMA)).sort(SCAN, maintain_order=True)
    where = pl.Series(EXAMPLES, [files[number] for number in placed[SCAN]], dtype=pl.String())
    return placed.with_columns(where, pl.lit(name).alias(OF))


def drawn_rows(work: Path, done: Scan) -> pl.DataFrame:
    """The drawn rows of one scan."""
    return _of(work / ROWS, done.unit.key)


def pool_rows(work: Path, task: str) -> pl.DataFrame:
    """The exemplar rows of one task, with the files in which they lie."""
    return _of(work / POOLS, task)


def _of(path: Path, name: str) -> pl.DataFrame:
    """Statistics of row groups keep the others unread."""
    return pl.scan_parquet(path, glob=False).filter(pl.col(OF) == name).drop(OF).collect()
