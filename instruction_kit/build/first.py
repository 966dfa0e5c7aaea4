"""The first usable rows of one split, for whoever looks at a task without a mixture.

In: a task, a split and a number. Out: examples, and why rows before the last of them were lost. Nothing is cached, and
no more is read than is asked for.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import polars as pl

from instruction_kit.build.examples import Examples
from instruction_kit.build.rowid import ROW
from instruction_kit.build.unit import ScanUnit, split_units, unit_examples
from instruction_kit.errors import SourceError, TaskError, nearest
from instruction_kit.source import Frame
from instruction_kit.task.task import Task


def first_examples(
    task: Task,
    split: str,
    *,
    data: Literal["source", "sample"],
    data_dir: Path | None,
    num_rows: int | None = None,
) -> tuple[pl.DataFrame, Counter[str]]:
    """The first `num_rows` examples, or all, and reason -> rows that were lost; of rows with one key the first counts.

    Raises:
        SourceError: the source cannot be read, or has no such split.
        TaskError: it does not fit the task, or no row can be used.

    """
    if data == "sample" and not isinstance(task.source, Frame):
        _ = task.sample_path  # a Task object has none, and says so
    there = task.reading(data).split_names
    if split not in there:
        raise SourceError(f"task {task.name} has no split {split}; {nearest(split, there)}")
    found = _read(task, split_units(task, split, data=data, data_dir=data_dir), num_rows)
    lost = Counter[str]()
    for made in found:
        lost.update(made.reasons)
    examples = pl.concat([made.accepted for made in found], how="vertical_relaxed") if found else pl.DataFrame()
    if not examples.height:
        raise TaskError(f"task {task.name}: no row of {split} can be used: {'; '.join(lost) or 'there are none'}")
    return examples.unique(ROW, keep="first", maintain_order=True).head(num_rows or examples.height), lost


def _read(task: Task, units: Sequence[ScanUnit], num_rows: int | None) -> list[Examples]:
    """Batches until there are rows enough; what a source begins anew counts once."""
    found: list[Examples] = []
    for unit in units:
        before = len(found)
        for made in unit_examples(unit, task):
            if made.anew:
                del found[before:]
            found.append(made)
            if num_rows is not None and sum(made.accepted.height for made in found) >= num_rows:
                return found
    return found
