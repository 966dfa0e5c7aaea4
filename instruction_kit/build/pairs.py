"""The pairs of one task, without a mixture: every row under every template, or under one.

In: a task. Out: a `datasets.Dataset` with the columns of a built mixture. Rows of train are rendered as a mixture
trains on them, those of other splits as it measures them, with candidates. Each template stands in the first setting
that it serves.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import polars as pl
import pyarrow as pa

from instruction_kit.build.examples import HASH, ROW
from instruction_kit.build.first import first_examples
from instruction_kit.build.reference import drawn_references
from instruction_kit.errors import TaskError
from instruction_kit.library import search_path
from instruction_kit.render.pair import PAIR_SCHEMA, record
from instruction_kit.render.render import Prompting, render
from instruction_kit.render.setting import SETTINGS, Setting, once_each
from instruction_kit.task.task import Task
from instruction_kit.template.environment import RowProblem
from instruction_kit.template.load import named, templates_of
from instruction_kit.template.template import Template

if TYPE_CHECKING:
    from datasets import Dataset

SLICE = 10_000
"""Rows that are rendered before their pairs become columns."""
logger = logging.getLogger(__name__)


def pairs(
    task: Task,
    template: str | None,
    *,
    split: str,
    data: Literal["source", "sample"],
    data_dir: Path | None,
    paths: Sequence[Path],
    num_rows: int | None,
    seed: int,
) -> "Dataset":
    """Render one task.

    Raises:
        SourceError: the source cannot be read, or has no such split.
        TaskError: it does not fit the task, or no row can be used.
        TemplateError: there is no such template, or none that this task can use.

    """
    from datasets import Dataset

    found = named(templates_of(search_path(paths), schema=task.schema, task=task.name), template)
    phrasings = once_each(found, list(SETTINGS.values()), task=task)
    examples, lost = first_examples(task, split, data=data, data_dir=data_dir, num_rows=num_rows)
    missed: Counter[str] = Counter()
    tables = [
        pa.Table.from_pylist(list(_records(task, phrasings, rows, missed, split=split, seed=seed)), schema=PAIR_SCHEMA)
        for rows in examples.iter_slices(SLICE)
    ]
    made = pa.concat_tables(tables)
    if not made.num_rows:
        raise TaskError(f"task {task.name}: no row of {split} can stand in these templates: {'; '.join(missed)}")
    _tell(task, split, lost, missed)
    return Dataset(made)


def _records(
    task: Task,
    phrasings: Sequence[tuple[Template, Setting]],
    rows: pl.DataFrame,
    missed: Counter[str],
    *,
    split: str,
    seed: int,
) -> Iterator[dict[str, Any]]:
    measured = split != "train"
    values = rows.drop(ROW, HASH).to_dicts()
    drawn = drawn_references(task, rows[HASH].to_numpy(), values, split=split, seed=seed, turn=0)
    for row, example, reference in zip(rows[ROW].to_list(), values, drawn, strict=True):
        for template, setting in phrasings:
            try:
                pair = render(
                    example,
                    template=template,
                    setting=setting,
                    task=task,
                    prompting=Prompting(),
                    measured=measured,
                    reference=0 if measured else reference,
                )
            except RowProblem as problem:
                missed[str(problem)] += 1
                continue
            yield record(pair, task=task, split=split, row=row, template=template, setting=setting)


def _tell(task: Task, split: str, lost: Counter[str], missed: Counter[str]) -> None:
    """Nothing is lost in silence."""
    for what, counts in (("rows cannot be used", lost), ("pairs cannot be rendered", missed)):
        if counts:
            told = "; ".join(f"{why} ({count:,})" for why, count in counts.most_common())
            logger.warning("task %s %s: %s %s: %s", task.name, split, f"{counts.total():,}", what, told)
