"""The exemplars of a task, read: its rows as Draw fixed them, and those that were written by hand.

In: scans, and the rows of the pool. Out: `Pools`. Row groups without such a row are not read.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from instruction_kit.build.few_shot import Pools
from instruction_kit.build.leakage import POS, SCAN
from instruction_kit.build.prompts import read_prompts
from instruction_kit.build.render import drawn_examples
from instruction_kit.build.rowid import HASH, ROW
from instruction_kit.build.scan import Scan
from instruction_kit.choice import row_hashes
from instruction_kit.exemplar.pool import Pool
from instruction_kit.task.exemplars import read_exemplars
from instruction_kit.task.task import Task

if TYPE_CHECKING:
    from instruction_kit.mixture import Mixture

NONE = Pool((), np.empty(0, dtype=np.uint64), ())


def pools(mixture: "Mixture", task: Task, rows: pl.DataFrame | None, scans: Sequence[Scan]) -> Pools:
    """All that one task may show; nothing where the mixture shows none."""
    rule = mixture.part(task.name).exemplars
    first, split = rule.source, task.exemplar_split(mixture.data)
    if rows is None:
        return Pools(NONE, NONE, first)
    folder = mixture.prompts_of(task.name)
    written = read_prompts(task, folder) if folder else read_exemplars(task)
    file = Pool(tuple(written), row_hashes(list(written)), tuple(written.values()))
    return Pools(_read(task, split, rows, scans) if first == "rows" else NONE, file, first)


def _read(task: Task, split: str, rows: pl.DataFrame, scans: Sequence[Scan]) -> Pool:
    names: list[str] = []
    hashes: list[int] = []
    examples: list[dict[str, Any]] = []
    for scan in scans:
        mine = rows.filter(pl.col(SCAN) == scan.unit.number)
        if (scan.unit.task, scan.unit.split) == (task.name, split) and mine.height:
            read, placed = drawn_examples(scan.examples, mine)
            names += placed[ROW].to_list()
            hashes += placed[HASH].to_list()
            examples += read.drop(ROW, HASH)[placed[POS].to_list()].to_dicts()
    return Pool(tuple(names), np.array(hashes, dtype=np.uint64), tuple(examples))
