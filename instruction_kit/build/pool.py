"""The exemplars of a task, read: its rows as Draw fixed them, and those that were written by hand.

In: the rows of the pool, with the files in which they lie. Out: `Pools`. Row groups without such a row are not read.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from instruction_kit.build.draw import showing
from instruction_kit.build.drawn import EXAMPLES
from instruction_kit.build.few_shot import Pools
from instruction_kit.build.leakage import POS
from instruction_kit.build.prompts import read_prompts
from instruction_kit.build.render import drawn_examples
from instruction_kit.build.rowid import HASH, ROW
from instruction_kit.exemplar.pool import Pool
from instruction_kit.task.exemplars import read_exemplars
from instruction_kit.task.task import Task

if TYPE_CHECKING:
    from instruction_kit.mixture import Mixture

NONE = Pool.named({})


def pools(mixture: "Mixture", task: Task, rows: pl.DataFrame) -> Pools:
    """All that one task may show; nothing where the mixture shows none."""
    first = mixture.part(task.name).exemplars.source
    if task.name not in showing(mixture):
        return Pools(NONE, NONE, first)
    folder = mixture.prompts_of(task.name)
    written = read_prompts(task, folder) if folder else read_exemplars(task)
    return Pools(_read(rows) if first == "rows" else NONE, Pool.named(written), first)


def _read(rows: pl.DataFrame) -> Pool:
    names: list[str] = []
    hashes: list[int] = []
    examples: list[dict[str, Any]] = []
    for mine in rows.partition_by(EXAMPLES, maintain_order=True):
        read, placed = drawn_examples(Path(mine[EXAMPLES][0]), mine)
        names += placed[ROW].to_list()
        hashes += placed[HASH].to_list()
        examples += read.drop(ROW, HASH)[placed[POS].to_list()].to_dicts()
    return Pool(tuple(names), np.array(hashes, dtype=np.uint64), tuple(examples))
